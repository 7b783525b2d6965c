import {
  booleanField as boolean,
  either,
  encodeModel,
  entries,
  message,
  repeated,
  stringField as string,
  wrap,
  type FieldType,
} from './gnostic.ts';

// openapi.v2 of google/gnostic-models, as far as our documents use it.

const schema: FieldType = message(
  () => ({
    $ref: [1, string],
    format: [2, string],
    description: [4, string],
    required: [19, repeated(string)],
    additionalProperties: [21, wrap(1, schema)],
    type: [22, wrap(1, string)],
    items: [23, wrap(1, schema)],
    properties: [25, wrap(1, entries(schema))],
  }),
  31,
);
const queryParameter = message(() => ({
  required: [1, boolean],
  in: [2, string],
  description: [3, string],
  name: [4, string],
  type: [6, string],
  uniqueItems: [20, boolean],
}));
const pathParameter = message(() => ({
  required: [1, boolean],
  in: [2, string],
  description: [3, string],
  name: [4, string],
  type: [5, string],
  uniqueItems: [19, boolean],
}));
const isQuery = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'in' in value && value.in === 'query';
// ParametersItem { parameter { non_body_parameter { query or path } } }
const parameter = wrap(1, wrap(2, either(isQuery, wrapField(3, queryParameter), wrapField(4, pathParameter))));
const response = message(() => ({ description: [1, string], schema: [2, wrap(1, schema)] }));
const operation = message(
  () => ({
    tags: [1, repeated(string)],
    description: [3, string],
    operationId: [5, string],
    produces: [6, repeated(string)],
    consumes: [7, repeated(string)],
    parameters: [8, repeated(parameter)],
    // Responses { response_code: name and ResponseValue { response } }
    responses: [9, wrap(1, entries(wrap(1, response)))],
    schemes: [10, repeated(string)],
  }),
  13,
);
const document = message(() => ({
  swagger: [1, string],
  info: [2, message(() => ({ title: [1, string], version: [2, string] }))],
  paths: [8, wrap(2, entries(message(() => ({ get: [2, operation] }))))],
  definitions: [9, wrap(1, entries(schema))],
}));

/** A Swagger 2.0 document as `openapi.v2.Document`. */
export function encodeOpenApiV2(swagger: object): Buffer {
  return encodeModel(document, swagger);
}

/** A member of a oneof: written under its own number, whatever the field around it is called. */
function wrapField(number: number, type: FieldType): FieldType {
  return {
    write(writer, _field, value) {
      type.write(writer, number, value);
    },
  };
}
