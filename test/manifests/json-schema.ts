/** The part of JSON Schema draft 7 that the chart's schema uses; any other keyword is an error, so that none is silently ignored. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxItems?: number;
}

const keywords = [
  '$schema title description type enum const properties additionalProperties items minimum maximum minLength maxItems',
].flatMap((words) => words.split(' '));

/** What a value breaks of a schema, as `path: problem`; empty when it is valid. */
export function schemaProblems(schema: Schema, value: unknown, path = ''): string[] {
  const unknown = Object.keys(schema).find((keyword) => !keywords.includes(keyword));
  if (unknown !== undefined) throw new Error(`${path}: keyword ${unknown} is not checked here`);
  const problem = (text: string): string[] => [`${path || '.'}: ${text}`];
  const type = typeOf(value);
  const types = schema.type === undefined ? undefined : [schema.type].flat();
  if (types !== undefined && !types.includes(type) && !(type === 'integer' && types.includes('number')))
    return problem(`${type} instead of ${types.join(' or ')}`);
  if (schema.enum !== undefined && !schema.enum.includes(value)) return problem('not one of the words');
  if (schema.const !== undefined && schema.const !== value) return problem('not the constant');
  if (typeof value === 'number' && (value < (schema.minimum ?? value) || value > (schema.maximum ?? value)))
    return problem('out of range');
  if (typeof value === 'string' && value.length < (schema.minLength ?? 0)) return problem('too short');
  if (Array.isArray(value)) {
    if (value.length > (schema.maxItems ?? value.length)) return problem('too long');
    const { items } = schema;
    return items === undefined ? [] : value.flatMap((item, at) => schemaProblems(items, item, `${path}[${at}]`));
  }
  if (type !== 'object') return [];
  return Object.entries(value as Record<string, unknown>).flatMap(([key, inner]) => {
    const inside = schema.properties?.[key] ?? schema.additionalProperties ?? true;
    if (inside === true) return [];
    return inside === false ? problem(`unknown key ${key}`) : schemaProblems(inside, inner, `${path}.${key}`);
  });
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value;
}
