import { listOf, mapOf, meta, quantity, reference, text, type Definitions, type Schema } from './schema.ts';

const typeMeta: Readonly<Record<string, Schema>> = {
  apiVersion: text('Group and version of the schema of this object, such as `metrics.k8s.io/v1`.'),
  kind: text('Name of the schema of this object.'),
};

export { typeMeta };

const aboutQuantity =
  'A number with a suffix. CPU is counted in cores with decimal suffixes (`250m` is a quarter of a core, `n` is a billionth), memory in bytes with binary suffixes (`64Mi`).';

/** In v3 as `resource.Quantity` of apimachinery has it (`OpenAPIV3OneOfTypes`): `kubectl explain` names it then, where it would call the other one a string. */
export const quantityV3: Schema = { description: aboutQuantity, oneOf: [{ type: 'string' }, { type: 'number' }] };

/** What the metrics types are made of. */
export const metaDefinitions: Definitions = {
  [quantity]: { description: aboutQuantity, type: 'string' },
  [`${meta}Time`]: {
    description: 'A moment in RFC 3339 form, in UTC and whole seconds.',
    type: 'string',
    format: 'date-time',
  },
  [`${meta}Duration`]: {
    description: 'A length of time in the form of Go, such as `15.012s` or `1m30s`.',
    type: 'string',
  },
  [`${meta}ObjectMeta`]: {
    description: 'What the object is called. It is copied from the Node or Pod that the metrics are of.',
    type: 'object',
    properties: {
      annotations: mapOf({ type: 'string' }, 'Not filled in for metrics.'),
      creationTimestamp: reference(`${meta}Time`, 'When this answer was made; it is not the age of the Node or Pod.'),
      labels: mapOf({ type: 'string' }, 'Labels of the Node or Pod; label selectors are matched against them.'),
      name: text('Name of the Node or Pod.'),
      namespace: text('Namespace of the Pod; empty for Nodes.'),
      resourceVersion: text('Not filled in for metrics, which are not stored.'),
      uid: text('Not filled in for metrics.'),
    },
  },
  [`${meta}ListMeta`]: {
    description: 'Tells whether a list is complete.',
    type: 'object',
    properties: {
      continue: text(
        'Set when a limit cut the list: the value of the `continue` parameter that brings the next items.',
      ),
      remainingItemCount: {
        description: 'How many objects follow the ones in this list; left out when a selector makes that unknown.',
        type: 'integer',
        format: 'int64',
      },
      resourceVersion: text('Not filled in for metrics, which are not stored.'),
    },
  },
};

const groupVersion: Schema = {
  description: 'A version of an API group.',
  type: 'object',
  required: ['groupVersion', 'version'],
  properties: { groupVersion: text('Group and version, `group/version`.'), version: text('The version alone.') },
};

/** What discovery answers with. */
export const discoveryDefinitions: Definitions = {
  [`${meta}GroupVersionForDiscovery`]: groupVersion,
  [`${meta}ServerAddressByClientCIDR`]: {
    description: 'An address of the server for clients of a network.',
    type: 'object',
    required: ['clientCIDR', 'serverAddress'],
    properties: {
      clientCIDR: text('The network of the clients.'),
      serverAddress: text('Host and port under which those clients reach the server.'),
    },
  },
  [`${meta}APIGroup`]: {
    description: 'An API group with its versions.',
    type: 'object',
    required: ['name', 'versions'],
    properties: {
      ...typeMeta,
      name: text('Name of the group.'),
      preferredVersion: reference(`${meta}GroupVersionForDiscovery`, 'The version that the server would choose.'),
      serverAddressByClientCIDRs: listOf({ $ref: `${meta}ServerAddressByClientCIDR` }, 'Addresses of the server.'),
      versions: listOf({ $ref: `${meta}GroupVersionForDiscovery` }, 'The versions that are served.'),
    },
  },
  [`${meta}APIGroupList`]: {
    description: 'All API groups of the server.',
    type: 'object',
    required: ['groups'],
    properties: { ...typeMeta, groups: listOf({ $ref: `${meta}APIGroup` }, 'The groups.') },
  },
  [`${meta}APIResource`]: {
    description: 'A resource of an API group and version.',
    type: 'object',
    required: ['name', 'singularName', 'namespaced', 'kind', 'verbs'],
    properties: {
      kind: text('Kind of the objects of the resource.'),
      name: text('Name of the resource in paths.'),
      namespaced: { description: 'Whether its objects belong to namespaces.', type: 'boolean' },
      singularName: text('Name of one object of the resource; empty when it is the kind in lower case.'),
      verbs: listOf({ type: 'string' }, 'What can be done with the resource.'),
    },
  },
  [`${meta}APIResourceList`]: {
    description: 'The resources of an API group and version.',
    type: 'object',
    required: ['groupVersion', 'resources'],
    properties: {
      ...typeMeta,
      groupVersion: text('Group and version of the resources.'),
      resources: listOf({ $ref: `${meta}APIResource` }, 'The resources.'),
    },
  },
};

const versionKeys = [
  'major',
  'minor',
  'gitVersion',
  'gitCommit',
  'gitTreeState',
  'buildDate',
  'goVersion',
  'compiler',
  'platform',
];

/** What `/version` answers with. */
export const versionDefinitions: Definitions = {
  'io.k8s.apimachinery.pkg.version.Info': {
    description: 'Which build of the server answers.',
    type: 'object',
    required: versionKeys,
    properties: Object.fromEntries(versionKeys.map((key) => [key, { type: 'string' as const }])),
  },
};
