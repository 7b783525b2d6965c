import type { NodeInfo, PodInfo } from '../model/inventory.ts';
import type { EpochMs, Nanoseconds } from '../model/units.ts';
import type { ContainerWindow, NodeUsage, PodUsage } from '../model/window.ts';
import type { EncodedObject, NodeMetrics, PodMetrics } from './objects.ts';

/** A Node and its usage, seen as NodeMetrics. */
export class NodeMetricsView implements NodeMetrics {
  readonly kind = 'NodeMetrics';
  readonly #info: NodeInfo;
  readonly usage: NodeUsage;

  constructor(info: NodeInfo, usage: NodeUsage) {
    this.#info = info;
    this.usage = usage;
  }

  get name(): string {
    return this.#info.name;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.#info.labels;
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

  get encoded(): EncodedObject {
    return encodedOf(this.#info, this.usage);
  }
}

/** A Pod and its usage, seen as PodMetrics. */
export class PodMetricsView implements PodMetrics {
  readonly kind = 'PodMetrics';
  readonly #info: PodInfo;
  readonly #usage: PodUsage;

  constructor(info: PodInfo, usage: PodUsage) {
    this.#info = info;
    this.#usage = usage;
  }

  get name(): string {
    return this.#info.name;
  }

  get namespace(): string {
    return this.#info.namespace;
  }

  get labels(): Readonly<Record<string, string>> {
    return this.#info.labels;
  }

  get nodeName(): string {
    return this.#usage.nodeName;
  }

  get timestamp(): EpochMs {
    return this.#usage.timestamp;
  }

  get window(): Nanoseconds {
    return this.#usage.length;
  }

  get containers(): readonly ContainerWindow[] {
    return this.#usage.containers;
  }

  get revision(): number {
    return this.#usage.revision;
  }

  get encoded(): EncodedObject {
    return encodedOf(this.#info, this.#usage);
  }
}

/** What is kept with usage is what was encoded of it; it begins anew when the Node or Pod has changed. */
function encodedOf(info: NodeInfo | PodInfo, usage: NodeUsage | PodUsage): EncodedObject {
  const kept = usage.kept as EncodedObject | undefined;
  if (kept?.of === info) return kept;
  const encoded = { of: info, json: undefined, protobuf: undefined };
  usage.kept = encoded;
  return encoded;
}
