import { sleep, type Clock, type Timer } from '../model/clock.ts';
import { asError } from '../model/errors.ts';
import type { NodeInfo } from '../model/inventory.ts';
import type { NodeReading } from '../model/sample.ts';
import { milliseconds, monotonicMs, seconds, type Milliseconds, type MonotonicMs } from '../model/units.ts';
import type { TakeReading } from './node-source.ts';
import { ScrapeError } from './scrape-error.ts';
import { backoff, phaseOf, shortestInterval, stepOf, untilDue } from './schedule.ts';

/** What happened to one request of a node. */
export interface Attempt {
  readonly node: NodeInfo;
  readonly duration: Milliseconds;
  /** Undefined: it succeeded. */
  readonly error: ScrapeError | undefined;
  /** The second request of a cycle. */
  readonly retry: boolean;
}

/** How a node's cycle ended. */
export interface CycleEnd {
  readonly node: NodeInfo;
  readonly duration: Milliseconds;
  /** Undefined: it succeeded. */
  readonly error: ScrapeError | undefined;
  /** Cycles failed in a row, this one included; 0 after a success. */
  readonly failures: number;
  /** The next cycle is put off by this much more than one resolution. */
  readonly backedOff: boolean;
}

export interface NodeCycleOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly resolution: Milliseconds;
  readonly requestTimeout: Milliseconds;
  /** How many nodes are scraped. */
  readonly nodeCount: () => number;
  /** Reads the node once and hands on what it answered; `signal` aborts when the node leaves. */
  readonly read: (node: NodeInfo, deadline: Milliseconds, signal: AbortSignal, take: TakeReading) => Promise<void>;
  /** Takes what was read; called as soon as the node answered. */
  readonly publish: (node: NodeInfo, reading: NodeReading) => void;
  /** A cycle begins, so much later than it was due. */
  readonly onStart: (delay: Milliseconds) => void;
  readonly onAttempt: (attempt: Attempt) => void;
  readonly onCycle: (end: CycleEnd) => void;
}

/** A failed request is repeated after this long, give or take half of it. */
const retryDelay = seconds(1);
/** Less time than this is not worth a repetition. */
const leastForRetry = seconds(1);

/** The scraping of one node: its own timer, one retry within the cycle, back-off while it fails. */
export class NodeCycle {
  readonly #options: NodeCycleOptions;
  readonly #phase: number;
  #node: NodeInfo;
  #timer: Timer | undefined;
  #dueAt = monotonicMs(0);
  #startedAt = monotonicMs(Number.NEGATIVE_INFINITY);
  /**
   * Aborts the cycle under way. Each has its own: listeners that come and go at a signal that stays leave a trail of old tables, and what hangs on these grows old
   * before it is found to be garbage, a quarter of all that did.
   */
  #underWay: AbortController | undefined;
  #gone = false;
  #failures = 0;
  readonly #begin = (): void => void this.#run();

  constructor(node: NodeInfo, options: NodeCycleOptions) {
    this.#node = node;
    this.#phase = phaseOf(node.name);
    this.#options = options;
  }

  /** Begins with a scrape at once. */
  start(): void {
    this.#schedule(milliseconds(0));
  }

  /** Ends for good; a request under way is abandoned. */
  stop(): void {
    this.#gone = true;
    this.#timer?.cancel();
    this.#underWay?.abort(new ScrapeError('timeout', 'the node left'));
  }

