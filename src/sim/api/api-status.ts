import { toStatus, type Status, type StatusDetails } from '../../wire/status.ts';

/** Refusals of an API server that keeps objects, which metrics.k8s.io has no use for. Thrown by handlers, caught where the answer is written. */
export class StoreRefusal extends Error {
  readonly status: Status;

  constructor(code: 409 | 410, reason: string, message: string, details?: StatusDetails) {
    super(message);
    const rest = details === undefined ? {} : { details };
    this.status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, ...rest, code };
  }
}

/** Whatever was thrown as a `Status`. */
export function statusOf(thrown: unknown): Status {
  return thrown instanceof StoreRefusal ? thrown.status : toStatus(thrown);
}
