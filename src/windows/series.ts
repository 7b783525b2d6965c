import type { Sample } from '../model/sample.ts';
import type { UsageWindow } from '../model/window.ts';
import {
  bytes,
  epochMs,
  milliseconds,
  monotonicMs,
  nanocores,
  nanoseconds,
  type Bytes,
  type EpochMs,
  type Milliseconds,
  type MonotonicMs,
  type Nanocores,
  type Nanoseconds,
} from '../model/units.ts';
import { coreNanosBetween, longestPair, newestRate, rateOf, type Rate } from './rate.ts';
import type { Refusal } from './refusal.ts';
import { seriesColumn, type SeriesTable, type Slot } from './series-table.ts';

/** What is the same for all samples of one answer. */
export interface ReadingContext {
  /** Granularity of the source's times. */
  readonly precision: Milliseconds;
  /** Middle of the request. */
  readonly readAt: MonotonicMs;
  /** The kubelet's present, by its own clock where it told it. */
  readonly kubeletNow: EpochMs;
  /** Counters were read this close to `readAt`; undefined where the source had its statistics from before the request. */
  readonly readWithin: Milliseconds | undefined;
  /** Rates above this are refused; undefined when the node's capacity is not known. */
  readonly mostCpu: Nanocores | undefined;
  readonly resolution: Milliseconds;
  readonly maxAge: Milliseconds;
}

export type Acceptance = 'window' | 'repeat' | 'older' | Refusal;

/**
 * Nearer samples count as one. The same sample comes again until the kubelet takes the next, once with its time truncated to the second and once with milliseconds
 * when the source changes; and over less than this a second of truncation would falsify any rate.
 */
const shortestPair = milliseconds(4_000);
/** Sources disagree by less than this on when a container started: one tells it in whole seconds. */
const laterRun = milliseconds(1_000);
/** Samples arrive at most so much older or younger than the ones before: a stamp that moved further than our own clock did by more than this, or less, is of a clock that was set. */
const mostSkew = milliseconds(40_000);
/** Where the kubelet gives no rate, an average over a minute or two is better than to wait for the next sample, but nothing longer: it is not of the present. */
const longestWithoutRate = milliseconds(120_000);
/** A container that started this recently is measured from its start, but not over less than this: `kubectl top` would show noise. */
const shortestSinceStart = milliseconds(10_000);
/** What `usageNanoCores` is taken to cover on first sight: the base interval of the kubelet's housekeeping. */
const kubeletRateLength = milliseconds(10_000);
/** A sample counts as this old at most when it arrives: idle containers are sampled every 15-30 s, and clocks of nodes may be wrong. */
const oldestArrival = milliseconds(30_000);

/** The samples and the last good window of one container or node; the window, however old, is what it tells as its usage. */
export class Series implements UsageWindow {
  readonly #table: SeriesTable;
  readonly #slot: Slot;
  #windowsMade = 0;
  #refusal: Refusal | undefined = 'first_sample';

  constructor(table: SeriesTable) {
    this.#table = table;
    this.#slot = table.allocate();
  }

