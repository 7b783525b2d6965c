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
  let fields = '';
  const object = value as JsonObject;
  for (const key in object) {
    const field = object[key];
    if (field !== undefined) fields += `${fields === '' ? '\n' : ',\n'}${inner}"${key}": ${indentedJson(field, inner)}`;
  }
  return fields === '' ? '{}' : `{${fields}\n${margin}}`;
}
