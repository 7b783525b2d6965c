/** The parts of `metav1.ObjectMeta` that we read, as they come: nothing is sure about their types. */
export interface RawMetadata {
  readonly name?: unknown;
  readonly namespace?: unknown;
  readonly uid?: unknown;
  readonly labels?: unknown;
  readonly annotations?: unknown;
}

/** Any value as a record of unknowns; what is no object gives an empty one. */
export function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

export function metadataOf(object: unknown): RawMetadata {
  return asRecord(asRecord(object)['metadata']);
}

/** An annotation's value; undefined when absent, empty or no string. */
export function annotation({ annotations }: RawMetadata, name: string): string | undefined {
  return text(asRecord(annotations)[name]);
}

/** A non-empty string, or undefined. */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
