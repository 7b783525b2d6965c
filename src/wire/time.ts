import type { EpochMs } from '../model/units.ts';

/** `metav1.Time` in JSON: RFC 3339 in UTC, truncated to seconds: `2026-11-22T10:15:41Z`. */
export function formatTime(time: EpochMs): string {
  return `${new Date(toSeconds(time) * 1000).toISOString().slice(0, -5)}Z`;
}

/** Whole seconds since the epoch, truncated towards the past as Go's `Time.Unix` does. */
export function toSeconds(time: EpochMs): number {
  return Math.floor(time / 1000);
}

/** The time of an answer, which is every served object's `creationTimestamp`, in the forms in which it is stamped into fragments. */
export interface Stamp {
  /** Always 20 ASCII characters. */
  readonly text: string;
  /** The same as bytes. */
  readonly ascii: Buffer;
  /** Seconds as a varint of always 5 bytes (canonical between 1978 and 3058, padded outside, which decoders accept). */
  readonly varint: Buffer;
}

/** Years 0 to 9999. */
const stampRange = { least: -62_167_219_200, greatest: 253_402_300_799 } as const;

export function makeStamp(time: EpochMs): Stamp {
  const seconds = Math.min(Math.max(toSeconds(time), stampRange.least), stampRange.greatest);
  const text = formatTime((seconds * 1000) as EpochMs);
  const varint = Buffer.alloc(5);
  let rest = Math.max(0, seconds) % 2 ** 35;
  for (let index = 0; index < 5; index++) {
    varint[index] = (rest % 128) + (index < 4 ? 128 : 0);
    rest = Math.floor(rest / 128);
  }
  return { text, ascii: Buffer.from(text, 'latin1'), varint };
}
