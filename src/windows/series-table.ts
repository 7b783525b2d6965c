import type { CoreTime } from '../model/sample.ts';
import {
  epochMs,
  milliseconds,
  monotonicMs,
  type EpochMs,
  type Milliseconds,
  type MonotonicMs,
} from '../model/units.ts';

declare const slotBrand: unique symbol;
/** The row of one series in a SeriesTable. */
export type Slot = number & { readonly [slotBrand]: true };

/** A counter reading as rates need it. */
export interface CounterSample {
  /** As reported. The true time lies in `[time + early, time + late]`: sources truncate, and neighbours can tell more. */
  readonly time: EpochMs;
  readonly early: Milliseconds;
  readonly late: Milliseconds;
  readonly cpu: CoreTime;
  /** Middle of the request that brought it, on our own clock. */
  readonly readAt: MonotonicMs;
  /** The counter was read this close to `readAt`; undefined where the source had its statistics from before the request. */
  readonly readWithin: Milliseconds | undefined;
}

/** Samples kept of each series: enough to reach 60 s back at the 15-20 s that kubelets sample busy containers. */
export const samplesPerSeries = 5;

const columns = 6;
const rowLength = samplesPerSeries * columns;

/** What is kept of each series beside its samples, each a number that is NaN until it is set. */
export const seriesColumn = {
  startTime: 0,
  /** The last good window. */
  timestamp: 1,
  length: 2,
  cpu: 3,
  memory: 4,
  goodUntil: 5,
  lastGoodUntil: 6,
} as const;
export type SeriesColumn = (typeof seriesColumn)[keyof typeof seriesColumn];
const seriesColumns = 7;

/** Milliseconds; stands for anything longer. */
const longestReadWithin = 0xfffe;

/**
 * The newest samples and the last window of every series, as numbers in few arrays: 150,000 series as objects would be millions of small objects
 * for the garbage collector to walk. Rows are reused after `free`.
 */
export class SeriesTable {
  #cells = new Float64Array(64 * rowLength);
  /** Whole milliseconds plus one; 0 for undefined. */
  #readWithin = new Uint16Array(64 * samplesPerSeries);
  #numbers = new Float64Array(64 * seriesColumns);
  #newest = new Uint8Array(64);
  #counts = new Uint8Array(64);
  #rows = 0;
  readonly #free: Slot[] = [];

  /** Series in use. */
  get size(): number {
    return this.#rows - this.#free.length;
  }

  /** An empty row. */
  allocate(): Slot {
    if (this.#free.length === 0 && this.#rows === this.#counts.length) this.#grow();
    const slot = this.#free.pop() ?? (this.#rows++ as Slot);
    this.#numbers.fill(Number.NaN, slot * seriesColumns, (slot + 1) * seriesColumns);
    return slot;
  }

  /** Gives a row back; the caller must not use it again. */
  free(slot: Slot): void {
    this.clear(slot);
    this.#free.push(slot);
  }

  /** Forgets the samples of a row. */
  clear(slot: Slot): void {
    this.#counts[slot] = 0;
  }

  count(slot: Slot): number {
    return this.#counts[slot] ?? 0;
  }

  /** Adds the newest sample, dropping the oldest of a full row. */
  append(slot: Slot, sample: CounterSample): void {
    const position = ((this.#newest[slot] ?? 0) + 1) % samplesPerSeries;
    const cell = slot * rowLength + position * columns;
    this.#cells[cell] = sample.time;
    this.#cells[cell + 1] = sample.early;
    this.#cells[cell + 2] = sample.late;
    this.#cells[cell + 3] = sample.cpu.seconds;
    this.#cells[cell + 4] = sample.cpu.nanos;
    this.#cells[cell + 5] = sample.readAt;
    this.#readWithin[slot * samplesPerSeries + position] =
      sample.readWithin === undefined ? 0 : 1 + Math.min(longestReadWithin, Math.ceil(sample.readWithin));
    this.#newest[slot] = position;
    this.#counts[slot] = Math.min(samplesPerSeries, this.count(slot) + 1);
  }

  /** The sample `back` places before the newest; undefined when there are not so many. */
  sample(slot: Slot, back: number): CounterSample | undefined {
    if (back >= this.count(slot)) return undefined;
    const position = this.#position(slot, back);
    const cell = slot * rowLength + position * columns;
    const readWithin = this.#readWithin[slot * samplesPerSeries + position] ?? 0;
    return {
      time: epochMs(this.#cell(cell)),
      early: milliseconds(this.#cell(cell + 1)),
      late: milliseconds(this.#cell(cell + 2)),
      cpu: { seconds: this.#cell(cell + 3), nanos: this.#cell(cell + 4) },
      readAt: monotonicMs(this.#cell(cell + 5)),
      readWithin: readWithin === 0 ? undefined : milliseconds(readWithin - 1),
    };
  }

  /** Corrects what is known of the true time of the newest sample. */
  setNewestBounds(slot: Slot, early: number, late: number): void {
    const cell = slot * rowLength + this.#position(slot, 0) * columns;
    this.#cells[cell + 1] = early;
    this.#cells[cell + 2] = late;
  }

  number(slot: Slot, column: SeriesColumn): number {
    return this.#numbers[slot * seriesColumns + column] ?? Number.NaN;
  }

  setNumber(slot: Slot, column: SeriesColumn, value: number): void {
    this.#numbers[slot * seriesColumns + column] = value;
  }

  #position(slot: Slot, back: number): number {
    return ((this.#newest[slot] ?? 0) + samplesPerSeries - back) % samplesPerSeries;
  }

  #cell(index: number): number {
    return this.#cells[index] ?? Number.NaN;
  }

  #grow(): void {
    const rows = this.#counts.length * 2;
    this.#cells = extend(new Float64Array(rows * rowLength), this.#cells);
    this.#readWithin = extend(new Uint16Array(rows * samplesPerSeries), this.#readWithin);
    this.#numbers = extend(new Float64Array(rows * seriesColumns), this.#numbers);
    this.#newest = extend(new Uint8Array(rows), this.#newest);
    this.#counts = extend(new Uint8Array(rows), this.#counts);
  }
}

function extend<Columns extends Float64Array | Uint16Array | Uint8Array>(larger: Columns, smaller: Columns): Columns {
  larger.set(smaller);
  return larger;
}
