import type { Clock, Timer } from '../model/clock.ts';
import type { Milliseconds } from '../model/units.ts';

/** Aborts `signal` after a time on the clock, or when the outer signal aborts; `clear` must be called in the end. */
export class Deadline {
  readonly #controller = new AbortController();
  readonly #timer: Timer;
  readonly #outer: AbortSignal | undefined;
  readonly #forward = (): void => this.#controller.abort();
  /** Time ran out, as opposed to the outer signal. */
  expired = false;

  constructor(clock: Clock, after: Milliseconds, outer?: AbortSignal) {
    this.#outer = outer;
    this.#timer = clock.after(after, () => {
      this.expired = true;
      this.#controller.abort();
    });
    if (outer?.aborted === true) this.#controller.abort();
    else outer?.addEventListener('abort', this.#forward, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Stops the time; the outer signal still aborts. */
  stopTimer(): void {
    this.#timer.cancel();
  }

  /** Stops the time and lets go of the outer signal. */
  clear(): void {
    this.#timer.cancel();
    this.#outer?.removeEventListener('abort', this.#forward);
  }
}
