import { epochMs } from './units.ts';

/** Years 0 to 9999, all that RFC 3339 has: Go's `time.Time.MarshalJSON`, which metav1.Time rests on, refuses others, and its clients cannot read them. */
export const earliestWritable = epochMs(-62_167_219_200_000);
export const latestWritable = epochMs(253_402_300_799_999);

/** Whether an instant, in milliseconds since the epoch, can be told to a client. */
export function isWritable(time: number): boolean {
  return time >= earliestWritable && time <= latestWritable;
}
