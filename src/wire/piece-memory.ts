import { piecesHeld, type PiecewiseBody } from './body.ts';

const pieceBytes = 256 * 1024;
/** Memory of so many lists is kept while none is made. */
const mostSpare = 4;

/** The memory of the pieces of large lists, used again and again: new memory for each list would wait to be collected, and bring the next marking of the heap nearer. */
export class PieceMemory {
  readonly #spare: (readonly Buffer[])[] = [];

  /** A body whose pieces `make` writes, one after the other, into `piecesHeld` buffers of 256 KiB. Another body gets them when it is released. */
  bodyOf(make: (memory: readonly Buffer[]) => Iterable<Buffer>): PiecewiseBody {
    const memory = this.#spare.pop() ?? Array.from({ length: piecesHeld }, () => Buffer.allocUnsafeSlow(pieceBytes));
    let released = false;
    const release = (): void => {
      if (!released && this.#spare.length < mostSpare) this.#spare.push(memory);
      released = true;
    };
    return { pieces: make(memory), release };
  }

  /** Gives up what no list uses. */
  forget(): void {
    this.#spare.length = 0;
  }
}
