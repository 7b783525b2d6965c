/** The part of JSON Schema that OpenAPI v2 and v3 share and our documents use. */
export interface Schema {
  readonly $ref?: string;
  readonly description?: string;
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly format?: 'int64' | 'date-time';
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly items?: Schema;
  /** v3 only. */
  readonly oneOf?: readonly Schema[];
  /** v3 only: a reference with a description of its own. */
  readonly allOf?: readonly Schema[];
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'map' | 'set';
  readonly 'x-kubernetes-group-version-kind'?: readonly GroupVersionKind[];
}

export interface GroupVersionKind {
  readonly group: string;
  readonly kind: string;
  readonly version: string;
}

/** Named schemas; a reference is the name of another. */
export type Definitions = Readonly<Record<string, Schema>>;

export const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.';
export const quantity = 'io.k8s.apimachinery.pkg.api.resource.Quantity';

export const text = (description: string): Schema => ({ description, type: 'string' });
/** A reference to a definition by its name, described in its place. */
export const reference = (name: string, description: string): Schema => ({ description, $ref: name });
export const listOf = (items: Schema, description: string): Schema => ({
  description,
  type: 'array',
  items,
  'x-kubernetes-list-type': 'atomic',
});
export const mapOf = (additionalProperties: Schema, description: string): Schema => ({
  description,
  type: 'object',
  additionalProperties,
});
