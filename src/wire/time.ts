import { epochMs, type EpochMs } from '../model/units.ts';
import { earliestWritable, latestWritable } from '../model/writable-time.ts';

const twoDigits: readonly string[] = Array.from({ length: 100 }, (_, value) => String(value).padStart(2, '0'));
const pad = (value: number): string => twoDigits[value] ?? String(value);

/** `metav1.Time` in JSON: RFC 3339 in UTC, truncated to seconds: `2026-11-22T10:15:41Z`. Times that it cannot tell become the nearest that it can. */
export function formatTime(time: EpochMs): string {
  const seconds = toSeconds(time);
  // Every answer prints thousands; between 1970 and 2100 arithmetic is several times faster than Date.
  if (!(seconds >= 0 && seconds < 4_102_444_800))
    return `${new Date(writableSeconds(time) * 1000).toISOString().slice(0, -5)}Z`;
  const days = Math.floor(seconds / 86_400);
  const rest = seconds - days * 86_400;
  // Days since 1968-03-01, so that the leap day ends each period of four years; 2000 was a leap year as well.
  const shifted = days + 671;
  const period = Math.floor(shifted / 1461);
  const dayOfPeriod = shifted - period * 1461;
  const yearOfPeriod = Math.min(3, Math.floor(dayOfPeriod / 365));
  const dayOfYear = dayOfPeriod - yearOfPeriod * 365;
  const month = Math.floor((dayOfYear * 5 + 2) / 153);
  const day = dayOfYear - Math.floor((month * 153 + 2) / 5) + 1;
  const year = 1968 + period * 4 + yearOfPeriod + (month >= 10 ? 1 : 0);
  const hour = Math.floor(rest / 3600);
  const minute = Math.floor(rest / 60) - hour * 60;
  return `${year}-${pad(month >= 10 ? month - 9 : month + 3)}-${pad(day)}T${pad(hour)}:${pad(minute)}:${pad(rest % 60)}Z`;
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

export function makeStamp(time: EpochMs): Stamp {
  const seconds = writableSeconds(time);
  const text = formatTime(time);
  const varint = Buffer.alloc(5);
  let rest = Math.max(0, seconds) % 2 ** 35;
  for (let index = 0; index < 5; index++) {
    varint[index] = (rest % 128) + (index < 4 ? 128 : 0);
    rest = Math.floor(rest / 128);
  }
  return { text, ascii: Buffer.from(text, 'latin1'), varint };
}

function writableSeconds(time: EpochMs): number {
  return toSeconds(epochMs(Math.min(Math.max(time, earliestWritable), latestWritable)));
}
