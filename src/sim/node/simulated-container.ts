import { epochMs, type EpochMs } from '../../model/units.ts';
import { containerPace, evictionPace, Housekeeping, type Cgroup, type Sample } from './housekeeping.ts';
import type { Random } from '../seeded-random.ts';
import { UsageTimeline, type ContainerUsage } from './usage.ts';

/** `main` runs for ever, `sidecar` likewise but is listed among the init containers, `init` runs once and finishes. */
export type ContainerRole = 'main' | 'sidecar' | 'init';

/** Where the kubelet's numbers come from: cAdvisor's cache, or the runtime over CRI at the moment of the request. */
export type StatsProvider = 'cadvisor' | 'cri';

export interface ContainerBirth {
  readonly name: string;
  readonly role: ContainerRole;
  readonly image: string;
  readonly usage: ContainerUsage;
  readonly startedAt: EpochMs;
  /** Only for `init`: when it finishes. */
  readonly endsAt?: EpochMs | undefined;
  /** From when the kubelet knows the container; later than `startedAt` for containers older than the kubelet. */
  readonly knownFrom: EpochMs;
  readonly provider: StatsProvider;
  readonly random: Random;
}

/** Runs that ended more than this many restarts ago keep only their sum. */
const runsRemembered = 6;

/** From a container's start to its end: the kubelet counts each run from 0. */
class Run implements Cgroup {
  readonly startedAt: EpochMs;
  readonly #timeline: UsageTimeline;
  #endedAt = epochMs(Number.POSITIVE_INFINITY);

  constructor(timeline: UsageTimeline, startedAt: EpochMs) {
    this.#timeline = timeline;
    this.startedAt = startedAt;
  }

  /** Infinite while nobody ended it. */
  get endedAt(): EpochMs {
    return this.#endedAt;
  }

  end(at: EpochMs): void {
    if (at < this.#endedAt) this.#endedAt = at;
  }

  covers(at: EpochMs): boolean {
    return this.startedAt <= at && at < this.#endedAt;
  }

  cpuAt(at: EpochMs): number {
    const until = at < this.#endedAt ? at : this.#endedAt;
    return until <= this.startedAt ? 0 : this.#timeline.consumed(this.startedAt, until);
  }

  memoryAt(at: EpochMs): number {
    return this.#timeline.memoryAt(at);
  }
}

/** One container of a simulated pod, through all its restarts. */
export class SimulatedContainer implements Cgroup {
  readonly name: string;
  readonly role: ContainerRole;
  readonly image: string;
  readonly #timeline: UsageTimeline;
  readonly #provider: StatsProvider;
  readonly #random: Random;
  #run: Run;
  #housekeeping: Housekeeping;
  /** Oldest first. */
  #earlier: Run[] = [];
  #forgotten = 0;
  #restarts = 0;

  constructor({ name, role, image, usage, startedAt, endsAt, knownFrom, provider, random }: ContainerBirth) {
    this.name = name;
    this.role = role;
    this.image = image;
    this.#timeline = new UsageTimeline(usage);
    this.#provider = provider;
    this.#random = random;
    this.#run = new Run(this.#timeline, startedAt);
    this.#housekeeping = this.#housekeepingFrom(knownFrom);
    if (endsAt !== undefined) this.end(endsAt);
  }

  get restartCount(): number {
    return this.#restarts;
  }

  /** The scripts in force now. */
  get usage(): ContainerUsage {
    return this.#timeline.usage;
  }

  /** Follows other scripts from `at` on. */
  setUsage(at: EpochMs, usage: ContainerUsage): void {
    this.#timeline.change(at, usage);
  }

  /** Start of the run that was going on at `at`, or undefined when none was. */
  startedAt(at: EpochMs): EpochMs | undefined {
    return this.#runAt(at)?.startedAt;
  }

  /** Start and end of the latest run, even when they lie in the future; the end of one that nobody ended is infinite. */
  get lastRun(): { readonly startedAt: EpochMs; readonly endedAt: EpochMs } {
    return this.#run;
  }

  /** The run before the latest. */
  get runBefore(): { readonly startedAt: EpochMs; readonly endedAt: EpochMs } | undefined {
    return this.#earlier.at(-1);
  }

  /** Ends the current run at `at`, which may lie in the future. */
  end(at: EpochMs): void {
    this.#run.end(at);
  }

  /** Ends the run at `at` and begins a new one at `again`. */
  restart(at: EpochMs, again: EpochMs): void {
    this.#run.end(at);
    this.#earlier = [...this.#earlier, this.#run];
    const old = this.#earlier.length < runsRemembered ? undefined : this.#earlier.shift();
    if (old !== undefined) this.#forgotten += old.cpuAt(at);
    this.#run = new Run(this.#timeline, again);
    this.#housekeeping = this.#housekeepingFrom(again);
    this.#restarts++;
  }

  /** What the kubelet says of the container at `now`; undefined before its first sample. */
  sample(now: EpochMs): Sample | undefined {
    if (!this.#run.covers(now)) return undefined;
    const cached = this.#housekeeping.sample(now);
    if (this.#provider === 'cadvisor') return cached;
    return { at: now, cpu: Math.round(this.#run.cpuAt(now)), memory: this.#run.memoryAt(now), rate: cached?.rate ?? 0 };
  }

  /** All core-nanoseconds of all runs up to `at`, which may lie a few restarts back. */
  cpuAt(at: EpochMs): number {
    let total = this.#forgotten + this.#run.cpuAt(at);
    for (const run of this.#earlier) total += run.cpuAt(at);
    return total;
  }

  /** Working set in bytes at `at`; 0 while the container is not running. */
  memoryAt(at: EpochMs): number {
    return this.#runAt(at)?.memoryAt(at) ?? 0;
  }

  #housekeepingFrom(first: EpochMs): Housekeeping {
    const pace = this.#provider === 'cri' ? evictionPace : containerPace;
    return new Housekeeping(this.#run, pace, this.#random, first);
  }

  #runAt(at: EpochMs): Run | undefined {
    return this.#run.covers(at) ? this.#run : this.#earlier.find((run) => run.covers(at));
  }
}
