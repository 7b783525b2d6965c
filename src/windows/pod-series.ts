import type { ContainerSample } from '../model/sample.ts';
import type { ContainerWindow, PodUsage, PodUsageSeries } from '../model/window.ts';
import { epochMs, nanoseconds, type EpochMs, type MonotonicMs, type Nanoseconds } from '../model/units.ts';
import type { Census } from './census.ts';
import type { Absence } from './refusal.ts';
import type { SeriesTable } from './series-table.ts';
import { Series, type Acceptance, type ReadingContext } from './series.ts';

/** A pod as kubelets name it. */
export interface PodIdentity {
  readonly kubeletUid: string;
  readonly namespace: string;
  readonly name: string;
  /** As of PodInfo. */
  series?: PodUsageSeries | undefined;
}

class ContainerSeries extends Series {
  readonly name: string;
  /** The answer that mentioned it last, by its number: it runs if that is the newest. */
  seenIn = -1;

  constructor(table: SeriesTable, name: string) {
    super(table);
    this.name = name;
  }
}

const none: readonly ContainerSeries[] = [];
/** Before all times. */
const never = -1;

/** The series of one pod's containers; what it tells as its usage may be served while `usage` says so. */
export class PodSeries implements PodIdentity, PodUsage, PodUsageSeries {
  readonly nodeName: string;
  readonly kubeletUid: string;
  readonly namespace: string;
  readonly name: string;
  kept: object | undefined;
  /** The newest answer of the node mentions it. */
  reported = false;
  readonly #table: SeriesTable;
  #containers: readonly ContainerSeries[] = none;
  #answers = 0;
  #revision = 0;
  /** Its usage may be served until then, in whole milliseconds: small integers (until the process is 24 days old) stand in the object itself. Lists of all pods ask each of them. */
  #goodUntil = never;

  constructor(table: SeriesTable, nodeName: string, { kubeletUid, namespace, name }: PodIdentity) {
    this.#table = table;
    this.nodeName = nodeName;
    this.kubeletUid = kubeletUid;
    this.namespace = namespace;
    this.name = name;
  }

  get revision(): number {
    return this.#revision;
  }

  get timestamp(): EpochMs {
    return this.#earliest?.timestamp ?? epochMs(Number.NaN);
  }

  get length(): Nanoseconds {
    return this.#earliest?.length ?? nanoseconds(Number.NaN);
  }

  get containers(): readonly ContainerWindow[] {
    const windows: ContainerWindow[] = [];
    for (const container of this.#containers) {
      if (!this.#runs(container)) continue;
      const { name, timestamp, length, cpu, memory } = container;
      windows.push({ name, timestamp, length, cpu, memory });
    }
    return windows;
  }

  /** Takes in what the node says of the pod now. Containers it does not mention have ended, or are between two runs. */
  accept(
    containers: readonly ContainerSample[],
    context: ReadingContext,
    each: (acceptance: Acceptance, series: Series) => void,
  ): void {
    this.reported = true;
    this.#answers++;
    let changed = false;
    let ranBefore = 0;
    for (const container of this.#containers) if (container.seenIn === this.#answers - 1) ranBefore++;
    for (const sample of containers) {
      const container = this.#container(sample.name);
      const before = container.windowsMade;
      each(container.accept(sample, context, true), container);
      changed ||= container.windowsMade !== before || container.seenIn < this.#answers - 1;
      container.seenIn = this.#answers;
    }
    this.#forgetEnded(context.readAt);
    if (changed || ranBefore !== containers.length) this.#revision++;
    this.#goodUntil = this.#wholeUntil();
  }

  /** The pod's usage, or undefined while a running container has no window or a window is too old. */
  usage(now: MonotonicMs): PodUsage | undefined {
    return this.#goodUntil >= now ? this : undefined;
  }

  /** Counts the windows that make up the usage that may be served. */
  countServed(now: MonotonicMs, census: Census): void {
    if (this.usage(now) === undefined) return;
    for (const container of this.#containers) if (this.#runs(container)) census.add(container.timestamp);
  }

  /** Whether some window may still be served. */
  hasFreshWindow(now: MonotonicMs): boolean {
    return this.#containers.some(({ goodUntil }) => goodUntil >= now);
  }

  /** Why `usage` is undefined. */
  absence(now: MonotonicMs): Absence {
    for (const container of this.#containers) {
      if (!this.#runs(container)) continue;
      const { name, refusal, windowsMade, goodUntil } = container;
      if (windowsMade === 0) return { reason: refusal ?? 'first_sample', container: name };
      if (goodUntil < now) return { reason: refusal ?? 'expired', container: name };
    }
    return { reason: 'not_reported' };
  }

  dispose(): void {
    for (const container of this.#containers) container.dispose();
    this.#containers = none;
    this.#goodUntil = never;
    this.kept = undefined;
  }

  #container(name: string): ContainerSeries {
    const known = this.#containers.find((candidate) => candidate.name === name);
    if (known !== undefined) return known;
    const container = new ContainerSeries(this.#table, name);
    // `push` would leave room for sixteen more.
    this.#containers = this.#containers.concat(container).sort((a, b) => (a.name < b.name ? -1 : 1));
    return container;
  }

  /** The earliest time at which the window of a running container may be served no longer; `never` where one has none, or none runs. */
  #wholeUntil(): number {
    let until = Number.POSITIVE_INFINITY;
    for (const container of this.#containers) if (this.#runs(container)) until = Math.min(until, container.goodUntil);
    return Number.isFinite(until) ? Math.floor(until) : never;
  }

  #runs(container: ContainerSeries): boolean {
    return container.seenIn === this.#answers;
  }

  /** The running container whose window ended first; undefined while none has a window. */
  get #earliest(): ContainerSeries | undefined {
    let earliest: ContainerSeries | undefined;
    for (const container of this.#containers)
      if (this.#runs(container) && container.timestamp < (earliest?.timestamp ?? Number.POSITIVE_INFINITY))
        earliest = container;
    return earliest;
  }

  /** A container between two runs keeps its last good window as long as that may be served, so a restart leaves no gap. */
  #forgetEnded(now: MonotonicMs): void {
    const isOver = (container: ContainerSeries): boolean => !this.#runs(container) && container.goodUntil < now;
    if (!this.#containers.some(isOver)) return;
    for (const container of this.#containers) if (isOver(container)) container.dispose();
    this.#containers = this.#containers.filter((container) => !isOver(container));
  }
}
