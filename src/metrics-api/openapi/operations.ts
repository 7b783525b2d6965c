import { apiGroup, type ApiVersion } from '../objects.ts';
import { groupVersionKind, metricsPrefix } from './metrics-definitions.ts';
import { meta, type GroupVersionKind } from './schema.ts';

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly description: string;
  readonly type: 'string' | 'integer' | 'boolean';
}

/** A GET operation; everything served is one. */
export interface Operation {
  readonly path: string;
  readonly operationId: string;
  readonly description: string;
  readonly tag: string;
  /** Name of the definition that the answer has. */
  readonly answer: string;
  readonly produces: readonly string[];
  readonly parameters: readonly Parameter[];
  readonly action?: { readonly verb: 'get' | 'list'; readonly kind: GroupVersionKind };
}

const objectTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
const pretty: Parameter = { name: 'pretty', in: 'query', type: 'string', description: 'Indents the answer when true.' };
const listParameters: readonly Parameter[] = [
  { name: 'continue', in: 'query', type: 'string', description: 'Where to go on: the token of an earlier list.' },
  {
    name: 'fieldSelector',
    in: 'query',
    type: 'string',
    description: 'Restricts the list by metadata.name and metadata.namespace, for Pods also by spec.nodeName.',
  },
  { name: 'labelSelector', in: 'query', type: 'string', description: 'Restricts the list by labels.' },
  { name: 'limit', in: 'query', type: 'integer', description: 'The largest number of items in one answer.' },
  pretty,
];
const nameOf = (what: string): Parameter => ({
  name: 'name',
  in: 'path',
  type: 'string',
  description: `Name of the ${what}.`,
});
const namespace: Parameter = { name: 'namespace', in: 'path', type: 'string', description: 'Namespace of the Pods.' };

/** The operations of one version of the group. */
export function versionOperations(version: ApiVersion): readonly Operation[] {
  const root = `/apis/${apiGroup}/${version}`;
  const id = version === 'v1' ? 'V1' : 'V1beta1';
  const tag = `metrics_${version}`;
  const list = (
    path: string,
    operationId: string,
    kind: 'NodeMetrics' | 'PodMetrics',
    extra: Parameter[],
  ): Operation => ({
    path: root + path,
    operationId: `listMetrics${id}${operationId}`,
    description: `Lists ${kind} objects.`,
    tag,
    answer: `${metricsPrefix(version)}${kind}List`,
    produces: objectTypes,
    parameters: [...extra, ...listParameters],
    action: { verb: 'list', kind: groupVersionKind(version, kind) },
  });
  const read = (
    path: string,
    operationId: string,
    kind: 'NodeMetrics' | 'PodMetrics',
    parameters: Parameter[],
  ): Operation => ({
    path: root + path,
    operationId: `readMetrics${id}${operationId}`,
    description: `Reads one ${kind} object.`,
    tag,
    answer: metricsPrefix(version) + kind,
    produces: objectTypes,
    parameters: [...parameters, pretty],
    action: { verb: 'get', kind: groupVersionKind(version, kind) },
  });
  return [
    discovery(`${root}/`, `getMetrics${id}APIResources`, 'Lists the resources of the version.', tag, 'APIResourceList'),
    list('/namespaces/{namespace}/pods', 'NamespacedPodMetrics', 'PodMetrics', [namespace]),
    read('/namespaces/{namespace}/pods/{name}', 'NamespacedPodMetrics', 'PodMetrics', [nameOf('Pod'), namespace]),
    list('/nodes', 'NodeMetrics', 'NodeMetrics', []),
    read('/nodes/{name}', 'NodeMetrics', 'NodeMetrics', [nameOf('Node')]),
    list('/pods', 'PodMetricsForAllNamespaces', 'PodMetrics', []),
  ];
}

export const groupOperation = discovery(
  `/apis/${apiGroup}/`,
  'getMetricsAPIGroup',
  'Describes the group.',
  'metrics',
  'APIGroup',
);
export const rootOperation = discovery('/apis/', 'getAPIVersions', 'Lists the API groups.', 'apis', 'APIGroupList');
export const versionOperation: Operation = {
  path: '/version/',
  operationId: 'getCodeVersion',
  description: 'Tells which build of the server answers.',
  tag: 'version',
  answer: 'io.k8s.apimachinery.pkg.version.Info',
  produces: ['application/json'],
  parameters: [],
};

function discovery(path: string, operationId: string, description: string, tag: string, answer: string): Operation {
  return { path, operationId, description, tag, answer: meta + answer, produces: objectTypes, parameters: [] };
}
