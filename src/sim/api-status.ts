/** An answer of the API server that is not a success: a `Status` of `meta.k8s.io/v1`. */
export interface Status {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Thrown by handlers, caught once where the answer is written. */
export class ApiFailure extends Error {
  readonly status: Status;

  constructor(code: number, reason: string, message: string, details?: Readonly<Record<string, unknown>>) {
    super(message);
    this.name = 'ApiFailure';
    this.status = details === undefined ? { code, reason, message } : { code, reason, message, details };
  }
}

/** The Status as a document. */
export function statusDocument({ code, reason, message, details }: Status): Record<string, unknown> {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, details, code };
}

/** 410 of a watch or a continued list whose revision is compacted. */
export function expired(asked: number, oldest: number): ApiFailure {
  return new ApiFailure(410, 'Expired', `too old resource version: ${asked} (${oldest})`);
}

/** 404 of an object. */
export function notFound(plural: string, group: string, name: string): ApiFailure {
  const resource = group === '' ? plural : `${plural}.${group}`;
  return new ApiFailure(404, 'NotFound', `${resource} "${name}" not found`, { name, group, kind: plural });
}

/** 404 of a path that is no resource. */
export function noResource(): ApiFailure {
  return new ApiFailure(404, 'NotFound', 'the server could not find the requested resource', {});
}
