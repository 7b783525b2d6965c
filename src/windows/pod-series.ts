import type { ContainerSample } from '../model/sample.ts';
import type { ContainerWindow, PodUsage } from '../model/window.ts';
import { monotonicMs, type EpochMs, type MonotonicMs } from '../model/units.ts';
import type { Absence } from './refusal.ts';
import type { SampleTable } from './sample-table.ts';
import { Series, type Acceptance, type ReadingContext } from './series.ts';

/** A pod as kubelets name it. */
export interface PodIdentity {
  readonly kubeletUid: string;
  readonly namespace: string;
  readonly name: string;
}

interface ContainerSeries {
  readonly name: string;
  readonly series: Series;
  /** The answer that mentioned it last, by its number: it runs if that is the newest. */
  seenIn: number;
}

/** The series of one pod's containers. */
export class PodSeries {
  readonly nodeName: string;
  readonly identity: PodIdentity;
  /** The newest answer of the node mentions it. */
  reported = false;
  readonly #table: SampleTable;
  #containers: ContainerSeries[] = [];
  #answers = 0;
  /** Made when it is asked for, kept until a window changes. */
  #usage: PodUsage | undefined;
  /** Until when the window of every running container may be served. */
  #goodUntil = monotonicMs(Number.NEGATIVE_INFINITY);

  constructor(table: SampleTable, nodeName: string, identity: PodIdentity) {
    this.#table = table;
    this.nodeName = nodeName;
    this.identity = identity;
  }

  get containerCount(): number {
    return this.#containers.length;
  }

  /** Takes in what the node says of the pod now. Containers it does not mention have ended, or are between two runs. */
  accept(
    containers: readonly ContainerSample[],
    context: ReadingContext,
    each: (acceptance: Acceptance, series: Series) => void,
  ): void {
    this.reported = true;
    this.#answers++;
    let changed = this.#usage?.containers.length !== containers.length;
    for (const sample of containers) {
      const container = this.#container(sample.name);
      const before = container.series.windowsMade;
      each(container.series.accept(sample, context, true), container.series);
      changed ||= container.series.windowsMade !== before || container.seenIn < this.#answers - 1;
      container.seenIn = this.#answers;
    }
    this.#forgetEnded(context.readAt);
    if (changed) this.#usage = undefined;
    this.#goodUntil = this.#earliestEnd();
  }

  /** The pod's usage, or undefined while a running container has no window or a window is too old. */
  usage(now: MonotonicMs): PodUsage | undefined {
    return now <= this.#goodUntil ? (this.#usage ??= this.#assemble()) : undefined;
  }

  /** Ends of the windows that make up `usage`, without making it. */
  *servedEnds(now: MonotonicMs): Generator<EpochMs> {
    if (now > this.#goodUntil) return;
    for (const container of this.#containers) {
      const end = this.#runs(container) ? container.series.windowEnd : undefined;
      if (end !== undefined) yield end;
    }
  }

  /** Whether some window may still be served. */
  hasFreshWindow(now: MonotonicMs): boolean {
    return this.#containers.some(({ series }) => series.goodUntil >= now);
  }

  /** Why `usage` is undefined. */
  absence(now: MonotonicMs): Absence {
    for (const container of this.#containers) {
      if (!this.#runs(container)) continue;
      const { name, series } = container;
      if (series.window === undefined) return { reason: series.refusal ?? 'first_sample', container: name };
      if (series.goodUntil < now) return { reason: series.refusal ?? 'expired', container: name };
    }
    return { reason: 'not_reported' };
  }

  dispose(): void {
    for (const { series } of this.#containers) series.dispose();
    this.#containers = [];
    this.#usage = undefined;
  }

  #container(name: string): ContainerSeries {
    let container = this.#containers.find((candidate) => candidate.name === name);
    if (container === undefined) {
      container = { name, series: new Series(this.#table), seenIn: Number.NEGATIVE_INFINITY };
      this.#containers.push(container);
      this.#containers.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    }
    return container;
  }

  #runs(container: ContainerSeries): boolean {
    return container.seenIn === this.#answers;
  }

  #earliestEnd(): MonotonicMs {
    let earliest = Number.POSITIVE_INFINITY;
    for (const container of this.#containers)
      if (this.#runs(container)) earliest = Math.min(earliest, container.series.goodUntil);
    return monotonicMs(earliest === Number.POSITIVE_INFINITY ? Number.NEGATIVE_INFINITY : earliest);
  }

  /** A container between two runs keeps its last good window as long as that may be served, so a restart leaves no gap. */
  #forgetEnded(now: MonotonicMs): void {
    const isOver = (container: ContainerSeries): boolean => !this.#runs(container) && container.series.goodUntil < now;
    if (!this.#containers.some(isOver)) return;
    for (const container of this.#containers) if (isOver(container)) container.series.dispose();
    this.#containers = this.#containers.filter((container) => !isOver(container));
  }

  #assemble(): PodUsage | undefined {
    const containers: ContainerWindow[] = [];
    let earliest: ContainerWindow | undefined;
    for (const container of this.#containers) {
      if (!this.#runs(container)) continue;
      const { name, series } = container;
      if (series.window === undefined) return undefined;
      const { timestamp, length, cpu, memory } = series.window;
      const window = { name, timestamp, length, cpu, memory };
      containers.push(window);
      if (earliest === undefined || window.timestamp < earliest.timestamp) earliest = window;
    }
    if (earliest === undefined) return undefined;
    return { nodeName: this.nodeName, timestamp: earliest.timestamp, length: earliest.length, containers, derived: {} };
  }
}
