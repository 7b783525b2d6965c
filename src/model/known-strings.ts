/** Slots at first, and at most: 128 KB, and 8 MB, beside the strings, for the names and UIDs of half a million pods. Powers of two. */
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

/** Of no bytes. */
export const emptyHash = 0;

/** The hash of a text with another byte behind it. */
export function extendHash(hash: number, byte: number): number {
  return (Math.imul(hash, 31) + byte) | 0;
}

/**
 * One string for each distinct name or UID, whether the API server told it or a kubelet. What kubelets name in every answer (pods, namespaces, UIDs, containers) is the same
 * from scrape to scrape: found here by its bytes it costs no new string, and all holders share one, whose hash is computed already. Each string has a few slots that it may
 * stand in, and what comes displaces what came first of these, so the table is bounded and needs no clearing out. Displaced strings are garbage that has grown old, the costly
 * kind, so the table grows with the cluster.
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
   * @param hash of exactly these bytes, by `extendHash`
   */
  get(body: Buffer, start: number, end: number, hash: number): string {
    this.#countAsked();
    const slots = this.#slots;
    const first = firstSlot(hash, slots);
    for (let slot = first; slot < first + slotsTogether; slot++) {
      const known = slots[slot];
      if (known === undefined) break;
      if (standsAt(known, body, start, end)) return known;
    }
    const made = body.toString('latin1', start, end);
    if (made.length <= longestKept) this.#keep(made, first);
    return made;
  }

  /** The string known by the same text. It holds no more than its own characters, whatever `text` is a part of. */
  share(text: string): string {
    const bytes = Buffer.from(text);
    if (bytes.length === text.length) return this.get(bytes, 0, bytes.length, hashOf(text));
    // No name, since those are ASCII. Half of a surrogate pair has no UTF-8.
    const own = bytes.toString();
    return own === text ? own : text;
  }

  #keep(text: string, first: number): void {
    const slots = this.#slots;
    const last = first + slotsTogether - 1;
    if (slots[last] !== undefined) this.#displaced++;
    for (let slot = last; slot > first; slot--) slots[slot] = slots[slot - 1];
    slots[first] = text;
  }

  #countAsked(): void {
    if (++this.#asked >= this.#slots.length) this.#growIfTooSmall();
  }

  #growIfTooSmall(): void {
    const { length } = this.#slots;
    if (length < mostSlots && this.#displaced > this.#asked * mostDisplaced) {
      const before = this.#slots;
      this.#slots = emptySlots(length * 2);
      // What came first stands last, and is to be the first displaced again.
      for (const text of before.reverse())
        if (text !== undefined) this.#keep(text, firstSlot(hashOf(text), this.#slots));
    }
    this.#asked = this.#displaced = 0;
  }
}

function emptySlots(count: number): (string | undefined)[] {
  // With a million slots `Array.from` takes a tenth of a second.
  const slots: (string | undefined)[] = [];
  slots.length = count;
  return slots.fill(undefined);
}

function firstSlot(hash: number, { length }: readonly unknown[]): number {
  return (Math.imul(hash, goldenRatio) >>> 8) & (length - slotsTogether);
}

function hashOf(text: string): number {
  let hash = emptyHash;
  for (let at = 0; at < text.length; at++) hash = extendHash(hash, text.charCodeAt(at));
  return hash;
}

/** From the end: names of pods differ there. */
function standsAt(known: string, body: Buffer, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let at = known.length - 1; at >= 0; at--) if (known.charCodeAt(at) !== body[start + at]) return false;
  return true;
}
