import type { Histogram, Registry } from 'prom-client';

/** One labelled series of a `RecordedHistogram`. */
export interface Recorder {
  /** Counts `times` observations of `value`. */
  observe(value: number, times?: number): void;
}

interface Series extends Recorder {
  readonly labels: Readonly<Record<string, string>>;
  /** Observations up to each bound and above the one before; the last is for everything above all bounds. */
  readonly counts: Float64Array;
  sum: number;
}

/**
 * A histogram for hot paths: an observation adds to a typed array, where prom-client's own hashes labels and walks an object. It stands in a prom-client
 * registry by answering `get()` as prom-client's does. Lists of 10,000 objects observe each one.
 */
export class RecordedHistogram {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly #bounds: Float64Array;
  readonly #series: Series[] = [];

  constructor(registry: Registry, name: string, help: string, bounds: readonly number[]) {
    this.name = name;
    this.help = help;
    this.#bounds = Float64Array.from(bounds);
    registry.registerMetric(this as unknown as Histogram);
  }

  /** Adds a series; its labels never change. */
  series(labels: Readonly<Record<string, string>> = {}): Recorder {
    const bounds = this.#bounds;
    const series: Series = {
      labels,
      counts: new Float64Array(bounds.length + 1),
      sum: 0,
      observe(value, times = 1) {
        let at = 0;
        while (at < bounds.length && value > (bounds[at] ?? 0)) at++;
        series.counts[at] = (series.counts[at] ?? 0) + times;
        series.sum += value * times;
      },
    };
    this.#series.push(series);
    return series;
  }

  /** What prom-client prints. */
  get(): Promise<unknown> {
    return Promise.resolve({
      name: this.name,
      help: this.help,
      type: this.type,
      aggregator: 'sum',
      values: this.#series.flatMap((series) => this.#values(series)),
    });
  }

  /** Part of prom-client's contract; counts only ever grow here. */
  reset(): void {}

  #values({ labels, counts, sum }: Series): { metricName: string; value: number; labels: object }[] {
    let total = 0;
    const buckets = [...counts].map((count, at) => {
      total += count;
      return { metricName: `${this.name}_bucket`, value: total, labels: { ...labels, le: this.#bounds[at] ?? '+Inf' } };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, value: sum, labels },
      { metricName: `${this.name}_count`, value: total, labels },
    ];
  }
}
