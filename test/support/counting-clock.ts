import { systemClock, type Clock, type Timer } from '../../src/model/clock.ts';
import { monotonicMs, type EpochMs, type Milliseconds, type MonotonicMs } from '../../src/model/units.ts';

interface Waiting {
  readonly delay: Milliseconds;
  readonly due: MonotonicMs;
  readonly callback: () => void;
}

const every = 5;

/**
 * Real time with timers of its own, give or take 5 ms: it knows how many wait, and can hurry them. Node's would leave objects behind for as long as they were
 * to wait, although they were cancelled.
 */
export class CountingClock implements Clock {
  readonly #waiting = new Set<Waiting>();
  readonly #ticks = setInterval(() => this.#run(({ due }) => due <= this.monotonic()), every);

  now(): EpochMs {
    return systemClock.now();
  }

  monotonic(): MonotonicMs {
    return systemClock.monotonic();
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Runs at once what was to wait no longer than this, so that a test need not. */
  hurry(longest: Milliseconds): void {
    this.#run(({ delay }) => delay <= longest);
  }

  after(delay: Milliseconds, callback: () => void): Timer {
    const timer = { delay, due: monotonicMs(this.monotonic() + delay), callback };
    this.#waiting.add(timer);
    return { cancel: () => void this.#waiting.delete(timer) };
  }

  /** Nothing runs any more. */
  stop(): void {
    clearInterval(this.#ticks);
  }

  #run(isDue: (timer: Waiting) => boolean): void {
    for (const timer of [...this.#waiting].filter(isDue)) if (this.#waiting.delete(timer)) timer.callback();
  }
}
