import { epochMs, type EpochMs } from '../model/units.ts';

/** RFC 3339 as Go writes it: `2006-01-02T15:04:05Z`, with an optional fraction and offset. */
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

/**
 * Reads the times of a kubelet (metav1.Time). One reader per body: times of a body share few days, so the day is read once.
 */
export class TimestampReader {
  #day = '';
  #midnight = 0;

  /** Milliseconds since the epoch; undefined when `text` is not an RFC 3339 time. */
  read(text: string): EpochMs | undefined {
    if (text.length !== 20 || text.charCodeAt(19) !== 0x5a || !rfc3339.test(text)) return this.#general(text);
    if (!text.startsWith(this.#day) || this.#day === '') {
      const midnight = Date.parse(`${text.slice(0, 10)}T00:00:00Z`);
      if (Number.isNaN(midnight)) return undefined;
      this.#day = text.slice(0, 11);
      this.#midnight = midnight;
    }
    const [hours, minutes, seconds] = [twoDigits(text, 11), twoDigits(text, 14), twoDigits(text, 17)];
    if (hours > 23 || minutes > 59 || seconds > 60) return undefined;
    return epochMs(this.#midnight + (hours * 3600 + minutes * 60 + seconds) * 1000);
  }

  #general(text: string): EpochMs | undefined {
    const value = rfc3339.test(text) ? Date.parse(text) : Number.NaN;
    return Number.isNaN(value) ? undefined : epochMs(value);
  }
}

function twoDigits(text: string, at: number): number {
  return text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 0x30 * 11;
}
