/** A text of ASCII under construction, in memory that is used again for others. */
export class AsciiPage {
  #bytes = Buffer.allocUnsafeSlow(65_536);
  #length = 0;

  /** Begins anew. */
  clear(): void {
    this.#length = 0;
  }

  /** What was written; valid until the page is cleared. */
  get content(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A piece that stands in many pages, prepared with `Buffer.from`. */
  piece(piece: Uint8Array): void {
    this.#reserve(piece.length);
    this.#bytes.set(piece, this.#length);
    this.#length += piece.length;
  }

  text(text: string): void {
    this.#reserve(text.length);
    const bytes = this.#bytes;
    let end = this.#length;
    // Faster than a native call for the short names that most texts are.
    for (let i = 0; i < text.length; i++) bytes[end++] = text.charCodeAt(i);
    this.#length = end;
  }

  /** The decimal digits of a whole number from 0 to 2^53. */
  whole(value: number): void {
    this.#reserve(16);
    if (value < 1e9) this.#digits(value, digitsOf(value));
    else {
      const billions = Math.floor(value / 1e9);
      this.#digits(billions, digitsOf(billions));
      this.#digits(value - billions * 1e9, 9);
    }
  }

  /** At most nine digits, with leading zeros. */
  #digits(value: number, count: number): void {
    const bytes = this.#bytes;
    let rest = value | 0;
    for (let at = this.#length + count - 1; at >= this.#length; at--) {
      const tenth = (rest / 10) | 0;
      bytes[at] = 48 + rest - tenth * 10;
      rest = tenth;
    }
    this.#length += count;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(2 * (this.#length + count));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

function digitsOf(value: number): number {
  let count = 1;
  for (let bound = 10; bound <= value; bound *= 10) count++;
  return count;
}
