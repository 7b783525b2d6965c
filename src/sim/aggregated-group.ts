import type { Backend } from './backend.ts';
import type { Identity } from './identity.ts';

/** The group behind the aggregation layer. */
export const metricsGroup = 'metrics.k8s.io';

/** One resource of a version, in the words of aggregated discovery (`APIResourceDiscovery` of apidiscovery.k8s.io/v2). */
export interface ResourceDiscovery {
  readonly resource: string;
  readonly responseKind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly scope: 'Cluster' | 'Namespaced';
  readonly singularResource: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
}

export interface VersionDiscovery {
  readonly version: string;
  readonly resources: readonly ResourceDiscovery[];
}

/** What a backend publishes about its group. */
export interface GroupDiscovery {
  readonly versions: readonly VersionDiscovery[];
  readonly etag: string | undefined;
}

export const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const deadline = 5000;
const masters: Identity = { username: 'system:kube-aggregator', groups: ['system:masters'] };

/**
 * Reads the backend's group as kube-aggregator does: aggregated discovery with the last ETag, otherwise one legacy
 * document for each version, asked for without any group.
 * @throws when neither answers
 */
export async function fetchGroup(
  backend: Backend,
  versions: readonly string[],
  known: GroupDiscovery | undefined,
): Promise<GroupDiscovery> {
  const condition = known?.etag === undefined ? {} : { 'If-None-Match': known.etag };
  const reply = await backend.fetch('/apis', masters, deadline, { Accept: aggregatedType, ...condition });
  if (reply.status === 304 && known !== undefined) return known;
  if (reply.status === 503 && known !== undefined) return known;
  if (reply.status === 200 && reply.headers['content-type'] === aggregatedType) {
    const { items = [] } = JSON.parse(reply.body) as AggregatedDocument;
    const group = items.find(({ metadata }) => metadata.name === metricsGroup);
    const published = (group?.versions ?? []).filter(({ version }) => versions.includes(version));
    return { versions: published, etag: reply.headers.etag };
  }
  return { versions: await legacyVersions(backend, versions), etag: undefined };
}

interface AggregatedDocument {
  readonly items?: readonly { readonly metadata: { readonly name: string }; readonly versions: VersionDiscovery[] }[];
}

interface LegacyDocument {
  readonly resources: readonly {
    readonly name: string;
    readonly singularName: string;
    readonly namespaced: boolean;
    readonly kind: string;
    readonly verbs: readonly string[];
  }[];
}

async function legacyVersions(backend: Backend, versions: readonly string[]): Promise<VersionDiscovery[]> {
  const found: VersionDiscovery[] = [];
  for (const version of versions) {
    const groupless: Identity = { username: 'system:kube-aggregator', groups: [] };
    const path = `/apis/${metricsGroup}/${version}`;
    const reply = await backend.fetch(path, groupless, deadline, { Accept: 'application/json' });
    if (reply.status !== 200) continue;
    const { resources } = JSON.parse(reply.body) as LegacyDocument;
    const described = resources.map((resource) => ({
      resource: resource.name,
      responseKind: { group: metricsGroup, version, kind: resource.kind },
      scope: resource.namespaced ? ('Namespaced' as const) : ('Cluster' as const),
      singularResource: resource.singularName,
      verbs: resource.verbs,
    }));
    found.push({ version, resources: described });
  }
  return found;
}
