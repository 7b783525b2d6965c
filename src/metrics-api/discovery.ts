import { apiGroup, apiVersions, type ApiVersion } from './objects.ts';

// Discovery documents, with their keys in the order in which Kubernetes writes them. None depends on anything that can fail:
// an aggregated API that cannot be discovered harms the whole cluster.

export interface GroupVersion {
  readonly groupVersion: string;
  readonly version: string;
}

/** `metav1.APIGroup`. */
export interface ApiGroup {
  readonly kind?: 'APIGroup';
  readonly apiVersion?: 'v1';
  readonly name: string;
  readonly versions: readonly GroupVersion[];
  readonly preferredVersion: GroupVersion;
  readonly serverAddressByClientCIDRs?: readonly { readonly clientCIDR: string; readonly serverAddress: string }[];
}

/** `metav1.APIResource`. */
export interface ApiResource {
  readonly name: string;
  /** Empty, as upstream; the key is always there. */
  readonly singularName: string;
  readonly namespaced: boolean;
  readonly kind: string;
  readonly verbs: readonly string[];
}

/** `metav1.APIResourceList`. */
export interface ApiResourceList {
  readonly kind: 'APIResourceList';
  readonly apiVersion: 'v1';
  readonly groupVersion: string;
  readonly resources: readonly ApiResource[];
}

/** `apidiscovery.k8s.io/v2 APIGroupDiscoveryList`. */
export interface ApiGroupDiscoveryList {
  readonly kind: 'APIGroupDiscoveryList';
  readonly apiVersion: 'apidiscovery.k8s.io/v2';
  readonly metadata: Readonly<Record<string, never>>;
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly versions: readonly {
      readonly version: string;
      readonly resources: readonly ResourceDiscovery[];
      readonly freshness: 'Current';
    }[];
  }[];
}

export interface ResourceDiscovery {
  readonly resource: string;
  /** Empty group and version mean those around it; an absent kind would be refused by clients. */
  readonly responseKind: { readonly group: string; readonly version: string; readonly kind: string };
  readonly scope: 'Cluster' | 'Namespaced';
  readonly singularResource: string;
  readonly verbs: readonly string[];
}

const verbs = ['get', 'list'];
const resources: readonly ApiResource[] = [
  { name: 'nodes', singularName: '', namespaced: false, kind: 'NodeMetrics', verbs },
  { name: 'pods', singularName: '', namespaced: true, kind: 'PodMetrics', verbs },
];
const versions = apiVersions.map((version) => ({ groupVersion: `${apiGroup}/${version}`, version }));
const preferredVersion = { groupVersion: `${apiGroup}/${apiVersions[0]}`, version: apiVersions[0] };

/** `/apis`: alone among the documents it has no `apiVersion`. `serverAddress` is where clients reach this server, `host:port`. */
export function groupList(serverAddress: string): {
  readonly kind: 'APIGroupList';
  readonly groups: readonly ApiGroup[];
} {
  const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress }];
  return { kind: 'APIGroupList', groups: [{ name: apiGroup, versions, preferredVersion, serverAddressByClientCIDRs }] };
}

/** `/apis/metrics.k8s.io`. */
export const group: ApiGroup = { kind: 'APIGroup', apiVersion: 'v1', name: apiGroup, versions, preferredVersion };

/** `/apis/metrics.k8s.io/<version>`. */
export function resourceList(version: ApiVersion): ApiResourceList {
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: `${apiGroup}/${version}`, resources };
}

/** `/apis` for clients that ask for everything at once. */
export const aggregatedDiscovery: ApiGroupDiscoveryList = {
  kind: 'APIGroupDiscoveryList',
  apiVersion: 'apidiscovery.k8s.io/v2',
  metadata: {},
  items: [
    {
      metadata: { name: apiGroup },
      versions: apiVersions.map((version) => ({
        version,
        resources: resources.map(({ name, namespaced, kind }) => ({
          resource: name,
          responseKind: { group: '', version: '', kind },
          scope: namespaced ? 'Namespaced' : 'Cluster',
          singularResource: '',
          verbs,
        })),
        freshness: 'Current',
      })),
    },
  ],
};
