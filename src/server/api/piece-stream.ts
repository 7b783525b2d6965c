import { Readable } from 'node:stream';
import { asError } from '../../model/errors.ts';
import { turn } from '../../wire/body.ts';

/** The pieces of a body in slices of at most so many bytes, each in a turn of the event loop of its own: others get theirs in between, and the client reads one slice while the next is encrypted. */
export class PieceStream extends Readable {
  readonly #pieces: Iterator<Buffer>;
  readonly #sliceBytes: number;
  #piece: Buffer = turn;
  #at = 0;

  constructor(pieces: Iterable<Buffer>, sliceBytes: number) {
    super({ highWaterMark: 1 });
    this.#pieces = pieces[Symbol.iterator]();
    this.#sliceBytes = sliceBytes;
  }

  override _read(): void {
    setImmediate(this.#pushNext);
  }

  /** Breaks off whatever makes the pieces. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#pieces.return?.();
    done(error);
  }

  readonly #pushNext = (): void => {
    if (this.destroyed) return;
    try {
      const slice = this.#next();
      if (slice?.length === 0) this._read();
      else this.push(slice);
    } catch (error) {
      this.destroy(asError(error));
    }
  };

  /** Empty where a piece is a turn; null at the end. */
  #next(): Buffer | null {
    if (this.#at >= this.#piece.length) {
      const { done, value } = this.#pieces.next();
      if (done === true) return null;
      this.#piece = value;
      this.#at = 0;
    }
    const slice = this.#piece.subarray(this.#at, this.#at + this.#sliceBytes);
    this.#at += slice.length;
    return slice;
  }
}
