export type Labels = Readonly<Record<string, string>>;

const none: Labels = Object.freeze(Object.create(null) as Record<string, string>);

/**
 * One object for each distinct set of labels: the pods of a ReplicaSet share theirs, which also makes "unchanged" a comparison of
 * references. Sets that nobody uses any more are collected.
 */
export class LabelSets {
  readonly #sets = new Map<string, WeakRef<Labels>>();
  readonly #collected = new FinalizationRegistry<string>((key) => {
    // The key may have come back with a new set meanwhile.
    if (this.#sets.get(key)?.deref() === undefined) this.#sets.delete(key);
  });

  /**
   * `metadata.labels` as a shared, frozen, null-prototype object (`__proto__` may be a key), keys in byte order.
   * What is no object counts as no labels, and values that are no strings are left out.
   */
  intern(raw: unknown): Labels {
    if (typeof raw !== 'object' || raw === null) return none;
    const entries = Object.entries(raw)
      .filter((entry): entry is [string, string] => typeof entry[1] === 'string')
      .sort(([a], [b]) => (a < b ? -1 : 1));
    if (entries.length === 0) return none;
    const key = JSON.stringify(entries);
    const known = this.#sets.get(key)?.deref();
    if (known !== undefined) return known;
    const labels = Object.create(null) as Record<string, string>;
    for (const [name, value] of entries) labels[name] = value;
    Object.freeze(labels);
    this.#sets.set(key, new WeakRef(labels));
    this.#collected.register(labels, key);
    return labels;
  }
}
