import type { Fragment } from '../metrics-api/objects.ts';
import type { Body } from './body.ts';

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

/** Lists up to this size are assembled at once, larger ones in chunks of about it. */
const chunkBytes = 4 * 1024 * 1024;

/** The list's bytes. Fragments are never encoded here, only copied. */
export function assemble(parts: ListParts): Body {
  const length = totalLength(parts);
  const whole = { from: 0, to: parts.fragments.length, length };
  if (length <= chunkBytes) return fill(parts, whole);
  return { length, chunks: () => chunksOf(parts) };
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

function* chunksOf(parts: ListParts): Generator<Buffer> {
  const { head, fragments, separator, tail } = parts;
  let from = 0;
  let length = head.length;
  for (let index = 0; index < fragments.length; index++) {
    length += (fragments[index]?.bytes.length ?? 0) + (index > 0 ? separator.length : 0);
    const last = index === fragments.length - 1;
    if (!last && length < chunkBytes) continue;
    yield fill(parts, { from, to: index + 1, length: last ? length + tail.length : length });
    from = index + 1;
    length = 0;
  }
}

function fill({ head, fragments, separator, tail, stamp }: ListParts, { from, to, length }: Range): Buffer {
  const target = Buffer.allocUnsafe(length);
  const separatorByte = separator[0];
  let at = 0;
  if (from === 0) at += head.copy(target, 0);
  for (let index = from; index < to; index++) {
    const fragment = fragments[index];
    if (fragment === undefined) break;
    if (index > 0 && separatorByte !== undefined) target[at++] = separatorByte;
    const { bytes, stampAt } = fragment;
    bytes.copy(target, at);
    stamp.copy(target, at + stampAt);
    at += bytes.length;
  }
  if (to === fragments.length) tail.copy(target, at);
  return target;
}
