import { KubeError } from './kube-error.ts';

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** The parts of a `metav1.Status` that tell why a request failed. */
interface FailureStatus {
  readonly code?: unknown;
  readonly reason?: unknown;
  readonly message?: unknown;
}

/** An error answer as `KubeError` `status`, with the reason and message of its `metav1.Status` if its body is one. */
export function statusError(status: number, headers: Headers, body: string, what: string): KubeError {
  const { reason, message } = parseStatus(body);
  const text = typeof message === 'string' && message !== '' ? message : body.trim().slice(0, 200);
  const retryAfter = Number(headers['retry-after'] ?? Number.NaN);
  return new KubeError('status', `${what}: ${status}${text === '' ? '' : `: ${text}`}`, {
    status,
    ...(typeof reason === 'string' && { reason }),
    ...(Number.isFinite(retryAfter) && retryAfter >= 0 && { retryAfterSeconds: retryAfter }),
  });
}

/** The `Status` object of a watch's ERROR event as `KubeError` `status`; an unreadable one counts as 500. */
export function watchError(object: unknown, what: string): KubeError {
  const { code, reason, message } = (typeof object === 'object' && object !== null ? object : {}) as FailureStatus;
  const status = typeof code === 'number' ? code : 500;
  return new KubeError('status', `${what}: ${status}: ${typeof message === 'string' ? message : 'no message'}`, {
    status,
    ...(typeof reason === 'string' && { reason }),
  });
}

function parseStatus(body: string): FailureStatus {
  try {
    const document: unknown = JSON.parse(body);
    return typeof document === 'object' && document !== null ? document : {};
  } catch {
    return {};
  }
}
