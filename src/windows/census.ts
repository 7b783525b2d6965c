import type { EpochMs } from '../model/units.ts';

/** Windows of one kind, as far as they have been counted. */
export class Census {
  count = 0;
  /** When the oldest of them ended. */
  oldest: EpochMs | undefined;

  add(end: EpochMs): void {
    this.count++;
    if (this.oldest === undefined || end < this.oldest) this.oldest = end;
  }
}
