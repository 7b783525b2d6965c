import { apiGroup, apiVersions } from '../objects.ts';
import { discoveryDefinitions, metaDefinitions, quantityV3, versionDefinitions } from './meta-definitions.ts';
import { metricsDefinitions } from './metrics-definitions.ts';
import { groupOperation, rootOperation, versionOperation, versionOperations, type Operation } from './operations.ts';
import { quantity, type Definitions, type Schema } from './schema.ts';

const title = 'Kubernetes metrics-server';

/** The Swagger 2.0 document of everything (`/openapi/v2`). `version` is this server's, up to the first `-`. */
export function openApiV2(version: string): object {
  const operations = [rootOperation, groupOperation, ...apiVersions.flatMap(versionOperations), versionOperation];
  const definitions = {
    ...metaDefinitions,
    ...discoveryDefinitions,
    ...versionDefinitions,
    ...Object.assign({}, ...apiVersions.map(metricsDefinitions)),
  };
  return {
    swagger: '2.0',
    info: { title, version },
    paths: Object.fromEntries(operations.map((operation) => [operation.path, { get: operationV2(operation) }])),
    definitions: resolveAll(definitions, (name) => `#/definitions/${name}`, false),
  };
}

/** The OpenAPI 3.0 documents by their key below `/openapi/v3/`. */
export function openApiV3(version: string): ReadonlyMap<string, object> {
  const types = { ...metaDefinitions, [quantity]: quantityV3, ...discoveryDefinitions };
  const documents = new Map<string, object>();
  documents.set('apis', documentV3(version, [rootOperation], types));
  documents.set(`apis/${apiGroup}`, documentV3(version, [groupOperation], types));
  for (const apiVersion of apiVersions) {
    const definitions = { ...types, ...metricsDefinitions(apiVersion) };
    documents.set(`apis/${apiGroup}/${apiVersion}`, documentV3(version, versionOperations(apiVersion), definitions));
  }
  documents.set('version', documentV3(version, [versionOperation], versionDefinitions));
  return documents;
}

function operationV2(operation: Operation): object {
  return {
    description: operation.description,
    consumes: operation.produces,
    produces: operation.produces,
    schemes: ['https'],
    tags: [operation.tag],
    operationId: operation.operationId,
    parameters: operation.parameters.map((parameter) => ({
      ...(parameter.in === 'path' ? { required: true } : {}),
      uniqueItems: true,
      type: parameter.type,
      description: parameter.description,
      name: parameter.name,
      in: parameter.in,
    })),
    responses: { '200': { description: 'OK', schema: { $ref: `#/definitions/${operation.answer}` } } },
    ...extensions(operation),
  };
}

function documentV3(version: string, operations: readonly Operation[], definitions: Definitions): object {
  const used = reachable(
    definitions,
    operations.map(({ answer }) => answer),
  );
  return {
    openapi: '3.0.0',
    info: { title, version },
    paths: Object.fromEntries(operations.map((operation) => [operation.path, { get: operationV3(operation) }])),
    components: { schemas: resolveAll(used, (name) => `#/components/schemas/${name}`, true) },
  };
}

function operationV3(operation: Operation): object {
  const schema = { $ref: `#/components/schemas/${operation.answer}` };
  return {
    tags: [operation.tag],
    description: operation.description,
    operationId: operation.operationId,
    parameters: operation.parameters.map(({ name, in: place, description, type }) => ({
      name,
      in: place,
      description,
      ...(place === 'path' ? { required: true } : {}),
      schema: { type, uniqueItems: true },
    })),
    responses: {
      '200': { description: 'OK', content: Object.fromEntries(operation.produces.map((type) => [type, { schema }])) },
    },
    ...extensions(operation),
  };
}

function extensions({ action }: Operation): object {
  if (action === undefined) return {};
  return { 'x-kubernetes-action': action.verb, 'x-kubernetes-group-version-kind': action.kind };
}

/** The definitions that `names` need, those included, in order of name. */
function reachable(definitions: Definitions, names: readonly string[]): Definitions {
  const found = new Set<string>();
  const visit = (schema: Schema | undefined): void => {
    if (schema === undefined) return;
    if (schema.$ref !== undefined) add(schema.$ref);
    visit(schema.items);
    visit(schema.additionalProperties);
    for (const property of Object.values(schema.properties ?? {})) visit(property);
  };
  const add = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    visit(definitions[name]);
  };
  names.forEach(add);
  return Object.fromEntries([...found].sort().map((name) => [name, definitions[name] ?? {}]));
}

function resolveAll(definitions: Definitions, locate: (name: string) => string, wrapReferences: boolean): Definitions {
  const resolve = (schema: Schema): Schema => {
    const { $ref, items, additionalProperties, properties, ...rest } = schema;
    if ($ref !== undefined) {
      const located = { $ref: locate($ref) };
      // OpenAPI 3.0 ignores what stands beside a reference.
      return wrapReferences && rest.description !== undefined ? { ...rest, allOf: [located] } : { ...rest, ...located };
    }
    return {
      ...rest,
      ...(items === undefined ? {} : { items: resolve(items) }),
      ...(additionalProperties === undefined ? {} : { additionalProperties: resolve(additionalProperties) }),
      ...(properties === undefined ? {} : { properties: mapValues(properties, resolve) }),
    };
  };
  return mapValues(definitions, resolve);
}

function mapValues(schemas: Definitions, change: (schema: Schema) => Schema): Definitions {
  return Object.fromEntries(
    Object.keys(schemas)
      .sort()
      .map((name) => [name, change(schemas[name] ?? {})]),
  );
}
