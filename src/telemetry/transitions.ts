import type { Clock } from '../model/clock.ts';
import { messageChain } from '../model/errors.ts';
import type { MonotonicMs } from '../model/units.ts';
import type { LogFields, Logger } from './log.ts';

interface Condition {
  readonly since: MonotonicMs;
  count: number;
  /** Whether anybody was told that it started. */
  announced: boolean;
  /** The reasons already written, at most `greatestReasons`. */
  readonly reasons: Set<string>;
}

/** A condition whose reason keeps changing is not written about for ever. */
const greatestReasons = 4;

/**
 * Turns repeated failures of one thing into two log lines: one when it begins to fail (and one for each new reason), one when it works again,
 * with the number of failures and how long it lasted. Repeats in between are written at verbosity 4.
 */
export class Transitions {
  readonly #log: Logger;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #conditions = new Map<string, Condition>();

  constructor(log: Logger, clock: Pick<Clock, 'monotonic'>) {
    this.#log = log;
    this.#clock = clock;
  }

  /** How many things are failing now. */
  get failing(): number {
    return this.#conditions.size;
  }

  /**
   * Something failed, perhaps again.
   * @param key what failed; the same in every call about it.
   * @param quiet expected to fail, as a node that is not ready: written at verbosity 4 only, until it fails unexpectedly.
   */
  failed(key: string, error: unknown, message: string, fields?: LogFields, quiet = false): void {
    let condition = this.#conditions.get(key);
    if (condition === undefined) {
      condition = { since: this.#clock.monotonic(), count: 0, announced: false, reasons: new Set() };
      this.#conditions.set(key, condition);
    }
    condition.count++;
    const reason = messageChain(error);
    const fresh = condition.reasons.size < greatestReasons && !condition.reasons.has(reason);
    if (quiet || !fresh) {
      if (this.#log.enabled(4)) this.#log.verbose(4, message, { ...fields, reason, failures: condition.count });
      return;
    }
    condition.reasons.add(reason);
    condition.announced = true;
    this.#log.error(error, message, fields);
  }

  /** It works. Writes `message` when a failure had been written; true when it had been failing. */
  recovered(key: string, message: string, fields?: LogFields): boolean {
    const condition = this.#conditions.get(key);
    if (condition === undefined) return false;
    this.#conditions.delete(key);
    const seconds = Math.round((this.#clock.monotonic() - condition.since) / 1000);
    const all = { ...fields, failures: condition.count, seconds };
    if (condition.announced) this.#log.info(message, all);
    else this.#log.verbose(4, message, all);
    return true;
  }

  /** The thing is gone: nothing more will be said about it. */
  forget(key: string): void {
    this.#conditions.delete(key);
  }
}
