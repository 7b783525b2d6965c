/** Slots at first, and at most: 128 KB, and 8 MB for the names and UIDs of half a million pods. Powers of two. */
const fewestSlots = 1 << 14;
const mostSlots = 1 << 20;
/** Of all strings asked for, so many must have displaced another for the table to grow: one in sixteen. */
const mostDisplaced = 1 / 16;
/** 2^32 divided by it: spreads the hashes of names that differ in a digit. */
const goldenRatio = 0x9e3779b1;
/** Longer ones are no names: those have 253 characters at most. */
const longestKept = 256;
/** So many slots lie together, and a string may stand in any of them. With two, one in nine strings displaced another in a table a third full; with eight, one in 350. */
const slotsTogether = 8;

/**
 * Strings by their bytes. What kubelets name in every answer (pods, namespaces, UIDs, containers) is the same from scrape to scrape: found here it costs no
 * new string, and all holders share one, whose hash is computed already. Each string has a few slots that it may stand in, and what comes displaces what came first
 * of these, so the table is bounded and needs no clearing out. Displaced strings are garbage that has grown old, the costly kind, so the table grows with the cluster.
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
    const first = (Math.imul(hash, goldenRatio) >>> 8) & (slots.length - slotsTogether);
    const last = first + slotsTogether - 1;
    for (let slot = first; slot <= last; slot++) {
      const known = slots[slot];
      if (known === undefined) break;
      if (standsAt(known, body, start, end)) return known;
    }
    const made = body.toString('latin1', start, end);
    if (end - start > longestKept) return made;
    if (slots[last] !== undefined) this.#displaced++;
    for (let slot = last; slot > first; slot--) slots[slot] = slots[slot - 1];
    slots[first] = made;
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

/** From the end: names of pods differ there. */
function standsAt(known: string, body: Buffer, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let at = known.length - 1; at >= 0; at--) if (known.charCodeAt(at) !== body[start + at]) return false;
  return true;
}
