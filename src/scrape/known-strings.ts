/** Slots at first, and at most: 128 KB, and 8 MB for the names and UIDs of half a million pods. Powers of two. */
const fewestSlots = 1 << 14;
const mostSlots = 1 << 20;
/** Of all strings asked for, so many must have displaced another for the table to grow: one in sixteen. */
const mostDisplaced = 1 / 16;
/** 2^32 divided by it: spreads the hashes of names that differ in a digit. */
const goldenRatio = 0x9e3779b1;
/** Longer ones are no names: those have 253 characters at most. */
const longestKept = 256;

/**
 * Strings by their bytes. What kubelets name in every answer (pods, namespaces, UIDs, containers) is the same from scrape to scrape: found here it costs no
 * new string, and all holders share one, whose hash is computed already. Each string has two slots that it may stand in, and what comes displaces what came before
 * the last, so the table is bounded and needs no clearing out. Displaced strings are garbage that has grown old, the costly kind, so the table grows with the cluster.
 */
export class KnownStrings {
  #slots = emptySlots(fewestSlots);
  #asked = 0;
  #displaced = 0;

  /** How many strings it has room for. */
  get capacity(): number {
    return this.#slots.length;
  }

  /**
   * The string that stands in `body` from `start` to `end`, all of them ASCII.
   *
   * @param hash computed from exactly these bytes
   */
  get(body: Buffer, start: number, end: number, hash: number): string {
    if (++this.#asked >= this.#slots.length) this.#growIfTooSmall();
    const slots = this.#slots;
    const slot = (Math.imul(hash, goldenRatio) >>> 8) & (slots.length - 1);
    const first = slots[slot];
    if (first !== undefined && standsAt(first, body, start, end)) return first;
    const second = slots[slot ^ 1];
    if (second !== undefined && standsAt(second, body, start, end)) return second;
    const made = body.toString('latin1', start, end);
    if (end - start > longestKept) return made;
    if (first !== undefined) slots[slot ^ 1] = first;
    slots[slot] = made;
    if (second !== undefined) this.#displaced++;
    return made;
  }

  #growIfTooSmall(): void {
    const { length } = this.#slots;
    if (length < mostSlots && this.#displaced > this.#asked * mostDisplaced) this.#slots = emptySlots(length * 2);
    this.#asked = this.#displaced = 0;
  }
}

function emptySlots(count: number): (string | undefined)[] {
  return Array.from<string | undefined>({ length: count });
}

function standsAt(known: string, body: Buffer, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let at = 0; at < known.length; at++) if (known.charCodeAt(at) !== body[start + at]) return false;
  return true;
}
