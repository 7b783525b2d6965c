import type { NodeInfo, PodBlock, PodInfo } from '../model/inventory.ts';
import type { EpochMs, MonotonicMs, Nanoseconds } from '../model/units.ts';
import type { ContainerWindow, NodeUsage, PodUsage } from '../model/window.ts';
import type { MetricsBlock } from './list.ts';
import type { EncodedObject, NodeMetrics, PodMetrics } from './objects.ts';
import type { UsageSource } from './sources.ts';

/** A Node or Pod and its usage, seen as an object of the API. */
class MetricsView<Info extends NodeInfo | PodInfo, Usage extends NodeUsage | PodUsage> {
  protected readonly info: Info;
  readonly usage: Usage;

  constructor(info: Info, usage: Usage) {
    this.info = info;
    this.usage = usage;
  }

  get name(): string {
    return this.info.name;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.info.labels;
  }

  get timestamp(): EpochMs {
    return this.usage.timestamp;
  }

  get window(): Nanoseconds {
    return this.usage.length;
  }

  get revision(): number {
    return this.usage.revision;
  }

  /** What is kept with usage is what was encoded of it; it begins anew when the Node or Pod has changed. */
  get encoded(): EncodedObject {
    const kept = this.usage.kept as EncodedObject | undefined;
    if (kept?.of === this.info) return kept;
    const encoded = { of: this.info, json: undefined, protobuf: undefined };
    this.usage.kept = encoded;
    return encoded;
  }
}

export class NodeMetricsView extends MetricsView<NodeInfo, NodeUsage> implements NodeMetrics {
  readonly kind = 'NodeMetrics';
}

export class PodMetricsView extends MetricsView<PodInfo, PodUsage> implements PodMetrics {
  readonly kind = 'PodMetrics';

  get namespace(): string {
    return this.info.namespace;
  }

  get nodeName(): string {
    return this.usage.nodeName;
  }

  get containers(): readonly ContainerWindow[] {
    return this.usage.containers;
  }
}

export class PodBlockView implements MetricsBlock {
  readonly #block: PodBlock;
  readonly #usage: UsageSource;

  constructor(block: PodBlock, usage: UsageSource) {
    this.#block = block;
    this.#usage = usage;
  }

  get pods(): readonly object[] {
    return this.#block.pods;
  }

  get kept(): object | undefined {
    return this.#block.kept;
  }

  set kept(kept: object | undefined) {
    this.#block.kept = kept;
  }

  now(): MonotonicMs {
    return this.#usage.now();
  }

  usage(place: number, now: MonotonicMs): PodUsage | undefined {
    const info = this.#block.pods[place];
    return info && this.#usage.pod(info, now);
  }

  object(place: number, usage: PodUsage): PodMetrics {
    const info = this.#block.pods[place];
    if (info === undefined) throw new RangeError(`no pod in place ${place}`);
    return new PodMetricsView(info, usage);
  }
}
