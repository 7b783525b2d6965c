import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Milliseconds } from '../model/units.ts';
import { resolutionBuckets, type MetricEntry } from './metric-catalogue.ts';
import { RecordedHistogram } from './recorded-histogram.ts';

type ObservedValues = readonly (readonly [string[], number | undefined])[];

/** Makes the metrics of the catalogue in a registry of its own. */
export class MetricRegistry {
  readonly registry = new Registry();
  readonly #perNode: boolean;
  readonly #resolution: Milliseconds;

  constructor(perNode: boolean, resolution: Milliseconds) {
    this.#perNode = perNode;
    this.#resolution = resolution;
  }

  counter({ name, help, labels }: MetricEntry): Counter {
    return new Counter({ name, help, labelNames: [...labels], registers: [this.registry] });
  }

  /** Has no value until it is set. */
  gauge(entry: MetricEntry): Gauge {
    const gauge = new Gauge({
      name: entry.name,
      help: entry.help,
      labelNames: this.#labels(entry),
      registers: [this.registry],
    });
    withdrawZero(gauge, this.#labels(entry));
    return gauge;
  }

  /** A gauge whose values, each under its labels in the entry's order, are asked for at every reading. */
  observedGauge(entry: MetricEntry, values: () => ObservedValues | Promise<ObservedValues>): void {
    const gauge: Gauge = new Gauge({
      name: entry.name,
      help: entry.help,
      labelNames: [...entry.labels],
      registers: [this.registry],
      async collect() {
        const observed = await values();
        gauge.reset();
        withdrawZero(gauge, entry.labels);
        for (const [labels, value] of observed) if (value !== undefined) gauge.labels(...labels).set(value);
      },
    });
  }

  histogram(entry: MetricEntry): Histogram {
    return new Histogram({
      name: entry.name,
      help: entry.help,
      labelNames: this.#labels(entry),
      buckets: [...this.#buckets(entry)],
      registers: [this.registry],
    });
  }

  recordedHistogram(entry: MetricEntry): RecordedHistogram {
    return new RecordedHistogram(this.registry, entry.name, entry.help, this.#buckets(entry));
  }

  #labels({ labels, perNode }: MetricEntry): string[] {
    return perNode === true && this.#perNode ? [...labels, 'node'] : [...labels];
  }

  #buckets({ buckets = [] }: MetricEntry): readonly number[] {
    return buckets === 'resolution' ? resolutionBuckets(this.#resolution / 1000) : buckets;
  }
}

/** prom-client gives a gauge without labels a 0 from the start, which would be a lie where nothing is known. */
function withdrawZero(gauge: Gauge, labels: readonly string[]): void {
  if (labels.length === 0) gauge.remove();
}
