import { SelectorError } from '../kube/selectors/errors.ts';
import { ContinueTokenError } from '../metrics-api/continue-token.ts';
import { KubetallyError, messageChain } from '../model/errors.ts';
import { quote } from '../model/quote.ts';

/** `metav1.StatusReason`s that are answered here, in kebab case as error codes. */
export type StatusErrorCode =
  | 'bad-request'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'method-not-allowed'
  | 'not-acceptable'
  | 'unsupported-media-type'
  | 'invalid'
  | 'too-many-requests'
  | 'request-entity-too-large'
  | 'internal-error'
  | 'service-unavailable'
  | 'timeout';

/** `metav1.StatusCause`. */
export interface StatusCause {
  readonly reason: string;
  readonly message: string;
  readonly field?: string;
}

/** `metav1.StatusDetails`; keys in the order in which Kubernetes writes them. */
export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** `metav1.Status` of a failure; keys in the order in which Kubernetes writes them. */
export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: 'Failure';
  readonly message: string;
  readonly reason?: string;
  readonly details?: StatusDetails;
  /** The HTTP status. */
  readonly code: number;
}

const reasons: Readonly<Record<StatusErrorCode, { readonly reason: string; readonly status: number }>> = {
  'bad-request': { reason: 'BadRequest', status: 400 },
  unauthorized: { reason: 'Unauthorized', status: 401 },
  forbidden: { reason: 'Forbidden', status: 403 },
  'not-found': { reason: 'NotFound', status: 404 },
  'method-not-allowed': { reason: 'MethodNotAllowed', status: 405 },
  'not-acceptable': { reason: 'NotAcceptable', status: 406 },
  'request-entity-too-large': { reason: 'RequestEntityTooLarge', status: 413 },
  'unsupported-media-type': { reason: 'UnsupportedMediaType', status: 415 },
  invalid: { reason: 'Invalid', status: 422 },
  'too-many-requests': { reason: 'TooManyRequests', status: 429 },
  'internal-error': { reason: 'InternalError', status: 500 },
  'service-unavailable': { reason: 'ServiceUnavailable', status: 503 },
  timeout: { reason: 'Timeout', status: 504 },
};

/** A request is answered with a `Status`. */
export class StatusError extends KubetallyError<StatusErrorCode> {
  readonly details: StatusDetails | undefined;

  constructor(code: StatusErrorCode, message: string, details?: StatusDetails, options?: ErrorOptions) {
    super(code, message, options);
    this.details = details;
  }

  /** The HTTP status. */
  get status(): number {
    return reasons[this.code].status;
  }
}

/** The one way from a thrown value to an answer. What is not known to be the client's fault becomes a 500 without a reason. */
export function toStatus(thrown: unknown): Status {
  if (thrown instanceof StatusError)
    return failure(thrown.status, thrown.message, reasons[thrown.code].reason, thrown.details);
  if (thrown instanceof SelectorError) return failure(400, thrown.message, 'BadRequest');
  if (thrown instanceof ContinueTokenError) return failure(400, thrown.message, 'BadRequest');
  return failure(500, messageChain(thrown));
}

function failure(code: number, message: string, reason?: string, details?: StatusDetails): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason === undefined ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  };
}

export function badRequest(message: string): StatusError {
  return new StatusError('bad-request', message);
}

/** No group, version, resource or subresource of that path. */
export function unknownResource(): StatusError {
  return new StatusError('not-found', 'the server could not find the requested resource', {});
}

/** `kind "name" not found`, the name quoted as Go does and the kind qualified by the group where there is one. */
export function notFound(kind: string, group: string, name: string): StatusError {
  const qualified = group === '' ? kind : `${kind}.${group}`;
  const details = group === '' ? { name, kind } : { name, group, kind };
  return new StatusError('not-found', `${qualified} ${quote(name)} not found`, details);
}

export function methodNotAllowed(): StatusError {
  return new StatusError('method-not-allowed', 'the server does not allow this method on the requested resource', {});
}

export function watchNotSupported(resource: string, group: string): StatusError {
  const message = `watch is not supported on resources of kind "${resource}.${group}"`;
  return new StatusError('method-not-allowed', message, { group, kind: resource });
}

/** A list over all namespaces would take more memory than there is. Clients of Kubernetes ask again after the time it names. */
export function memoryShort(most: number): StatusError {
  const message = `too little memory for this list; ask again, for one namespace, or for pages (limit=${most})`;
  return new StatusError('too-many-requests', message, { retryAfterSeconds: 5 });
}

export function unauthorized(): StatusError {
  return new StatusError('unauthorized', 'Unauthorized');
}

/** `ListOptions` that contradict themselves. */
export function invalidListOptions(causes: readonly StatusCause[]): StatusError {
  const texts = [...new Set(causes.map(({ field, message }) => `${field ?? ''}: ${message}`))];
  const problem = texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`;
  const details = { group: 'meta.k8s.io', kind: 'ListOptions', causes };
  return new StatusError('invalid', `ListOptions.meta.k8s.io "" is invalid: ${problem}`, details);
}
