/** A JSON object of an answer; undefined when the value is anything else. */
export function objectAt(value: unknown, key: string): Readonly<Record<string, unknown>> | undefined {
  const found = field(value, key);
  return typeof found === 'object' && found !== null && !Array.isArray(found)
    ? (found as Readonly<Record<string, unknown>>)
    : undefined;
}

/** A text of an answer; empty when absent or anything else. */
export function textAt(value: unknown, key: string): string {
  const found = field(value, key);
  return typeof found === 'string' ? found : '';
}

/** A list of texts of an answer; entries that are none are left out. */
export function textsAt(value: unknown, key: string): readonly string[] {
  const found = field(value, key);
  return Array.isArray(found) ? found.filter((entry) => typeof entry === 'string') : [];
}

export function isTrueAt(value: unknown, key: string): boolean {
  return field(value, key) === true;
}

function field(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}