  /** End of the last good window; NaN, like all of the window, while there is none. */
  get timestamp(): EpochMs {
    return epochMs(this.#table.number(this.#slot, seriesColumn.timestamp));
  }

  get length(): Nanoseconds {
    return nanoseconds(this.#table.number(this.#slot, seriesColumn.length));
  }

  get cpu(): Nanocores {
    return nanocores(this.#table.number(this.#slot, seriesColumn.cpu));
  }

  get memory(): Bytes {
    return bytes(this.#table.number(this.#slot, seriesColumn.memory));
  }

  /** How many windows there have been: tells whether there is one, and whether there is a new one. */
  get windowsMade(): number {
    return this.#windowsMade;
  }

  /** The window was valid at this time on our clock, as fresh as its age allows for; NaN while there is none. */
  get #goodUntil(): number {
    return this.#table.number(this.#slot, seriesColumn.goodUntil);
  }

  /** Until when the window may be served; never while there is none. */
  get goodUntil(): MonotonicMs {
    return monotonicMs(this.#windowsMade === 0 ? Number.NEGATIVE_INFINITY : this.#goodUntil);
  }

  /** Why the newest sample made no window; undefined when it made one. */
  get refusal(): Refusal | undefined {
    return this.#refusal;
  }

  /** Gives its row back to the table. */
  dispose(): void {
    this.#table.free(this.#slot);
  }

  /**
   * Takes in the newest reading.
   *
   * @param restartable whether a newer start time begins a new run; that of a node moves for other reasons
   */
  accept(sample: Sample, context: ReadingContext, restartable: boolean): Acceptance {
    const { cpuTime, cpu, memory } = sample;
    if (cpu === undefined || cpuTime === undefined) return this.#refuse('no_cpu');
    if (memory === undefined) return this.#refuse('no_memory');
    if (isPlaceholder(sample)) return this.#refuse('placeholder');

    const last = this.#table.sample(this.#slot, 0);
    if (last !== undefined) {
      const restarted =
        restartable &&
        sample.startTime !== undefined &&
        sample.startTime >= this.#table.number(this.#slot, seriesColumn.startTime) + laterRun;
      const used = coreNanosBetween(last.cpu, cpu);
      const distance = cpuTime - last.time;
      const clockSet =
        (last.time - cpuTime >= shortestPair && used > 0) ||
        Math.abs(distance - (context.readAt - last.readAt)) > mostSkew;
      // What the kubelet says of the last seconds tells more of the present than an average over an absence.
      const longestDistance =
        (sample.cpuRate ?? 0) > 0 ? longestPair : Math.max(longestWithoutRate, 3 * context.resolution);
      const fell = distance > 0 && used < 0;
      if (restarted || clockSet || distance > longestDistance || fell) this.#table.clear(this.#slot);
      else if (distance < 0) return 'older';
      else if (distance < shortestPair) return this.#repeat(context);
    }
    this.#table.setNumber(this.#slot, seriesColumn.startTime, sample.startTime ?? Number.NaN);
    this.#table.append(this.#slot, {
      time: cpuTime,
      early: milliseconds(0),
      late: context.precision,
      cpu,
      readAt: context.readAt,
      readWithin: context.readWithin,
    });
    const first = this.#table.count(this.#slot) === 1;
    const rate = first
      ? firstRate(sample, cpuTime, context)
      : newestRate(this.#table, this.#slot, sample.cpuRate, this.#windowsMade === 0 ? undefined : this.cpu);
    if (rate === undefined) return this.#refuse('first_sample');
    if (first && context.kubeletNow - cpuTime > context.maxAge + oldestArrival) return this.#refuse('stale');
    if (context.mostCpu !== undefined && rate.cpu > context.mostCpu) return this.#refuse('implausible');
    this.#serve(rate, cpuTime, memory, context);
    return 'window';
  }

  #serve(rate: Rate, timestamp: EpochMs, memory: Bytes, context: ReadingContext): void {
    const arrivalAge = Math.min(oldestArrival, Math.max(0, context.kubeletNow - timestamp));
    const goodUntil = context.readAt + context.maxAge - arrivalAge;
    const table = this.#table;
    const slot = this.#slot;
    table.setNumber(slot, seriesColumn.timestamp, timestamp);
    table.setNumber(slot, seriesColumn.length, rate.length);
    table.setNumber(slot, seriesColumn.cpu, rate.cpu);
    table.setNumber(slot, seriesColumn.memory, memory);
    table.setNumber(slot, seriesColumn.goodUntil, goodUntil);
    table.setNumber(slot, seriesColumn.lastGoodUntil, goodUntil + context.maxAge);
    this.#windowsMade++;
    this.#refusal = undefined;
  }

  /**
   * The kubelet still gives this sample as its newest, so our scraping has not let it age: good until after the next scrape, and the one after that should the
   * next be missed, but not for ever.
   */
  #repeat(context: ReadingContext): 'repeat' {
    if (this.#refusal === undefined) {
      const untilScrapedAgain = context.readAt + 2.5 * context.resolution;
      const latest = Math.min(untilScrapedAgain, this.#table.number(this.#slot, seriesColumn.lastGoodUntil));
      if (latest > this.#goodUntil) this.#table.setNumber(this.#slot, seriesColumn.goodUntil, latest);
    }
    return 'repeat';
  }

  #refuse(refusal: Refusal): Refusal {
    this.#refusal = refusal;
    return refusal;
  }
}

/**
 * Zeros that a kubelet writes where it collected nothing: a CPU counter of 0 (every process has used some), or a working set of 0
 * without any memory usage beside it. An idle container has a rate of 0 with a counter above 0.
 */
function isPlaceholder({ cpu, memory, memoryUsage }: Sample): boolean {
  return (cpu?.seconds === 0 && cpu.nanos === 0) || (memory === 0 && !((memoryUsage ?? 0) > 0));
}

/**
 * The rate of a series of one sample. A container that started lately is measured from its start; of any other the kubelet may know the rate.
 * A kubelet's rate of 0 is what it gives on its own first sample, so it is no usage yet.
 */
function firstRate({ cpu, cpuRate, startTime }: Sample, cpuTime: EpochMs, context: ReadingContext): Rate | undefined {
  const age = startTime === undefined ? Number.POSITIVE_INFINITY : cpuTime - startTime;
  if (cpu !== undefined && age >= shortestSinceStart && age <= 2 * context.resolution) {
    const length = nanoseconds(age * 1e6);
    return { cpu: rateOf(coreNanosBetween({ seconds: 0, nanos: 0 }, cpu), length), length };
  }
  if (cpuRate === undefined || cpuRate === 0) return undefined;
  return { cpu: cpuRate, length: nanoseconds(Math.max(1_000, Math.min(kubeletRateLength, age)) * 1e6) };
}
