import { milliseconds, type Milliseconds } from '../model/units.ts';

/** Exponential delays between attempts, with jitter so that many clients do not return at once. */
export class Backoff {
  readonly #initial: Milliseconds;
  readonly #max: Milliseconds;
  readonly #random: () => number;
  #attempts = 0;

  constructor(initial: Milliseconds, max: Milliseconds, random: () => number = Math.random) {
    this.#initial = initial;
    this.#max = max;
    this.#random = random;
  }

  /** The delay before the next attempt: `initial * 2^n`, at most `max`, times 0.5 .. 1. */
  next(): Milliseconds {
    const whole = Math.min(this.#max, this.#initial * 2 ** Math.min(this.#attempts++, 30));
    return milliseconds(whole * (0.5 + this.#random() / 2));
  }

  /** After progress: the next failure starts from `initial` again. */
  reset(): void {
    this.#attempts = 0;
  }
}
