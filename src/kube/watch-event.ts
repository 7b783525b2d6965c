import { KubeError } from './kube-error.ts';
import { watchError } from './status-error.ts';

/** One line of a watch, `metav1.WatchEvent`. An ERROR event is thrown instead. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object: object;
  /** `metadata.resourceVersion` of the object: up to here the watch has been seen. */
  readonly resourceVersion: string | undefined;
}

/** Throws `KubeError`: `malformed` when the line is no event, `status` with the code of an ERROR event. */
export function parseWatchEvent(line: string, what: string): WatchEvent {
  let event: { type?: unknown; object?: unknown } | null;
  try {
    event = JSON.parse(line) as typeof event;
  } catch (error) {
    throw new KubeError('malformed', `${what}: a line is not JSON`, { cause: error });
  }
  const { type, object } = event ?? {};
  if (type === 'ERROR') throw watchError(object, what);
  if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED' && type !== 'BOOKMARK')
    throw new KubeError('malformed', `${what}: a line has no known event type`);
  if (typeof object !== 'object' || object === null)
    throw new KubeError('malformed', `${what}: an event has no object`);
  const { metadata } = object as { metadata?: { resourceVersion?: unknown } | null };
  const resourceVersion = metadata?.resourceVersion;
  return { type, object, resourceVersion: typeof resourceVersion === 'string' ? resourceVersion : undefined };
}

/**
 * Whether resource version `a` is older than `b`. They are decimal numbers that only grow, unless the server lost its memory
 * (a restored etcd, a test server); anything else is not compared.
 */
export function isOlderVersion(a: string, b: string): boolean {
  if (!/^[1-9]\d*$/.test(a) || !/^[1-9]\d*$/.test(b)) return false;
  return a.length === b.length ? a < b : a.length < b.length;
}
