import { metricsGroup, type VersionDiscovery } from './aggregated-group.ts';
import type { Aggregator } from './aggregator.ts';
import { groupVersion, type ResourceType } from './resource-type.ts';

type Document = Readonly<Record<string, unknown>>;

/** A resource without objects of its own: reviews, which can only be created. */
export type DescribedResource = Omit<ResourceType, 'store' | 'columns'>;

const review = (group: string, plural: string, kind: string): DescribedResource => ({
  group,
  version: 'v1',
  plural,
  singular: kind.toLowerCase(),
  kind,
  namespaced: false,
  shortNames: [],
  verbs: ['create'],
});

export const reviewResources: readonly DescribedResource[] = [
  review('authentication.k8s.io', 'tokenreviews', 'TokenReview'),
  review('authentication.k8s.io', 'selfsubjectreviews', 'SelfSubjectReview'),
  review('authorization.k8s.io', 'subjectaccessreviews', 'SubjectAccessReview'),
  review('authorization.k8s.io', 'selfsubjectaccessreviews', 'SelfSubjectAccessReview'),
];

interface Version extends VersionDiscovery {
  readonly stale: boolean;
}

/** The discovery documents of the API server: its own resources and, merged in, the aggregated group. */
export class ApiDiscovery {
  readonly #resources: readonly DescribedResource[];
  readonly #aggregator: Aggregator;

  constructor(types: readonly ResourceType[], aggregator: Aggregator) {
    this.#resources = [...types, ...reviewResources];
    this.#aggregator = aggregator;
  }

  /** Answers a discovery path, or gives undefined for any other. `aggregated` asks for `APIGroupDiscoveryList`. */
  document(path: string, aggregated: boolean, server: string): Document | undefined {
    const [, root, group, version] = path.replace(/\/$/, '').split('/');
    if (root === 'api') {
      if (version !== undefined) return undefined;
      if (group !== undefined) return this.#resourceList('', group);
      return aggregated ? this.#aggregated(['']) : coreVersions(server);
    }
    if (root !== 'apis') return undefined;
    if (version !== undefined) return this.#resourceList(group ?? '', version);
    if (group !== undefined) return this.#group(group);
    const groups = this.#groups();
    if (aggregated) return this.#aggregated(groups);
    return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map((name) => this.#describe(name)) };
  }

  #groups(): string[] {
    const own = [...new Set(this.#resources.map(({ group }) => group))].filter((group) => group !== '');
    return this.#aggregator.registered ? [...own, metricsGroup] : own;
  }

  #versions(group: string): Version[] {
    if (group === metricsGroup && this.#aggregator.registered) return this.#aggregatedVersions();
    const own = this.#resources.filter((resource) => resource.group === group);
    return [...new Set(own.map(({ version }) => version))].map((version) => ({
      version,
      resources: own.filter((resource) => resource.version === version).map(describe),
      stale: false,
    }));
  }

  /** A backend that does not answer leaves its versions published, but stale. */
  #aggregatedVersions(): Version[] {
    const stale = !this.#aggregator.availability.available;
    const known: readonly VersionDiscovery[] = this.#aggregator.group?.versions ?? [];
    if (known.length > 0) return known.map((version) => ({ ...version, stale }));
    return this.#aggregator.versions.map((version) => ({ version, resources: [], stale: true }));
  }

  #aggregated(groups: readonly string[]): Document {
    const items = groups.map((name) => ({
      metadata: name === '' ? {} : { name },
      versions: this.#versions(name).map(({ version, resources, stale }) => ({
        version,
        resources,
        freshness: stale ? 'Stale' : 'Current',
      })),
    }));
    return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
  }

  #describe(group: string): Document {
    const versions = this.#versions(group).map(({ version }) => ({ groupVersion: `${group}/${version}`, version }));
    return { name: group, versions, preferredVersion: versions[0] };
  }

  #group(group: string): Document | undefined {
    if (!this.#groups().includes(group)) return undefined;
    return { kind: 'APIGroup', apiVersion: 'v1', ...this.#describe(group) };
  }

  #resourceList(group: string, version: string): Document | undefined {
    const found = this.#versions(group).find((candidate) => candidate.version === version);
    if (found === undefined) return undefined;
    const resources = found.resources.map((resource) => ({
      name: resource.resource,
      singularName: resource.singularResource,
      namespaced: resource.scope === 'Namespaced',
      kind: resource.responseKind.kind,
      verbs: resource.verbs,
      shortNames: resource.shortNames,
    }));
    return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: groupVersion({ group, version }), resources };
  }
}

function coreVersions(server: string): Document {
  const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress: server }];
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs };
}

function describe(resource: DescribedResource): VersionDiscovery['resources'][number] {
  const { group, version, kind, plural, singular, namespaced, verbs, shortNames } = resource;
  return {
    resource: plural,
    responseKind: { group, version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length === 0 ? {} : { shortNames }),
  };
}
