import { epochMs, type EpochMs } from '../model/units.ts';
import { isWritable } from '../model/writable-time.ts';

const zero = 0x30;
const dash = 0x2d;
const colon = 0x3a;
const t = 0x54;
const z = 0x5a;

/** RFC 3339 as Go writes it: `2006-01-02T15:04:05Z`, with an optional fraction and offset. */
const rfc3339 = /^(\d{4})-(\d\d)-(\d\d)T([01]\d|2[0-3]):\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/** Milliseconds since the epoch; undefined when `text` is not an RFC 3339 time, or one that its offset takes out of all years of four digits. */
export function readTime(text: string): EpochMs | undefined {
  const [, year, month, day] = rfc3339.exec(text) ?? [];
  // Of a day that does not exist `Date.parse` makes one of the next month.
  if (Number(day) > daysOf(Number(month), Number(year))) return undefined;
  const value = day === undefined ? Number.NaN : Date.parse(text);
  return isWritable(value) ? epochMs(value) : undefined;
}

/** Bytes of a time of the usual shape, `2006-01-02T15:04:05Z`. */
export const usualTimeLength = 20;

/**
 * As `readTime`, of the bytes from `at` on; undefined also for what has not the usual shape. Two of each container come with each scrape, and as texts they would be as much
 * work as its name and the UID of its pod.
 */
export function readUsualTime(body: Buffer, at: number): EpochMs | undefined {
  if (body[at + 4] !== dash || body[at + 7] !== dash || body[at + 10] !== t) return undefined;
  if (body[at + 13] !== colon || body[at + 16] !== colon || body[at + 19] !== z) return undefined;
  const year = twoDigits(body, at) * 100 + twoDigits(body, at + 2);
  const month = twoDigits(body, at + 5);
  const day = twoDigits(body, at + 8);
  const hours = twoDigits(body, at + 11);
  const minutes = twoDigits(body, at + 14);
  const seconds = twoDigits(body, at + 17);
  const exists = year >= 0 && day >= 1 && day <= daysOf(month, year) && hours < 24 && minutes < 60 && seconds < 60;
  if (!exists) return undefined;
  return epochMs((((daysBefore(year, month) + day - 1) * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1000);
}

/** NaN, which is smaller than nothing, when there is something else. */
function twoDigits(body: Buffer, at: number): number {
  const tens = (body[at] ?? 0) - zero;
  const ones = (body[at + 1] ?? 0) - zero;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

/** Of an ordinary year, before each month. */
const daysBeforeMonth = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];
/** Of the Gregorian calendar carried back, from the year 0 to 1970-01-01. */
const daysBeforeEpoch = 719_528;

/** 0 when there is no such month. */
function daysOf(month: number, year: number): number {
  const days = (daysBeforeMonth[month] ?? 0) - (daysBeforeMonth[month - 1] ?? 0);
  return month === 2 && isLeap(year) ? days + 1 : days;
}

/** From the epoch to the first of the month; `Date.UTC` takes ten times as long. */
function daysBefore(year: number, month: number): number {
  const last = year - 1;
  const leapDays = Math.floor(last / 4) - Math.floor(last / 100) + Math.floor(last / 400) + 1;
  const leapDay = month > 2 && isLeap(year) ? 1 : 0;
  return year * 365 + leapDays + (daysBeforeMonth[month - 1] ?? 0) + leapDay - daysBeforeEpoch;
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}
