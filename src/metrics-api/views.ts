import type { NodeInfo, PodInfo } from '../model/inventory.ts';
import type { EpochMs, Nanoseconds } from '../model/units.ts';
import type { ContainerWindow, NodeUsage, PodUsage } from '../model/window.ts';
import type { EncodedObject, NodeMetrics, PodMetrics } from './objects.ts';

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
