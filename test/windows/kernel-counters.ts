import { readFileSync } from 'node:fs';

/** Counters of the kernel (`cpuacct.usage`, core-nanoseconds) of some containers, read again and again; linear between the readings. */
export class KernelCounters {
  readonly #times: readonly number[];
  readonly #counters: ReadonlyMap<string, readonly number[]>;

  /** @param file a table with a column `ms` (since the epoch) and one for each container */
  constructor(file: URL) {
    const [header = '', ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
    const rows = lines.map((line) => line.split(',').map(Number));
    const column = (index: number): number[] => rows.map((row) => row[index] ?? Number.NaN);
    const [, ...containers] = header.split(',');
    this.#times = column(0);
    this.#counters = new Map(containers.map((name, index) => [name, column(index + 1)]));
  }

  /** The counter at a time in milliseconds since the epoch; NaN before and after the recording. */
  at(container: string, time: number): number {
    const counters = this.#counters.get(container) ?? [];
    const after = firstNotBelow(this.#times, time);
    return interpolate(time, after, this.#times, counters);
  }

  /** When the counter passed a value; NaN for one that it stayed at. */
  passed(container: string, value: number): number {
    const counters = this.#counters.get(container) ?? [];
    const after = firstNotBelow(counters, value);
    return counters[after] === counters[after + 1] ? Number.NaN : interpolate(value, after, counters, this.#times);
  }
}

/** Of ascending numbers. */
function firstNotBelow(numbers: readonly number[], bound: number): number {
  let [below, notBelow] = [-1, numbers.length];
  while (notBelow - below > 1) {
    const middle = (below + notBelow) >> 1;
    if ((numbers[middle] ?? Number.NaN) < bound) below = middle;
    else notBelow = middle;
  }
  return notBelow;
}

/** What belongs to `x`, which lies between the arguments numbered `after - 1` and `after`. */
function interpolate(x: number, after: number, xs: readonly number[], ys: readonly number[]): number {
  const [x1 = Number.NaN, x0 = Number.NaN] = [xs[after], xs[after - 1]];
  const [y1 = Number.NaN, y0 = Number.NaN] = [ys[after], ys[after - 1]];
  return y0 + ((y1 - y0) * (x - x0)) / (x1 - x0);
}
