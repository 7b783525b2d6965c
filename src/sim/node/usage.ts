import { epochMs, type Bytes, type EpochMs, type Milliseconds, type Nanocores } from '../../model/units.ts';

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
 * The area under the script between two instants, in value-seconds: core-nanoseconds for a CPU script. Right to a unit up to 2^53, which is a hundred days of a
 * core.
 */
export function integral<Value extends number>(script: UsageScript<Value>, from: EpochMs, to: EpochMs): number {
  if (script.kind === 'constant') return area(script.value, to - from);
  if (script.kind === 'sine') {
    const swing = (script.amplitude * script.period) / (2 * Math.PI);
    const waves = swing * (Math.cos(angle(from, script.period)) - Math.cos(angle(to, script.period)));
    return area(script.mean, to - from) + waves / 1000;
  }
  if (script.kind === 'step') {
    const change = Math.min(Math.max(script.at, from), to);
    return area(script.before, change - from) + area(script.after, to - change);
  }
  const raised = raisedUntil(to, script.every, script.width) - raisedUntil(from, script.every, script.width);
  return area(script.base, to - from) + area(script.peak - script.base, raised);
}

function area(value: number, length: number): number {
  return (value * length) / 1000;
}

/** The part of all time until `at` in which a spike was up. */
function raisedUntil(at: EpochMs, every: Milliseconds, width: Milliseconds): number {
  const into = at % every;
  return ((at - into) / every) * width + Math.min(into, width);
}

/** The phase of a wave; the remainder is taken first so that the argument of sin and cos stays small and exact. */
function angle(at: EpochMs, period: Milliseconds): number {
  return (2 * Math.PI * (at % period)) / period;
}

interface Segment {
  readonly from: number;
  readonly to: number;
  readonly usage: ContainerUsage;
}

/** Scripts of one container one after another: a change takes effect at its instant and leaves the past as it was. */
export class UsageTimeline {
  #usage: ContainerUsage;
  #since = Number.NEGATIVE_INFINITY;
  /** What held before, oldest first. */
  readonly #earlier: Segment[] = [];

  constructor(usage: ContainerUsage) {
    this.#usage = usage;
  }

  /** The scripts in force now. */
  get usage(): ContainerUsage {
    return this.#usage;
  }

  /** Follows other scripts from `at` on, which must not lie before an earlier change. */
  change(at: EpochMs, usage: ContainerUsage): void {
    this.#earlier.push({ from: this.#since, to: at, usage: this.#usage });
    this.#since = at;
    this.#usage = usage;
  }

  /** Core-nanoseconds between two instants. */
  consumed(from: EpochMs, to: EpochMs): number {
    if (from >= this.#since) return integral(this.#usage.cpu, from, to);
    let total = to > this.#since ? integral(this.#usage.cpu, epochMs(this.#since), to) : 0;
    for (const segment of this.#earlier) {
      const [begin, end] = [epochMs(Math.max(from, segment.from)), epochMs(Math.min(to, segment.to))];
      if (begin < end) total += integral(segment.usage.cpu, begin, end);
    }
    return total;
  }

  /** Working set in bytes; a wave moves by whole pages, as memory does. */
  memoryAt(at: EpochMs): number {
    const { memory } =
      at >= this.#since ? this.#usage : (this.#earlier.find(({ to }) => at < to)?.usage ?? this.#usage);
    const value = valueAt(memory, at);
    return memory.kind === 'sine' ? value - (value % 4096) : value;
  }
}
