import type { MetricsList } from '../metrics-api/list.ts';
import type { Fragment } from '../metrics-api/objects.ts';
import { piecesHeld, turn } from './body.ts';

/** What a list is made of. */
export interface ListParts<Item> {
  readonly head: Buffer;
  readonly batches: Iterable<readonly Item[]>;
  /** Copied at once, and stamped in the copy. */
  readonly fragmentOf: (item: Item) => Fragment;
  /** Written between fragments; one byte or none. */
  readonly separator: Buffer;
  readonly tail: Buffer;
  /** Written over each fragment's gap. */
  readonly stamp: Buffer;
}

/** Lists of more items are made piece by piece while others have their turns: to encode so many takes two milliseconds. */
const mostAtOnce = 1000;
const pieceBytes = 256 * 1024;

export function isLarge({ most }: MetricsList): boolean {
  return most > mostAtOnce;
}

/** The list's bytes. */
export function assemble<Item>({ head, batches, fragmentOf, separator, tail, stamp }: ListParts<Item>): Buffer {
  const fragments: Fragment[] = [];
  let size = head.length + tail.length;
  for (const batch of batches)
    for (const item of batch) {
      const fragment = fragmentOf(item);
      fragments.push(fragment);
      size += separator.length + fragment.bytes.length;
    }
  const whole = Buffer.allocUnsafe(size);
  let at = head.copy(whole);
  for (const [index, fragment] of fragments.entries()) {
    if (index > 0) at += separator.copy(whole, at);
    at = append(whole, at, fragment, stamp);
  }
  return whole.subarray(0, at + tail.copy(whole, at));
}

/** The same in pieces of memory that is used again, so that what a list holds does not grow with the cluster. */
export function* assemblePieces<Item>(parts: ListParts<Item>): Generator<Buffer> {
  const { head, batches, fragmentOf, separator, tail, stamp } = parts;
  const memory = Array.from({ length: piecesHeld }, () => Buffer.allocUnsafe(pieceBytes));
  let pieces = 0;
  const nextPiece = (least: number): Buffer => {
    const piece = memory[pieces++ % piecesHeld];
    // One fragment may be larger than a piece.
    return piece !== undefined && piece.length >= least ? piece : Buffer.allocUnsafe(least);
  };
  let piece = nextPiece(head.length);
  let at = head.copy(piece);
  let isFirst = true;
  for (const batch of batches) {
    const piecesBefore = pieces;
    // All are encoded before the event loop turns. One that is written over meanwhile is as right: it tells of the same object, later.
    for (const fragment of batch.map(fragmentOf)) {
      if (at + separator.length + fragment.bytes.length > piece.length) {
        yield piece.subarray(0, at);
        piece = nextPiece(separator.length + fragment.bytes.length);
        at = 0;
      }
      if (!isFirst) at += separator.copy(piece, at);
      isFirst = false;
      at = append(piece, at, fragment, stamp);
    }
    // After a piece there has been a turn already.
    if (pieces === piecesBefore) yield turn;
  }
  if (at + tail.length > piece.length) {
    yield piece.subarray(0, at);
    piece = nextPiece(tail.length);
    at = 0;
  }
  yield piece.subarray(0, at + tail.copy(piece, at));
}

/** Returns where the fragment ends. */
function append(target: Buffer, at: number, { bytes, length, stampAt }: Fragment, stamp: Buffer): number {
  // Of all ways to copy a few hundred bytes, `set` is the fastest: two thirds of `Buffer.copy`. What is beyond the fragment's end is written over.
  target.set(bytes, at);
  target.set(stamp, at + stampAt);
  return at + length;
}
