import type { Clock } from '../model/clock.ts';
import type { Milliseconds } from '../model/units.ts';

/**
 * Lets a bounded number of scrapes begin at once: thousands of TLS handshakes at a time would stall everything. Who stays longer than `patience`
 * is only waiting for a slow kubelet and no longer counts, so nodes that hang hold nobody up.
 */
export class Gate {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #patience: Milliseconds;
  /** Each takes the place of who leaves: that is never free in between. */
  readonly #queue: (() => void)[] = [];
  #inside = 0;

  constructor(clock: Clock, limit: number, patience: Milliseconds) {
    this.#clock = clock;
    this.#limit = limit;
    this.#patience = patience;
  }

  /** Runs `work` as soon as there is room. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#inside < this.#limit) this.#inside++;
    else await new Promise<void>((resolve) => this.#queue.push(resolve));
    let counted = true;
    const leave = (): void => {
      if (!counted) return;
      counted = false;
      const next = this.#queue.shift();
      if (next === undefined) this.#inside--;
      else next();
    };
    const timer = this.#clock.after(this.#patience, leave);
    try {
      return await work();
    } finally {
      timer.cancel();
      leave();
    }
  }
}
