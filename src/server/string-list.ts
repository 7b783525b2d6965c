/**
 * A JSON array of strings in a string, as the ConfigMap `extension-apiserver-authentication` holds them; absent and empty mean no entries.
 * Throws an error that names `key` when it is anything else.
 */
export function parseStringList(key: string, text: string | undefined): readonly string[] {
  if (text === undefined || text === '') return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(`${key} is not JSON`, { cause });
  }
  if (value === null) return [];
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string' && entry !== '')) {
    throw new Error(`${key} is not a JSON array of non-empty strings`);
  }
  return value as string[];
}