  /** The Node changed. One that turned ready is tried at once, whatever the back-off. */
  update(node: NodeInfo): void {
    const turnedReady = node.ready && !this.#node.ready;
    this.#node = node;
    if (turnedReady && this.#failures > 0) this.#advance(milliseconds(0));
  }

  /** Scrapes in `delay` unless that is due earlier anyway; never sooner than `shortestInterval` after the last time, and not a node that fails. */
  pullForward(delay: Milliseconds): void {
    if (this.#failures === 0) this.#advance(delay);
  }

  #advance(delay: Milliseconds): void {
    if (this.#underWay !== undefined || this.#timer === undefined) return;
    const now = this.#options.clock.monotonic();
    const at = Math.max(now + delay, this.#startedAt + shortestInterval);
    if (at < this.#dueAt) this.#schedule(milliseconds(at - now));
  }

  /** As it was last told of. */
  get node(): NodeInfo {
    return this.#node;
  }

  /** Cycles failed in a row. */
  get failures(): number {
    return this.#failures;
  }

  /** How long ago the next cycle should have begun; 0 while one is under way or none is due. */
  get overdue(): Milliseconds {
    return milliseconds(this.#underWay !== undefined ? 0 : Math.max(0, this.#options.clock.monotonic() - this.#dueAt));
  }

  #schedule(delay: Milliseconds): void {
    if (this.#gone) return;
    const { clock } = this.#options;
    this.#timer?.cancel();
    this.#dueAt = monotonicMs(clock.monotonic() + delay);
    this.#timer = clock.after(delay, this.#begin);
  }

  #step(): number {
    return stepOf(this.#phase, this.#options.nodeCount());
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { clock, resolution, random, onStart, onCycle } = this.#options;
    const underWay = new AbortController();
    this.#underWay = underWay;
    this.#startedAt = clock.monotonic();
    onStart(milliseconds(this.#startedAt - this.#dueAt));
    const next = untilDue(this.#step(), clock.now(), resolution, shortestInterval);
    const nextAt = monotonicMs(this.#startedAt + next);
    let error = await this.#attempt(this.#options.requestTimeout, underWay.signal, false);
    if (error !== undefined && this.#failures === 0) error = await this.#retry(error, nextAt, underWay.signal);
    this.#underWay = undefined;
    if (this.#gone) return;
    this.#failures = error === undefined ? 0 : this.#failures + 1;
    const now = clock.monotonic();
    const backedOff = this.#failures > 1;
    const rest = backedOff
      ? this.#startedAt + backoff(this.#failures, resolution, random) - now
      : now < nextAt
        ? nextAt - now
        : untilDue(this.#step(), clock.now(), resolution, milliseconds(0));
    onCycle({
      node: this.#node,
      duration: milliseconds(now - this.#startedAt),
      error,
      failures: this.#failures,
      backedOff,
    });
    this.#schedule(milliseconds(Math.max(0, rest)));
  }

  /** Once more within the cycle, if time is left for it: a single lost answer then leaves no trace. */
  async #retry(error: ScrapeError, nextAt: MonotonicMs, signal: AbortSignal): Promise<ScrapeError | undefined> {
    const { clock, random, requestTimeout } = this.#options;
    const delay = milliseconds(retryDelay * (0.5 + random()));
    const left = nextAt - clock.monotonic() - delay;
    if (left < leastForRetry) return error;
    await sleep(clock, delay, signal);
    if (this.#gone) return error;
    const again = await this.#attempt(milliseconds(Math.min(requestTimeout, left)), signal, true);
    // Told of the time that is configured, not of what was left of the cycle.
    return again?.code === 'timeout' && error.code === 'timeout' ? error : again;
  }

  async #attempt(deadline: Milliseconds, signal: AbortSignal, retry: boolean): Promise<ScrapeError | undefined> {
    const { clock, read, publish, onAttempt } = this.#options;
    const node = this.#node;
    const startedAt = clock.monotonic();
    let error: ScrapeError | undefined;
    try {
      await read(node, deadline, signal, (reading) => {
        if (!this.#gone) publish(node, reading);
      });
    } catch (thrown) {
      error =
        thrown instanceof ScrapeError
          ? thrown
          : new ScrapeError('internal', asError(thrown).message, { cause: thrown });
    }
    if (!this.#gone) onAttempt({ node, duration: milliseconds(clock.monotonic() - startedAt), error, retry });
    return error;
  }
}
