import type { MetricsList } from '../metrics-api/list.ts';
import type { Batch, Chunk } from './block-image.ts';
import { piecesHeld, turn } from './body.ts';

/** What a list is made of. */
export interface ListParts {
  readonly head: Buffer;
  /** Each batch is encoded as a whole when it is taken; its chunks are copied, and stamped in the copy. */
  readonly batches: Iterable<readonly Chunk[]>;
  /** Written between chunks; one byte or none. */
  readonly separator: Buffer;
  readonly tail: Buffer;
  /** Written over each chunk's gap. */
  readonly stamp: Buffer;
}

/** Lists of more items are made piece by piece while others have their turns: to encode so many takes two milliseconds. */
const mostAtOnce = 1000;

/** The chunks of batches, each released when the next is asked for. */
export function* released(batches: Iterable<Batch>): Generator<readonly Chunk[]> {
  for (const { chunks, release } of batches)
    try {
      yield chunks;
    } finally {
      release();
    }
}

export function isLarge({ most }: MetricsList): boolean {
  return most > mostAtOnce;
}

/** The list's bytes. */
export function assemble({ head, batches, separator, tail, stamp }: ListParts): Buffer {
  const chunks = [...batches].flat();
  let size = head.length + tail.length;
  for (const { bytes } of chunks) size += separator.length + bytes.length;
  const whole = Buffer.allocUnsafe(size);
  let at = head.copy(whole);
  for (const [index, chunk] of chunks.entries()) {
    if (index > 0) at += separator.copy(whole, at);
    at = append(whole, at, chunk, stamp);
  }
  return whole.subarray(0, at + tail.copy(whole, at));
}

/** The list's bytes in pieces that follow each other in `memory`, so that what a list holds does not grow with the cluster. */
export function* assemblePieces(
  { head, batches, separator, tail, stamp }: ListParts,
  memory: readonly Buffer[],
): Generator<Buffer> {
  let pieces = 0;
  const nextPiece = (least: number): Buffer => {
    const piece = memory[pieces++ % piecesHeld];
    // One chunk may be larger than a piece.
    return piece !== undefined && piece.length >= least ? piece : Buffer.allocUnsafe(least);
  };
  let piece = nextPiece(head.length);
  let at = head.copy(piece);
  let isFirst = true;
  for (const batch of batches) {
    // A fragment that is written over after a turn of the event loop is as right: it tells of the same object, later.
    for (const chunk of batch) {
      if (at + separator.length + chunk.bytes.length > piece.length) {
        yield piece.subarray(0, at);
        piece = nextPiece(separator.length + chunk.bytes.length);
        at = 0;
      }
      if (!isFirst) at += separator.copy(piece, at);
      isFirst = false;
      at = append(piece, at, chunk, stamp);
    }
    yield turn;
  }
  if (at + tail.length > piece.length) {
    yield piece.subarray(0, at);
    piece = nextPiece(tail.length);
    at = 0;
  }
  yield piece.subarray(0, at + tail.copy(piece, at));
}

/** Returns where the chunk ends. */
function append(target: Buffer, at: number, { bytes, length, stampAt }: Chunk, stamp: Buffer): number {
  // Of all ways to copy a few hundred bytes, `set` is the fastest: two thirds of `Buffer.copy`. What is beyond the chunk's end is written over.
  target.set(bytes, at);
  if (stampAt >= 0) target.set(stamp, at + stampAt);
  return at + length;
}
