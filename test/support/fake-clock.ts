import type { Clock, Timer } from '../../src/model/clock.ts';
import { epochMs, monotonicMs, type EpochMs, type Milliseconds, type MonotonicMs } from '../../src/model/units.ts';

interface Pending {
  readonly due: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that stands still until `advance` moves it. Timers run in due order, with promises settled between them. */
export class FakeClock implements Clock {
  #wall: number;
  #monotonic = 0;
  #order = 0;
  readonly #pending = new Set<Pending>();

  constructor(start: string | number = '2026-11-22T10:00:00Z') {
    this.#wall = typeof start === 'number' ? start : Date.parse(start);
  }

  now(): EpochMs {
    return epochMs(this.#wall);
  }

  monotonic(): MonotonicMs {
    return monotonicMs(this.#monotonic);
  }

  after(delay: Milliseconds, callback: () => void): Timer {
    const pending = { due: this.#monotonic + Math.max(0, delay), order: this.#order++, callback };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  /** How many timers are waiting. */
  get waiting(): number {
    return this.#pending.size;
  }

  /** How long until the next timer is due; undefined when none waits. */
  get untilNext(): number | undefined {
    const due = [...this.#pending].map((pending) => pending.due);
    return due.length === 0 ? undefined : Math.min(...due) - this.#monotonic;
  }

  /** Moves time forward, running what falls due on the way. */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    await settle();
    for (;;) {
      const next = [...this.#pending].sort((a, b) => a.due - b.due || a.order - b.order)[0];
      if (next === undefined || next.due > end) break;
      this.#pending.delete(next);
      this.#step(next.due);
      next.callback();
      await settle();
    }
    this.#step(end);
    await settle();
  }

  /** Sets the wall clock alone, as an NTP step does. */
  jumpWall(ms: number): void {
    this.#wall += ms;
  }

  #step(to: number): void {
    this.#wall += to - this.#monotonic;
    this.#monotonic = to;
  }
}

/** Lets promise reactions and immediate I/O callbacks run. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}
