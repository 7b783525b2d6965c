import { trimCharacter } from '../model/trim.ts';
import { mediaTypes } from './negotiation.ts';
import { StatusError } from './status.ts';

// The first of the two layers of negotiation: the router that Kubernetes uses (go-restful) compares media types literally,
// before Kubernetes' own negotiation looks at the parameters.

/** What discovery and single objects produce. */
export const objectTypes: readonly string[] = Object.values(mediaTypes);
/** What lists produce; the streams are named in refusals though no watch is served. */
export const listTypes: readonly string[] = [
  ...objectTypes,
  'application/json;stream=watch',
  'application/vnd.kubernetes.protobuf;stream=watch',
];

/**
 * Checks that the Accept header names a produced type or all types somewhere; quality and parameters do not count.
 * @throws {StatusError} 406 naming what there is.
 */
export function requireProduced(accept: string | undefined, produced: readonly string[]): void {
  if (accept === undefined || accept === '') return;
  const offered = accept.split(',').map(literalType);
  if (offered.some((type) => type === '*/*' || produced.includes(type))) return;
  const message = `406: Not Acceptable\n\nAvailable representations: ${produced.join(', ')}`;
  throw new StatusError('not-acceptable', message, {});
}

/**
 * Checks a request's Content-Type against what discovery consumes, though a GET has no body.
 * @throws {StatusError} 415
 */
export function requireConsumed(contentType: string | undefined, consumed: readonly string[]): void {
  if (contentType === undefined || contentType === '') return;
  const given = contentType.split(',').map(literalType);
  if (given.some((type) => type === '*/*' || consumed.includes(type))) return;
  throw new StatusError('unsupported-media-type', '415: Unsupported Media Type', {});
}

function literalType(clause: string): string {
  return trimCharacter(clause.split(';', 1)[0] ?? '', ' ');
}
