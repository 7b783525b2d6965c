import type { Milliseconds } from '../model/units.ts';

/** An answered request as its metrics see it. */
export interface RequestOutcome {
  /** The verb that was authorized: `get`, `list`, `watch`, ... */
  readonly verb: string;
  /** HTTP status. */
  readonly code: number;
  readonly duration: Milliseconds;
  /** For requests for metrics; others are counted together. */
  readonly resource?: {
    readonly version: string;
    readonly name: string;
    readonly scope: 'resource' | 'namespace' | 'cluster';
  };
}

const verbs = new Set([
  'GET',
  'LIST',
  'WATCH',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'DELETECOLLECTION',
  'HEAD',
  'OPTIONS',
]);
const resources = new Set(['nodes', 'pods']);
const versions = new Set(['v1', 'v1beta1']);

/** Labels of `apiserver_request_*`. What clients can make up is folded together, so that the number of series is bounded. */
export function requestLabels({ verb, resource }: RequestOutcome): Record<string, string> {
  const upper = verb.toUpperCase();
  const known = resource !== undefined && resources.has(resource.name) && versions.has(resource.version);
  return {
    verb: verbs.has(upper) ? upper : 'OTHER',
    dry_run: '',
    group: known ? 'metrics.k8s.io' : '',
    version: known ? resource.version : '',
    resource: known ? resource.name : '',
    subresource: '',
    scope: known ? resource.scope : '',
    component: 'apiserver',
  };
}
