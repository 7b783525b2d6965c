/**
 * The keys a reader knows, in the order in which they usually come: the next one is tried first. An unknown key costs no string.
 * Known keys must differ in (length, first byte, last byte).
 */
export class KnownKeys<Key extends string> {
  readonly #keys: readonly { readonly key: Key; readonly quoted: Buffer }[];
  readonly #slots: (number | undefined)[] = [];
  /** The key expected next. */
  #next = 0;

  constructor(keys: readonly Key[]) {
    this.#keys = keys.map((key) => ({ key, quoted: Buffer.from(`"${key}"`) }));
    for (const [index, key] of keys.entries()) {
      const slot = slotOf(key.length, key.charCodeAt(0), key.charCodeAt(key.length - 1));
      const other = this.#slots[slot];
      if (other !== undefined) throw new Error(`keys ${key} and ${keys[other]} cannot be told apart`);
      this.#slots[slot] = index;
    }
  }

  /** The key expected next, if that stands in `body` at `quoteAt`. */
  expected(body: Buffer, quoteAt: number): Key | undefined {
    return this.#at(this.#next, body, quoteAt);
  }

  /** The known key whose quotes stand in `body` at `quoteAt` and `closeAt`, or undefined. */
  find(body: Buffer, quoteAt: number, closeAt: number): Key | undefined {
    const index = this.#slots[slotOf(closeAt - quoteAt - 1, body[quoteAt + 1] ?? 0, body[closeAt - 1] ?? 0)];
    return index === undefined ? undefined : this.#at(index, body, quoteAt);
  }

  #at(index: number, body: Buffer, quoteAt: number): Key | undefined {
    const entry = this.#keys[index];
    if (entry === undefined) return undefined;
    const { key, quoted } = entry;
    for (let at = 1; at < quoted.length; at++) if (body[quoteAt + at] !== quoted[at]) return undefined;
    this.#next = index + 1 < this.#keys.length ? index + 1 : 0;
    return key;
  }
}

function slotOf(length: number, first: number, last: number): number {
  return length < 32 ? (length << 10) | ((first & 31) << 5) | (last & 31) : 0;
}
