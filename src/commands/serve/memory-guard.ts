import type { Clock, Timer } from '../../model/clock.ts';
import { bytes, monotonicMs, seconds, type Bytes, type Milliseconds, type MonotonicMs } from '../../model/units.ts';
import type { LogFields, Logger } from '../../telemetry/log.ts';

/** The two ways to run out of memory: the kernel ends a process above its limit, V8 one whose heap is full. */
export interface ProcessMemory {
  /** Resident memory, or the limit for it. */
  readonly process: Bytes;
  /** Of JavaScript objects, garbage included. */
  readonly heap: Bytes;
}

/** What is held in memory only because it saves work. */
export interface Droppable {
  readonly name: string;
  drop(): void;
}

export interface MemoryGuardOptions {
  readonly limits: ProcessMemory;
  /** Must be cheap: it is asked before every large answer. */
  readonly use: () => ProcessMemory;
  /** Gives free memory back to the system, while nothing else runs. */
  readonly collectGarbage: () => void;
  /** Called once, when the heap is no longer small. */
  readonly outgrown: () => void;
  /** In the order in which it is given up: one thing more each time when all before was not enough. */
  readonly droppable: readonly Droppable[];
  /** Gives up what large answers left for the next, when there was none for long. */
  readonly tidy: () => void;
  /** Hears what was given up for want of memory, `garbage` included. */
  readonly onDrop: (name: string) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Shares of a limit. From the high mark on memory is given up, until the low mark is reached, and no large answer is begun. What is above it is for the answers under
 * way, for garbage until it is collected, and for the pages of the program itself, without which the kernel reads the disk at every step.
 */
const highMark = 0.85;
const lowMark = 0.75;
const lookPeriod = seconds(1);
/** Between two collections. Nothing else runs while one does, so they get a twentieth of the time at most. */
const shortestPause = seconds(5);
const pausePerCollection = 20;
/** Below the low mark before a shortage counts as over, so that one that comes and goes is told once. */
const calmPeriod = seconds(60);

/**
 * When none has begun for so long, the garbage of the last ones is collected; a while later what they left for the next is given up, and collected as well. V8 gives
 * back the space of new objects only when it marks, which a heap that is steady again may not need for hours: with 7,000 pods a process of 112 MiB kept 150 after a hundred
 * lists, now 28 less, and 32 less later. In a heap that is larger than so much, it is little of the whole, and a collection takes long.
 */
const afterLargeAnswers = {
  collected: seconds(1),
  givenUp: seconds(30),
  shortestPause: seconds(600),
  largestHeap: bytes(100 * 1024 ** 2),
};

/**
 * What no large answer left, as the start does, is collected as well, in a small heap: soon after the start, and so long after the last calm collection of either kind. V8's own memory reducer would do it
 * every 106 s where little is going on, which is a twelfth of the CPU of scraping 100 nodes, so the image runs without that; but then V8 lets 20 MiB of garbage stay from the start on.
 */
const routine = {
  calm: seconds(30),
  pause: seconds(600),
};

/** With 200 nodes x 70 pods it is 30 MiB, with 1,000 x 30 it is 50. What keeps memory small is worth a little time only below. */
const largestSmallHeap = bytes(40 * 1024 ** 2);

/** One that large answers are followed by. */
interface LaterCollection {
  /** How long there must have been none. */
  readonly calm: Milliseconds;
  due: boolean;
  notBefore: MonotonicMs;
}

interface Shortage {
  readonly since: MonotonicMs;
  /** How many things the next relief gives up, counted from the first. */
  dropping: number;
  /** Which have been told of. */
  readonly told: Set<string>;
  refused: number;
  calmSince: MonotonicMs | undefined;
}

/** Keeps the process below its memory limits: gives up what can be made again, then refuses what takes much memory. Collects in calm moments what V8 would keep. */
export class MemoryGuard {
  readonly #options: MemoryGuardOptions;
  #shortage: Shortage | undefined;
  #nextRelief: MonotonicMs;
  #lastLargeAnswer: MonotonicMs;
  /** Since that. */
  #tidied = true;
  readonly #laterCollections: readonly LaterCollection[];
  #nextRoutine: MonotonicMs;
  #isSmall = true;
  #timer: Timer | undefined;

  constructor(options: MemoryGuardOptions) {
    this.#options = options;
    const now = options.clock.monotonic();
    this.#nextRelief = now;
    this.#lastLargeAnswer = now;
    this.#nextRoutine = now;
    const { collected, givenUp } = afterLargeAnswers;
    this.#laterCollections = [collected, givenUp].map((calm) => ({ calm, due: false, notBefore: now }));
  }

