import { epochMs, monotonicMs, type EpochMs, type Milliseconds, type MonotonicMs } from './units.ts';

/** A pending call made by `Clock.after`. */
export interface Timer {
  /** Forgets the call; harmless when it has already happened. */
  cancel(): void;
}

/** Time as a parameter: production uses `systemClock`, tests a clock they move by hand. */
export interface Clock {
  /** Wall clock; may jump when the machine's clock is set. */
  now(): EpochMs;
  /** Never jumps; use it for durations. */
  monotonic(): MonotonicMs;
  /** Calls `callback` once after `delay`. The timer alone keeps the process alive only when it is `holding`. */
  after(delay: Milliseconds, callback: () => void, holding?: 'holding'): Timer;
}

export const systemClock: Clock = {
  now: () => epochMs(Date.now()),
  monotonic: () => monotonicMs(performance.now()),
  after(delay, callback, holding) {
    // setTimeout fires at once for delays above 2^31-1 ms.
    const timeout = setTimeout(callback, Math.min(delay, 0x7fffffff));
    if (holding === undefined) timeout.unref();
    return new SystemTimer(timeout);
  },
};

/** Thousands wait for the next scrape of a node: an object each, not a closure with its scope. */
class SystemTimer implements Timer {
  readonly #timeout: NodeJS.Timeout;

  constructor(timeout: NodeJS.Timeout) {
    this.#timeout = timeout;
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }
}

/** Resolves after `delay` on `clock`, or at once when `signal` aborts. */
export async function sleep(clock: Clock, delay: Milliseconds, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.after(delay, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}
