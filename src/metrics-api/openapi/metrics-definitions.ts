import { apiGroup, type ApiVersion } from '../objects.ts';
import { typeMeta } from './meta-definitions.ts';
import {
  listOf,
  mapOf,
  meta,
  quantity,
  reference,
  text,
  type Definitions,
  type GroupVersionKind,
  type Schema,
} from './schema.ts';

/** The prefix of a version's definition names. */
export const metricsPrefix = (version: ApiVersion): string => `io.k8s.metrics.pkg.apis.metrics.${version}.`;

export function groupVersionKind(version: ApiVersion, kind: string): GroupVersionKind {
  return { group: apiGroup, kind, version };
}

const usage = (of: string): Schema =>
  mapOf(
    { $ref: quantity },
    `What ${of} used, by resource: \`cpu\` is the average over the window, \`memory\` the working set at its end.`,
  );

const times: Readonly<Record<string, Schema>> = {
  timestamp: reference(`${meta}Time`, 'The end of the window that the usage was measured over.'),
  window: reference(`${meta}Duration`, 'The length of that window; it began this long before `timestamp`.'),
};

/** The types of one version of the group. They are the same in all. */
export function metricsDefinitions(version: ApiVersion): Definitions {
  const prefix = metricsPrefix(version);
  const kinds = (kind: string): Schema => ({ 'x-kubernetes-group-version-kind': [groupVersionKind(version, kind)] });
  const list = (kind: string, of: string): Schema => ({
    description: `A list of ${of}.`,
    type: 'object',
    required: ['items'],
    properties: {
      ...typeMeta,
      items: listOf({ $ref: prefix + kind }, `The ${of}, in order of name.`),
      metadata: reference(`${meta}ListMeta`, 'Tells whether the list is complete.'),
    },
    ...kinds(`${kind}List`),
  });
  return {
    [`${prefix}ContainerMetrics`]: {
      description: 'What one container used.',
      type: 'object',
      required: ['name', 'usage'],
      properties: { name: text('Name of the container in the Pod.'), usage: usage('the container') },
    },
    [`${prefix}NodeMetrics`]: {
      description: 'What a Node used over a short while.',
      type: 'object',
      required: ['timestamp', 'window', 'usage'],
      properties: {
        ...typeMeta,
        metadata: reference(`${meta}ObjectMeta`, 'Name and labels of the Node.'),
        ...times,
        usage: usage('the whole Node, system daemons included,'),
      },
      ...kinds('NodeMetrics'),
    },
    [`${prefix}NodeMetricsList`]: list('NodeMetrics', 'metrics of Nodes'),
    [`${prefix}PodMetrics`]: {
      description: 'What the containers of a running Pod used over a short while.',
      type: 'object',
      required: ['timestamp', 'window', 'containers'],
      properties: {
        ...typeMeta,
        containers: listOf(
          { $ref: `${prefix}ContainerMetrics` },
          'Every running container; a Pod with one unknown is not served.',
        ),
        metadata: reference(`${meta}ObjectMeta`, 'Namespace, name and labels of the Pod.'),
        ...times,
      },
      ...kinds('PodMetrics'),
    },
    [`${prefix}PodMetricsList`]: list('PodMetrics', 'metrics of Pods'),
  };
}
