import type { Fragment } from '../metrics-api/objects.ts';
import { piecesHeld, type Body } from './body.ts';

/** A list in pieces; fragments are copied and stamped when the body is made. */
export interface ListParts {
  readonly head: Buffer;
  readonly fragments: readonly Fragment[];
  /** Written between fragments; one byte or none. */
  readonly separator: Buffer;
  readonly tail: Buffer;
  /** Written over each fragment's gap. */
  readonly stamp: Buffer;
}

/** Lists up to this size are one buffer. Larger ones are made in pieces of it while they are sent, so what a list holds in memory does not grow with the cluster. */
const pieceBytes = 256 * 1024;

/** The list's bytes. Fragments are never encoded here, only copied. */
export function assemble(parts: ListParts): Body {
  const length = totalLength(parts);
  const whole = { from: 0, to: parts.fragments.length, length };
  if (length <= pieceBytes) return fill(parts, whole, Buffer.allocUnsafe(length));
  return { length, pieces: () => piecesOf(parts) };
}

interface Range {
  readonly from: number;
  readonly to: number;
  /** Bytes of these fragments with their separators, and of head and tail where they belong to the range. */
  readonly length: number;
}

function totalLength({ head, fragments, separator, tail }: ListParts): number {
  let length = head.length + tail.length + separator.length * Math.max(0, fragments.length - 1);
  for (const { bytes } of fragments) length += bytes.length;
  return length;
}

function* piecesOf(parts: ListParts): Generator<Buffer> {
  const { head, fragments, separator, tail } = parts;
  const memory = Array.from({ length: piecesHeld }, () => Buffer.allocUnsafe(pieceBytes));
  let turn = 0;
  const piece = (range: Range): Buffer =>
    // One fragment may be larger than a piece.
    fill(
      parts,
      range,
      (range.length <= pieceBytes ? memory[turn++ % piecesHeld] : undefined) ?? Buffer.allocUnsafe(range.length),
    );
  let from = 0;
  let length = head.length;
  for (let index = 0; index < fragments.length; index++) {
    const added = (fragments[index]?.bytes.length ?? 0) + (index > 0 ? separator.length : 0);
    if (length + added > pieceBytes && index > from) {
      yield piece({ from, to: index, length });
      from = index;
      length = 0;
    }
    length += added;
  }
  yield piece({ from, to: fragments.length, length: length + tail.length });
}

/** Writes a range into the beginning of `memory`. */
function fill(
  { head, fragments, separator, tail, stamp }: ListParts,
  { from, to, length }: Range,
  memory: Buffer,
): Buffer {
  const separatorByte = separator[0];
  let at = 0;
  if (from === 0) at += head.copy(memory);
  for (let index = from; index < to; index++) {
    const fragment = fragments[index];
    if (fragment === undefined) break;
    if (index > 0 && separatorByte !== undefined) memory[at++] = separatorByte;
    const { bytes, stampAt } = fragment;
    // Of all ways to copy a few hundred bytes, `set` is the fastest: two thirds of `Buffer.copy`.
    memory.set(bytes, at);
    memory.set(stamp, at + stampAt);
    at += bytes.length;
  }
  if (to === fragments.length) tail.copy(memory, at);
  return memory.subarray(0, length);
}
