import { epochMs, type Bytes, type EpochMs, type Milliseconds, type Nanocores } from '../model/units.ts';

/**
 * A quantity as a pure function of wall-clock time. `Value` is nanocores for CPU and bytes for memory; values are
 * whole and never negative.
 */
export type UsageScript<Value extends number> =
  | { readonly kind: 'constant'; readonly value: Value }
  /** `mean + amplitude * sin(2 pi t / period)`; the amplitude is at most the mean. */
  | { readonly kind: 'sine'; readonly mean: Value; readonly amplitude: Value; readonly period: Milliseconds }
  | { readonly kind: 'step'; readonly before: Value; readonly after: Value; readonly at: EpochMs }
  /** `peak` for the first `width` of every period of the wall clock, `base` for the rest of it. */
  | {
      readonly kind: 'spike';
      readonly base: Value;
      readonly peak: Value;
      readonly every: Milliseconds;
      readonly width: Milliseconds;
    };

/** What one container truly uses. */
export interface ContainerUsage {
  readonly cpu: UsageScript<Nanocores>;
  readonly memory: UsageScript<Bytes>;
}

/** The script's value at an instant, rounded to a whole number. */
export function valueAt<Value extends number>(script: UsageScript<Value>, at: EpochMs): number {
  if (script.kind === 'constant') return script.value;
  if (script.kind === 'sine') return Math.round(script.mean + script.amplitude * Math.sin(angle(at, script.period)));
  if (script.kind === 'step') return at < script.at ? script.before : script.after;
  return at % script.every < script.width ? script.peak : script.base;
}

/**
 * The integral of the script from the Unix epoch to `at`, in value-seconds: core-nanoseconds for a CPU script. Whole
 * microseconds count, so the difference of two integrals is the true consumption between them, to within 2 units.
 */
export function integral<Value extends number>(script: UsageScript<Value>, at: EpochMs): bigint {
  const now = micros(at);
  if (script.kind === 'constant') return area(script.value, now);
  if (script.kind === 'sine') {
    const swing = (script.amplitude * script.period) / 1000 / (2 * Math.PI);
    return area(script.mean, now) + BigInt(Math.round(swing * (1 - Math.cos(angle(at, script.period)))));
  }
  if (script.kind === 'step') {
    const change = micros(script.at);
    if (now <= change) return area(script.before, now);
    return area(script.before, change) + area(script.after, now - change);
  }
  const every = micros(epochMs(script.every));
  const width = micros(epochMs(script.width));
  const periods = Math.floor(now / every);
  const raised = periods * width + Math.min(now - periods * every, width);
  return area(script.base, now) + area(script.peak - script.base, raised);
}

/** Microseconds since the epoch: whole, and below 2^53 until the year 2255. */
export function micros(at: EpochMs): number {
  return Math.round(at * 1000);
}

function area(value: number, microseconds: number): bigint {
  return (BigInt(Math.round(value)) * BigInt(microseconds)) / 1_000_000n;
}

/** The phase of a wave; the remainder is taken first so that the argument of sin and cos stays small and exact. */
function angle(at: EpochMs, period: Milliseconds): number {
  return (2 * Math.PI * (at % period)) / period;
}

/** Scripts of one container one after another: a change takes effect at its instant and leaves the past as it was. */
export class UsageTimeline {
  #usage: ContainerUsage;
  readonly #segments: { readonly from: EpochMs; readonly usage: ContainerUsage; readonly offset: bigint }[] = [];

  constructor(usage: ContainerUsage) {
    this.#usage = usage;
  }

  /** The scripts in force now. */
  get usage(): ContainerUsage {
    return this.#usage;
  }

  /** Follows other scripts from `at` on, which must not lie before an earlier change. */
  change(at: EpochMs, usage: ContainerUsage): void {
    const offset = this.cpuIntegral(at) - integral(usage.cpu, at);
    this.#segments.push({ from: at, usage, offset });
    if (this.#segments.length === 1) this.#segments.unshift({ from: epochMs(0), usage: this.#usage, offset: 0n });
    this.#usage = usage;
  }

  /** Core-nanoseconds consumed from an arbitrary zero up to `at`; only differences mean something. */
  cpuIntegral(at: EpochMs): bigint {
    const segment = this.#segmentAt(at);
    return segment === undefined ? integral(this.#usage.cpu, at) : segment.offset + integral(segment.usage.cpu, at);
  }

  /** Working set in bytes; a wave moves by whole pages, as memory does. */
  memoryAt(at: EpochMs): number {
    const { memory } = this.#segmentAt(at)?.usage ?? this.#usage;
    const value = valueAt(memory, at);
    return memory.kind === 'sine' ? value - (value % 4096) : value;
  }

  #segmentAt(at: EpochMs): { readonly usage: ContainerUsage; readonly offset: bigint } | undefined {
    return this.#segments.findLast((segment) => segment.from <= at);
  }
}
