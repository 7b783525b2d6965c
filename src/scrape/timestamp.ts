import { epochMs, type EpochMs } from '../model/units.ts';
import { isWritable } from '../model/writable-time.ts';

const zero = 0x30;
const dash = 0x2d;
const colon = 0x3a;
const t = 0x54;
const z = 0x5a;

/** RFC 3339 as Go writes it: `2006-01-02T15:04:05Z`, with an optional fraction and offset. */
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/**
 * Reads the times of kubelets (metav1.Time). Most of them stand next to an equal one, so what was read last is remembered.
 */
export class TimestampReader {
  #text = '';
  #time = epochMs(0);

  /** Milliseconds since the epoch; undefined when `text` is not an RFC 3339 time, or one that its offset takes out of all years of four digits. */
  read(text: string): EpochMs | undefined {
    if (text === this.#text) return this.#time;
    const time = wholeSeconds(text) ?? general(text);
    if (time === undefined) return undefined;
    this.#text = text;
    return (this.#time = time);
  }
}

/** A time of the usual shape, `2006-01-02T15:04:05Z`; the last days of a month are left to the general way, which knows whether they exist. */
function wholeSeconds(text: string): EpochMs | undefined {
  if (text.length !== 20 || text.charCodeAt(4) !== dash || text.charCodeAt(7) !== dash || text.charCodeAt(10) !== t)
    return undefined;
  if (text.charCodeAt(13) !== colon || text.charCodeAt(16) !== colon || text.charCodeAt(19) !== z) return undefined;
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  const hours = twoDigits(text, 11);
  const minutes = twoDigits(text, 14);
  const seconds = twoDigits(text, 17);
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const exists = month >= 1 && month <= 12 && day >= 1 && day <= 28 && hours < 24 && minutes < 60 && seconds < 60;
  return exists && year >= 1000 ? epochMs(Date.UTC(year, month - 1, day, hours, minutes, seconds)) : undefined;
}

function general(text: string): EpochMs | undefined {
  const value = rfc3339.test(text) ? Date.parse(text) : Number.NaN;
  return isWritable(value) ? epochMs(value) : undefined;
}

/** NaN, which is smaller than nothing, when there is something else. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at) - zero;
  const ones = text.charCodeAt(at + 1) - zero;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}
