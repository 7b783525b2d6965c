import { epochMs, type EpochMs } from '../../model/units.ts';
import type { Random } from '../seeded-random.ts';

/** Something whose usage can be read at any instant. */
export interface Cgroup {
  /** Core-nanoseconds used up to `at`; only differences mean something. */
  cpuAt(at: EpochMs): number;
  /** Working set in bytes. */
  memoryAt(at: EpochMs): number;
}

/** The kubelet's view of a cgroup: its last sample and the rate between its last two. */
export interface Sample {
  readonly at: EpochMs;
  /** Whole core-nanoseconds. */
  readonly cpu: number;
  /** Bytes. */
  readonly memory: number;
  /** Nanocores between the last two samples, cut to a whole number; 0 when there is only one. */
  readonly rate: number;
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

/** Sample times are multiples of so many milliseconds, which doubles hold exactly: constant usage then has a constant rate. */
const grain = 0.125;

/**
 * Samples of one cgroup, taken on its own schedule and repeated in between. Computed when asked, never by a timer. It is its own last sample: hundreds of
 * thousands of them change all the time.
 */
export class Housekeeping implements Sample {
  at = epochMs(Number.NEGATIVE_INFINITY);
  cpu = 0;
  memory = 0;
  rate = 0;
  readonly #cgroup: Cgroup;
  readonly #pace: HousekeepingPace;
  readonly #random: Random;
  #interval: number;
  #next: number;

  /** Takes its first sample at `first`. */
  constructor(cgroup: Cgroup, pace: HousekeepingPace, random: Random, first: EpochMs) {
    this.#cgroup = cgroup;
    this.#pace = pace;
    this.#random = random;
    this.#interval = pace.base;
    this.#next = grained(first);
  }

  /** The last sample taken at or before `now`, valid until asked again; undefined when there is none yet. */
  sample(now: EpochMs): Sample | undefined {
    if (this.#next < now - 2 * memorySpan) this.#next = grained(now - memorySpan + this.#random() * this.#pace.base);
    while (this.#next <= now) {
      this.#take(epochMs(this.#next));
      this.#next = grained(this.#next + this.#interval * (1 + this.#pace.jitter * this.#random()));
    }
    return this.at === Number.NEGATIVE_INFINITY ? undefined : this;
  }

  #take(at: EpochMs): void {
    const cpu = Math.round(this.#cgroup.cpuAt(at));
    const memory = this.#cgroup.memoryAt(at);
    const used = this.at === Number.NEGATIVE_INFINITY ? 0 : Math.max(0, cpu - this.cpu);
    const same = cpu === this.cpu && memory === this.memory;
    this.#interval = same ? Math.min(this.#interval * 2, this.#pace.maximum) : this.#pace.base;
    this.rate = used === 0 ? 0 : Math.floor((used * 1000) / (at - this.at));
    this.at = at;
    this.cpu = cpu;
    this.memory = memory;
  }
}

function grained(time: number): number {
  return Math.ceil(time / grain) * grain;
}
