/** What a document may hold; absent (undefined) fields are left out. */
export type Json = string | number | bigint | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json | undefined;
}

/**
 * JSON indented by one space per level, as the kubelet writes it, with integers of any size. Keys keep their order.
 * @param margin indentation of the line that the value stands on
 */
export function indentedJson(value: Json, margin = ''): string {
  if (typeof value === 'bigint' || typeof value === 'number') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const inner = `${margin} `;
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    return `[\n${value.map((item: Json) => inner + indentedJson(item, inner)).join(',\n')}\n${margin}]`;
  }
  const fields = fieldsText(value as JsonObject, inner);
  return fields === '' ? '{}' : `{${fields.slice(1)}\n${margin}}`;
}

/** The fields of an object, each on a line of its own after a comma. */
export function fieldsText(object: JsonObject, margin: string): string {
  let fields = '';
  for (const [key, value] of Object.entries(object))
    if (value !== undefined) fields += `,\n${margin}"${key}": ${indentedJson(value, margin)}`;
  return fields;
}
