import type { EpochMs } from '../../model/units.ts';
import { formatTime } from '../../wire/time.ts';
import type { Availability } from './aggregator.ts';
import { ObjectStore, type KubeObject, type Revisions } from './object-store.ts';
import { age, describeResource, type ResourceDescription, type ResourceType } from './resource-type.ts';
import { randomUid, seededRandom, textSeed } from '../seeded-random.ts';

/** Everything the simulated API server keeps. */
export interface ClusterResources {
  readonly nodes: ResourceType;
  readonly pods: ResourceType;
  readonly namespaces: ResourceType;
  readonly configMaps: ResourceType;
  readonly apiServices: ResourceType;
}

/** Empty stores that share one revision count. */
export function clusterResources(): ClusterResources {
  // Real clusters are never at revision 0, which has a meaning of its own in lists and watches.
  const revisions: Revisions = { current: 1000 };
  const type = (
    kind: string,
    given: Partial<ResourceDescription>,
    always: readonly string[],
    wide: readonly string[] = [],
  ): ResourceType => ({
    ...describeResource(kind, given),
    columns: [
      ...always.map((name) => ({ name, priority: 0 as const })),
      ...wide.map((name) => ({ name, priority: 1 as const })),
    ],
    store: new ObjectStore(revisions),
  });
  const livePods = { verbs: ['create', 'delete', 'get', 'list', 'watch'], categories: ['all'] };
  return {
    nodes: type(
      'Node',
      { shortNames: ['no'] },
      ['Status', 'Roles', 'Age', 'Version'],
      ['Internal-IP', 'External-IP', 'OS-Image', 'Kernel-Version', 'Container-Runtime'],
    ),
    pods: type(
      'Pod',
      { ...livePods, namespaced: true, shortNames: ['po'] },
      ['Ready', 'Status', 'Restarts', 'Age'],
      ['IP', 'Node', 'Nominated Node', 'Readiness Gates'],
    ),
    namespaces: type('Namespace', { shortNames: ['ns'] }, ['Status', 'Age']),
    configMaps: type('ConfigMap', { namespaced: true, shortNames: ['cm'] }, ['Data', 'Age']),
    apiServices: type('APIService', { group: 'apiregistration.k8s.io' }, ['Service', 'Available', 'Age']),
  };
}

/** A UID that stays the same for the same kind and name. */
function steadyUid(kind: string, name: string): string {
  return randomUid(seededRandom(textSeed(`${kind}/${name}`)));
}

export function namespaceObject(name: string, createdAt: EpochMs): KubeObject {
  return {
    meta: { name, uid: steadyUid('Namespace', name), labels: { 'kubernetes.io/metadata.name': name }, createdAt },
    fields: { 'status.phase': 'Active' },
    content: () => ({ spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } }),
    cells: (now) => ['Active', age(createdAt, now)],
  };
}

export function configMapObject(
  namespace: string,
  name: string,
  data: Readonly<Record<string, string>>,
  createdAt: EpochMs,
): KubeObject {
  return {
    meta: { name, namespace, uid: steadyUid('ConfigMap', name), createdAt },
    fields: {},
    content: () => ({ data }),
    cells: (now) => [Object.keys(data).length, age(createdAt, now)],
  };
}

/** What the API server publishes about how it authenticates, for aggregated servers to do likewise. */
export function authenticationConfig(
  clientAuthority: string,
  frontProxyAuthority: string,
): Readonly<Record<string, string>> {
  return {
    'client-ca-file': clientAuthority,
    'requestheader-allowed-names': '["front-proxy-client"]',
    'requestheader-client-ca-file': frontProxyAuthority,
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-uid-headers': '["X-Remote-Uid"]',
    'requestheader-username-headers': '["X-Remote-User"]',
  };
}

export function apiServiceObject(
  group: string,
  version: string,
  availability: Availability,
  createdAt: EpochMs,
  now: EpochMs,
): KubeObject {
  const { available, reason, message } = availability;
  const status = available ? 'True' : 'False';
  const name = `${version}.${group}`;
  const service = { namespace: 'kube-system', name: 'kubetally', port: 443 };
  const condition = { type: 'Available', status, lastTransitionTime: formatTime(now), reason, message };
  return {
    meta: { name, uid: steadyUid('APIService', name), createdAt },
    fields: {},
    content: () => ({
      spec: { service, group, version, groupPriorityMinimum: 100, versionPriority: 100 },
      status: { conditions: [condition] },
    }),
    cells: (at) => ['kube-system/kubetally', available ? 'True' : `False (${reason})`, age(createdAt, at)],
  };
}
