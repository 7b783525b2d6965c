import type { ResourceDiscovery } from '../../metrics-api/discovery.ts';
import { apiGroup } from '../../metrics-api/objects.ts';
import type { Backend } from './backend.ts';
import type { Identity } from '../identity.ts';

export interface VersionDiscovery {
  readonly version: string;
  readonly resources: readonly (ResourceDiscovery & {
    readonly shortNames?: readonly string[];
    readonly categories?: readonly string[];
  })[];
}

/** What a backend publishes about its group. */
export interface GroupDiscovery {
  readonly versions: readonly VersionDiscovery[];
  readonly etag: string | undefined;
}

export const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const deadline = 5000;
/** As whom the aggregation layer itself asks. */
export const aggregatorUser: Identity = { username: 'system:kube-aggregator', groups: ['system:masters'] };

/**
 * Reads the backend's group as kube-aggregator does: aggregated discovery, with the last ETag.
 * @throws when it does not answer so
 */
export async function fetchGroup(
  backend: Backend,
  versions: readonly string[],
  known: GroupDiscovery | undefined,
): Promise<GroupDiscovery> {
  const condition = known?.etag === undefined ? {} : { 'If-None-Match': known.etag };
  const reply = await backend.fetch('/apis', aggregatorUser, deadline, { Accept: aggregatedType, ...condition });
  if (known !== undefined && (reply.status === 304 || reply.status === 503)) return known;
  if (reply.status !== 200) throw new Error(`bad status from https://${backend.host}/apis: ${reply.status}`);
  const { items = [] } = JSON.parse(reply.body) as AggregatedDocument;
  const group = items.find(({ metadata }) => metadata.name === apiGroup);
  const published = (group?.versions ?? []).filter(({ version }) => versions.includes(version));
  return { versions: published, etag: reply.headers.etag };
}

interface AggregatedDocument {
  readonly items?: readonly { readonly metadata: { readonly name: string }; readonly versions: VersionDiscovery[] }[];
}