  /** Looks once a second from now on. */
  start(): void {
    this.#timer = this.#options.clock.after(lookPeriod, () => {
      this.#look();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** The greater of the shares of both limits in use, 0 to 1. */
  get pressure(): number {
    const { limits, use } = this.#options;
    const { process, heap } = use();
    return Math.max(process / limits.process, heap / limits.heap);
  }

  /** Whether an answer that takes much memory may be made. It looks at once: thirty may be asked for within a second. What can wait for calm does not keep the answer waiting. */
  admitsLargeAnswer(): boolean {
    this.#relieveIfDue();
    if (this.pressure < highMark) return true;
    const shortage = this.#begin();
    if (shortage.refused++ === 0) this.#options.log.warning('Refusing large lists to save memory', this.#figures());
    return false;
  }

  /** An answer begins that takes much memory, or leaves much for the next. */
  largeAnswerBegins(): void {
    this.#lastLargeAnswer = this.#options.clock.monotonic();
    this.#tidied = false;
    for (const collection of this.#laterCollections) collection.due = true;
  }

  #look(): void {
    const { use, outgrown } = this.#options;
    if (this.#isSmall && use().heap > largestSmallHeap) {
      this.#isSmall = false;
      outgrown();
    }
    const { pressure } = this;
    if (pressure >= highMark) this.#relieveIfDue();
    else {
      this.#endAfterCalm(pressure < lowMark);
      this.#collectInCalm();
    }
  }

  #relieveIfDue(): void {
    if (this.pressure >= highMark && this.#options.clock.monotonic() >= this.#nextRelief) this.#relieve();
  }

  #collectInCalm(): void {
    const { clock, use, tidy, collectGarbage } = this.#options;
    const { givenUp, shortestPause, largestHeap } = afterLargeAnswers;
    const now = clock.monotonic();
    const calm = now - this.#lastLargeAnswer;
    if (!this.#tidied && calm >= givenUp) {
      tidy();
      this.#tidied = true;
    }
    const due = this.#laterCollections.filter((later) => later.due && calm >= later.calm && now >= later.notBefore);
    for (const collection of due) collection.due = false;
    const isRoutine = due.length === 0 && calm >= routine.calm && now >= this.#nextRoutine;
    if (due.length === 0 && !isRoutine) return;
    if (use().heap > (isRoutine ? largestSmallHeap : largestHeap)) return;
    this.#nextRoutine = monotonicMs(now + routine.pause);
    collectGarbage();
    for (const collection of due) collection.notBefore = monotonicMs(now + shortestPause);
  }

  /** Collects garbage; when the last time was not enough, gives up one thing more before. */
  #relieve(): void {
    const { collectGarbage, droppable, onDrop, clock } = this.#options;
    const dropped = droppable.slice(0, this.#shortage?.dropping ?? 0);
    for (const held of dropped) {
      held.drop();
      onDrop(held.name);
    }
    const begun = clock.monotonic();
    collectGarbage();
    onDrop('garbage');
    const now = clock.monotonic();
    this.#nextRelief = monotonicMs(now + Math.max(shortestPause, (now - begun) * pausePerCollection));
    if (this.#shortage !== undefined) this.#tellDropped(dropped, this.#shortage.told);
    if (this.pressure >= lowMark) this.#begin().dropping = dropped.length + 1;
  }

  #tellDropped(dropped: readonly Droppable[], told: Set<string>): void {
    for (const { name } of dropped) {
      if (!told.has(name)) this.#options.log.info('Dropped what can be made again', { what: name, ...this.#figures() });
      told.add(name);
    }
  }

  #begin(): Shortage {
    const { clock, log } = this.#options;
    if (this.#shortage === undefined) {
      this.#shortage = { since: clock.monotonic(), dropping: 0, told: new Set(), refused: 0, calmSince: undefined };
      log.warning('Memory is short', this.#figures());
    }
    this.#shortage.calmSince = undefined;
    return this.#shortage;
  }

  #endAfterCalm(calm: boolean): void {
    const shortage = this.#shortage;
    if (shortage === undefined) return;
    const now = this.#options.clock.monotonic();
    shortage.calmSince = calm ? (shortage.calmSince ?? now) : undefined;
    if (shortage.calmSince === undefined || now - shortage.calmSince < calmPeriod) return;
    this.#shortage = undefined;
    this.#options.log.info('Memory suffices again', {
      ...this.#figures(),
      refused: shortage.refused,
      seconds: Math.round((now - shortage.since) / 1000),
    });
  }

  #figures(): LogFields {
    const { limits, use } = this.#options;
    const { process, heap } = use();
    return {
      residentMiB: mebibytes(process),
      limitMiB: mebibytes(limits.process),
      heapMiB: mebibytes(heap),
      heapLimitMiB: mebibytes(limits.heap),
    };
  }
}

/** For log lines. */
export function mebibytes(size: Bytes): number {
  return Math.round(size / 1024 ** 2);
}
