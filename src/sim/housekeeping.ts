import { epochMs, type EpochMs } from '../model/units.ts';
import type { Random } from './seeded-random.ts';
import { micros } from './usage.ts';

/** What a cgroup's files would say at one instant. */
export interface CgroupReading {
  readonly at: EpochMs;
  /** Cumulative core-nanoseconds. */
  readonly cpu: bigint;
  /** Working set in bytes. */
  readonly memory: number;
}

/** The kubelet's view of a cgroup: its last sample and the rate between its last two. */
export interface CachedSample extends CgroupReading {
  /** Nanocores between the last two samples, cut to a whole number; 0 when there is only one. */
  readonly rate: bigint;
}

/** How often a cgroup is sampled. */
export interface HousekeepingPace {
  readonly base: number;
  /** Reached by doubling while two samples in a row are equal. */
  readonly maximum: number;
  /** Part of the interval that chance may add: 1 doubles it at most. */
  readonly jitter: number;
}

/** cAdvisor's pace for containers: 10 to 20 s, and 15 to 30 s while nothing changes. */
export const containerPace: HousekeepingPace = { base: 10_000, maximum: 15_000, jitter: 1 };
/** The root cgroup, which the eviction manager has refreshed about every 10 s. */
export const rootPace: HousekeepingPace = { base: 10_000, maximum: 10_000, jitter: 0.05 };
/** The kubelet's own loop that caches rates where the runtime over CRI sends none. */
export const evictionPace: HousekeepingPace = { base: 10_000, maximum: 10_000, jitter: 0 };

/** Nobody needs samples older than this, so a cgroup not asked about for long skips them. */
const memorySpan = 45_000;

/** Samples of one cgroup, taken on its own schedule and repeated in between. Computed when asked, never by a timer. */
export class Housekeeping {
  readonly #pace: HousekeepingPace;
  readonly #random: Random;
  #interval: number;
  #next: number;
  #last: CachedSample | undefined;

  /** Takes its first sample at `first`. */
  constructor(pace: HousekeepingPace, random: Random, first: EpochMs) {
    this.#pace = pace;
    this.#random = random;
    this.#interval = pace.base;
    this.#next = first;
  }

  /** When the next sample will be taken. */
  get next(): EpochMs {
    return epochMs(this.#next);
  }

  /** The last sample taken at or before `now`, or undefined when there is none yet; `read` is asked for each instant due. */
  sample(now: EpochMs, read: (at: EpochMs) => CgroupReading): CachedSample | undefined {
    if (this.#next < now - 2 * memorySpan) this.#next = now - memorySpan + this.#random() * this.#pace.base;
    while (this.#next <= now) {
      const reading = read(epochMs(this.#next));
      this.#take(reading);
      this.#next += this.#interval * (1 + this.#pace.jitter * this.#random());
    }
    return this.#last;
  }

  #take(reading: CgroupReading): void {
    const last = this.#last;
    const same = last !== undefined && last.cpu === reading.cpu && last.memory === reading.memory;
    this.#interval = same ? Math.min(this.#interval * 2, this.#pace.maximum) : this.#pace.base;
    this.#last = { ...reading, rate: last === undefined ? 0n : rateBetween(last, reading) };
  }
}

/** Nanocores between two readings, computed with their exact times and cut to a whole number; 0 when the counter fell. */
export function rateBetween(from: CgroupReading, to: CgroupReading): bigint {
  const elapsed = micros(to.at) - micros(from.at);
  if (elapsed <= 0 || to.cpu < from.cpu) return 0n;
  return ((to.cpu - from.cpu) * 1_000_000n) / BigInt(elapsed);
}
