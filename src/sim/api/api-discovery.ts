import { apiGroup } from '../../metrics-api/objects.ts';
import { type VersionDiscovery } from './aggregated-group.ts';
import type { Aggregator } from './aggregator.ts';
import { describeResource, groupVersion, type ResourceDescription } from './resource-type.ts';

type Document = Readonly<Record<string, unknown>>;

const review = (group: string, kind: string): ResourceDescription =>
  describeResource(kind, { group, verbs: ['create'] });

export const reviewResources: readonly ResourceDescription[] = [
  review('authentication.k8s.io', 'TokenReview'),
  review('authentication.k8s.io', 'SelfSubjectReview'),
  review('authorization.k8s.io', 'SubjectAccessReview'),
  review('authorization.k8s.io', 'SelfSubjectAccessReview'),
];

interface Version extends VersionDiscovery {
  readonly freshness: 'Current' | 'Stale';
}

/** The discovery documents of the API server: its own resources and, merged in, the aggregated group. */
export class ApiDiscovery {
  /** Versions by group. */
  readonly #own = new Map<string, Version[]>();
  readonly #aggregator: Aggregator;

  constructor(types: readonly ResourceDescription[], aggregator: Aggregator) {
    this.#aggregator = aggregator;
    const all = [...types, ...reviewResources];
    for (const name of new Set(all.map(({ group }) => group))) {
      const resources = all.filter(({ group }) => group === name).map(describe);
      this.#own.set(name, [{ version: 'v1', resources, freshness: 'Current' }]);
    }
  }

  /** Answers a discovery path, or gives undefined for any other. `aggregated` asks for `APIGroupDiscoveryList`. */
  document(path: string, aggregated: boolean, server: string): Document | undefined {
    const [, root, group, version] = path.replace(/\/$/, '').split('/');
    if (root === 'api') {
      if (version !== undefined) return undefined;
      if (group !== undefined) return this.#resourceList('', group);
      const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress: server }];
      const legacy = { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs };
      return aggregated ? this.#aggregated(['']) : legacy;
    }
    if (root !== 'apis') return undefined;
    if (version !== undefined) return this.#resourceList(group ?? '', version);
    const groups = [...this.#own.keys()].filter((name) => name !== '');
    if (this.#aggregator.registered) groups.push(apiGroup);
    if (group !== undefined)
      return groups.includes(group) ? { kind: 'APIGroup', apiVersion: 'v1', ...this.#describe(group) } : undefined;
    if (aggregated) return this.#aggregated(groups);
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map((name) => this.#describe(name)) };
  }

  /** A backend that does not answer leaves its versions published, but stale. */
  #versions(group: string): readonly Version[] {
    const { registered, availability, group: known, versions } = this.#aggregator;
    if (group !== apiGroup || !registered) return this.#own.get(group) ?? [];
    const told: readonly VersionDiscovery[] = known?.versions ?? [];
    if (told.length === 0) return versions.map((version) => ({ version, resources: [], freshness: 'Stale' }));
    return told.map((version) => ({ ...version, freshness: availability.available ? 'Current' : 'Stale' }));
  }

  #aggregated(groups: readonly string[]): Document {
    const items = groups.map((name) => ({ metadata: name === '' ? {} : { name }, versions: this.#versions(name) }));
    return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
  }

  #describe(group: string): Document {
    const versions = this.#versions(group).map(({ version }) => ({ groupVersion: `${group}/${version}`, version }));
    return { name: group, versions, preferredVersion: versions[0] };
  }

  #resourceList(group: string, version: string): Document | undefined {
    const found = this.#versions(group).find((candidate) => candidate.version === version);
    if (found === undefined) return undefined;
    const resources = found.resources.map(({ resource, singularResource, scope, responseKind, ...rest }) => ({
      name: resource,
      singularName: singularResource,
      namespaced: scope === 'Namespaced',
      kind: responseKind.kind,
      ...rest,
    }));
    return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: groupVersion({ group, version }), resources };
  }
}

function describe(resource: ResourceDescription): VersionDiscovery['resources'][number] {
  const { group, version, kind, plural, singular, namespaced, verbs, shortNames, categories } = resource;
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
    ...(categories.length === 0 ? {} : { categories }),
  };
}
