import type { Clock, Timer } from '../model/clock.ts';
import type { Milliseconds } from '../model/units.ts';

/** Aborts `signal` when nothing has been heard for a time, or when the outer signal aborts. */
export class Silence {
  readonly #clock: Clock;
  readonly #limit: Milliseconds;
  readonly #outer: AbortSignal;
  readonly #controller = new AbortController();
  readonly #forward = (): void => this.#controller.abort();
  #timer: Timer | undefined;
  /** The time ran out. */
  broken = false;

  constructor(clock: Clock, limit: Milliseconds, outer: AbortSignal) {
    this.#clock = clock;
    this.#limit = limit;
    this.#outer = outer;
    if (outer.aborted) this.#controller.abort();
    else outer.addEventListener('abort', this.#forward, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Something was heard: the time starts anew. */
  restart(): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.after(this.#limit, () => {
      this.broken = true;
      this.#controller.abort();
    });
  }

  /** Stops the time and lets go of the outer signal. */
  end(): void {
    this.#timer?.cancel();
    this.#outer.removeEventListener('abort', this.#forward);
  }
}
