import { asError, KubetallyError, messageChain } from '../model/errors.ts';

/**
 * - `unreachable`: no connection, or it broke before the answer was whole
 * - `timeout`: connecting or answering took longer than the deadline
 * - `tls`: the handshake failed or the certificate was not trusted
 * - `status`: the API server answered with an error; see `status`, `reason`
 * - `malformed`: the answer was not what the API promises
 * - `too_large`: the answer passed the cap on its size
 * - `config`: the kubeconfig or a file it names cannot be used
 * - `aborted`: the caller gave up
 */
export type KubeErrorCode =
  'unreachable' | 'timeout' | 'tls' | 'status' | 'malformed' | 'too_large' | 'config' | 'aborted';

export interface KubeErrorDetails extends ErrorOptions {
  readonly status?: number;
  readonly reason?: string;
  readonly retryAfterSeconds?: number;
}

/** Why talking to the API server failed. */
export class KubeError extends KubetallyError<KubeErrorCode> {
  /** HTTP status of the answer; for code `status` only. */
  readonly status: number | undefined;
  /** `reason` of the `metav1.Status` in the answer, such as `NotFound`. */
  readonly reason: string | undefined;
  /** The answer's `Retry-After`, when it was a number of seconds. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: KubeErrorCode, message: string, details: KubeErrorDetails = {}) {
    super(code, message, details);
    this.status = details.status;
    this.reason = details.reason;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }

  /** The resource version or continue token is too old: HTTP 410, reason `Expired` or `Gone`. */
  get expired(): boolean {
    return this.status === 410 || this.reason === 'Expired' || this.reason === 'Gone';
  }
}

const tlsCodes =
  /^(ERR_TLS_|ERR_SSL_|ERR_OSSL|CERT_|CRL_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|EPROTO)/;

/** What the HTTP client threw while doing `what`, as a `KubeError`. */
export function connectionError(thrown: unknown, what: string): KubeError {
  if (thrown instanceof KubeError) return thrown;
  const error = asError(thrown);
  const code = errorCode(error);
  const text = `${what}: ${messageChain(error) === 'unknown error' ? (code ?? 'unknown error') : messageChain(error)}`;
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return new KubeError('timeout', text, { cause: error });
  if (code !== undefined && tlsCodes.test(code)) return new KubeError('tls', text, { cause: error });
  if (error.name === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW')
    return new KubeError('malformed', text, { cause: error });
  return new KubeError('unreachable', text, { cause: error });
}

/** The socket was closed under the request, as happens when the server restarts or its keep-alive ran out. */
export function isReset(thrown: unknown): boolean {
  const code = errorCode(thrown);
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE';
}

function errorCode(thrown: unknown): string | undefined {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 8; error = error.cause, depth++) {
    if ('code' in error && typeof error.code === 'string' && !(error instanceof KubeError)) return error.code;
  }
  return undefined;
}
