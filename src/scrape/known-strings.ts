/** Slots; a power of two. Names beyond that many share slots and are made anew now and then, which only costs time. */
const slotCount = 1 << 16;
/** Longer ones are no names: those have 253 characters at most. */
const longestKept = 256;

/**
 * Strings by their bytes. What kubelets name in every answer (pods, namespaces, UIDs, containers) is the same from scrape to scrape: found here it costs no
 * new string, and all holders share one, whose hash is computed already. A table of one slot per hash, so it is bounded and needs no clearing out.
 */
export class KnownStrings {
  readonly #slots = Array.from<string | undefined>({ length: slotCount });

  /**
   * The string that stands in `body` from `start` to `end`, all of them ASCII.
   *
   * @param hash computed from exactly these bytes
   */
  get(body: Buffer, start: number, end: number, hash: number): string {
    const slot = hash & (slotCount - 1);
    const known = this.#slots[slot];
    if (known !== undefined && standsAt(known, body, start, end)) return known;
    const made = body.toString('latin1', start, end);
    if (end - start <= longestKept) this.#slots[slot] = made;
    return made;
  }
}

function standsAt(known: string, body: Buffer, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let at = 0; at < known.length; at++) if (known.charCodeAt(at) !== body[start + at]) return false;
  return true;
}
