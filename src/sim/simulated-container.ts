import { epochMs, type EpochMs } from '../model/units.ts';
import { containerPace, evictionPace, Housekeeping, type CachedSample, type CgroupReading } from './housekeeping.ts';
import type { Random } from './seeded-random.ts';
import { UsageTimeline, type ContainerUsage } from './usage.ts';

/** `main` runs for ever, `sidecar` likewise but is listed among the init containers, `init` runs once and finishes. */
export type ContainerRole = 'main' | 'sidecar' | 'init';

/** Where the kubelet's numbers come from: cAdvisor's cache, or the runtime over CRI at the moment of the request. */
export type StatsProvider = 'cadvisor' | 'cri';

interface Run {
  readonly startedAt: EpochMs;
  endedAt: EpochMs | undefined;
  /** The timeline's integral when the run started. */
  readonly zero: bigint;
  readonly housekeeping: Housekeeping;
}

export interface ContainerBirth {
  readonly name: string;
  readonly role: ContainerRole;
  readonly usage: ContainerUsage;
  readonly startedAt: EpochMs;
  /** Only for `init`: when it finishes. */
  readonly endsAt?: EpochMs;
  /** From when the kubelet knows the container; later than `startedAt` for containers older than the kubelet. */
  readonly knownFrom: EpochMs;
  readonly provider: StatsProvider;
  readonly random: Random;
}

/** Runs that ended more than this many restarts ago keep only their sum. */
const runsRemembered = 6;

/** One container of a simulated pod, through all its restarts. */
export class SimulatedContainer {
  readonly name: string;
  readonly role: ContainerRole;
  readonly #timeline: UsageTimeline;
  readonly #provider: StatsProvider;
  readonly #random: Random;
  readonly #runs: Run[] = [];
  #forgotten = 0n;
  #restarts = 0;

  constructor(birth: ContainerBirth) {
    this.name = birth.name;
    this.role = birth.role;
    this.#timeline = new UsageTimeline(birth.usage);
    this.#provider = birth.provider;
    this.#random = birth.random;
    this.#begin(birth.startedAt, birth.knownFrom);
    if (birth.endsAt !== undefined) this.end(birth.endsAt);
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

  /** Start and end of the latest run, even when it lies in the future. */
  lastRun(): { readonly startedAt: EpochMs; readonly endedAt: EpochMs | undefined } | undefined {
    return this.#runs.at(-1);
  }

  /** Ends the current run at `at`, which may lie in the future. */
  end(at: EpochMs): void {
    const run = this.#runs.at(-1);
    if (run !== undefined && (run.endedAt === undefined || run.endedAt > at)) run.endedAt = at;
  }

  /** Ends the run at `at` and begins a new one at `again`: its counter starts at 0. */
  restart(at: EpochMs, again: EpochMs): void {
    this.end(at);
    this.#restarts++;
    this.#begin(again, again);
    while (this.#runs.length > runsRemembered) {
      const old = this.#runs.shift();
      if (old !== undefined) this.#forgotten += this.#spent(old, at);
    }
  }

  /** What the kubelet says of the container at `now`; undefined before its first sample. */
  sample(now: EpochMs): CachedSample | undefined {
    const run = this.#runAt(now);
    if (run === undefined) return undefined;
    const read = (at: EpochMs): CgroupReading => this.#read(run, at);
    const cached = run.housekeeping.sample(now, read);
    return this.#provider === 'cadvisor' ? cached : { ...read(now), rate: cached?.rate ?? 0n };
  }

  /** When `sample` will next say something new; infinite for a container that is done. */
  nextSample(now: EpochMs): EpochMs {
    if (this.#provider === 'cri') return now;
    const run = this.#runAt(now);
    if (run !== undefined) return epochMs(Math.min(run.housekeeping.next, run.endedAt ?? Infinity));
    const last = this.#runs.at(-1);
    return last !== undefined && last.startedAt > now ? last.startedAt : epochMs(Infinity);
  }

  /** All core-nanoseconds of all runs up to `at`, which may lie a few restarts back. */
  consumed(at: EpochMs): bigint {
    let total = this.#forgotten;
    for (const run of this.#runs) total += this.#spent(run, at);
    return total;
  }

  /** Working set in bytes at `at`; 0 while the container is not running. */
  memoryAt(at: EpochMs): number {
    return this.#runAt(at) === undefined ? 0 : this.#timeline.memoryAt(at);
  }

  #begin(startedAt: EpochMs, knownFrom: EpochMs): void {
    const pace = this.#provider === 'cri' ? evictionPace : containerPace;
    const zero = this.#timeline.cpuIntegral(startedAt);
    const housekeeping = new Housekeeping(pace, this.#random, knownFrom);
    this.#runs.push({ startedAt, endedAt: undefined, zero, housekeeping });
  }

  #runAt(at: EpochMs): Run | undefined {
    return this.#runs.findLast((run) => run.startedAt <= at && (run.endedAt === undefined || at < run.endedAt));
  }

  #read(run: Run, at: EpochMs): CgroupReading {
    return { at, cpu: this.#timeline.cpuIntegral(at) - run.zero, memory: this.#timeline.memoryAt(at) };
  }

  #spent(run: Run, at: EpochMs): bigint {
    if (at <= run.startedAt) return 0n;
    const until = run.endedAt !== undefined && run.endedAt < at ? run.endedAt : at;
    return this.#timeline.cpuIntegral(until) - run.zero;
  }
}
