import {
  booleanField as boolean,
  encodeModel,
  entries,
  isReference,
  message,
  repeated,
  stringField as string,
  wrap,
  type FieldType,
} from './gnostic.ts';

// openapi.v3 of google/gnostic-models, as far as our documents use it.

const schema: FieldType = message(
  () => ({
    uniqueItems: [20, boolean],
    required: [23, repeated(string)],
    type: [25, string],
    allOf: [26, repeated(schemaOrReference)],
    oneOf: [27, repeated(schemaOrReference)],
    items: [30, wrap(1, schemaOrReference)],
    properties: [31, wrap(1, entries(schemaOrReference))],
    additionalProperties: [32, wrap(1, schemaOrReference)],
    description: [34, string],
    format: [35, string],
  }),
  36,
);
const reference = message(() => ({ $ref: [1, string] }));
/** `{ 1: schema }` or `{ 2: reference }`. */
const schemaOrReference: FieldType = {
  write(writer, field, value) {
    const type = isReference(value) ? wrap(2, reference) : wrap(1, schema);
    type.write(writer, field, value);
  },
};
const parameter = message(() => ({
  name: [1, string],
  in: [2, string],
  description: [3, string],
  required: [4, boolean],
  schema: [10, schemaOrReference],
}));
const mediaType = message(() => ({ schema: [1, schemaOrReference] }));
const response = message(() => ({ description: [1, string], content: [3, wrap(1, entries(mediaType))] }));
const operation = message(
  () => ({
    tags: [1, repeated(string)],
    description: [3, string],
    operationId: [5, string],
    parameters: [6, repeated(wrap(1, parameter))],
    // Responses { response_or_reference: name and ResponseOrReference { response } }
    responses: [8, wrap(2, entries(wrap(1, response)))],
  }),
  13,
);
const document = message(() => ({
  openapi: [1, string],
  info: [2, message(() => ({ title: [1, string], version: [6, string] }))],
  paths: [4, wrap(1, entries(message(() => ({ get: [4, operation] }))))],
  components: [5, message(() => ({ schemas: [1, wrap(1, entries(schemaOrReference))] }))],
}));

/** An OpenAPI 3.0 document as `openapi.v3.Document`. */
export function encodeOpenApiV3(openApi: object): Buffer {
  return encodeModel(document, openApi);
}
