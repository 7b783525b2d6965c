import { Inventory } from '../../src/inventory/inventory.ts';
import type { ObjectSource, UsageSource } from '../../src/metrics-api/sources.ts';
import type { NodeUsage, PodUsage } from '../../src/model/window.ts';
import type { NodeInfo, PodInfo } from '../../src/model/inventory.ts';
import { bytes, epochMs, monotonicMs, nanocores, nanoseconds } from '../../src/model/units.ts';

const timestamp = epochMs(Date.parse('2026-11-22T10:15:34Z'));
const length = nanoseconds(10_000_000_000);

export function nodeInfo(name: string, labels: Record<string, string> = {}): NodeInfo {
  return {
    name,
    labels,
    addresses: [],
    kubeletPort: undefined,
    ready: true,
    cpuCapacity: undefined,
    resourceMetricsPath: undefined,
  };
}

export function podInfo(namespace: string, name: string, labels: Record<string, string> = {}): PodInfo {
  const uid = `uid-${namespace}-${name}`;
  return { namespace, name, labels, uid, kubeletUid: uid };
}

export function nodeUsage(cpu = 100_000_000): NodeUsage {
  return { timestamp, length, cpu: nanocores(cpu), memory: bytes(1024 ** 3), revision: 1, kept: undefined };
}

export function podUsage(nodeName: string, ...containers: string[]): PodUsage {
  const names = containers.length === 0 ? ['c0', 'c1'] : containers;
  const used = { timestamp, length, cpu: nanocores(7_000_001), memory: bytes(3 * 1024 ** 2) };
  const windows = names.map((name) => ({ ...used, name }));
  return { nodeName, timestamp, length, containers: windows, revision: 1, kept: undefined };
}

/** Nodes and pods that a test adds, changes and removes. */
export class TestCluster {
  readonly #inventory = new Inventory();
  readonly #nodeUsage = new Map<string, NodeUsage>();
  readonly #podUsage = new Map<string, PodUsage>();

  addNode(info: NodeInfo, usage: NodeUsage | undefined = nodeUsage()): this {
    this.#inventory.nodeSink.upsert(info);
    if (usage !== undefined) this.#nodeUsage.set(info.name, usage);
    return this;
  }

  addPod(info: PodInfo, usage: PodUsage | 'none' = podUsage('node-a')): this {
    this.#inventory.podSink.upsert(info);
    if (usage === 'none') this.#podUsage.delete(info.kubeletUid);
    else this.#podUsage.set(info.kubeletUid, usage);
    return this;
  }

  forgetNodeUsage(name: string): void {
    this.#nodeUsage.delete(name);
  }

  forgetPodUsage(namespace: string, name: string): void {
    this.#podUsage.delete(podInfo(namespace, name).kubeletUid);
  }

  /** What encoders made of pods. */
  forgetKept(): void {
    for (const usage of this.#podUsage.values()) usage.kept = undefined;
  }

  removePod(namespace: string, name: string): void {
    this.#inventory.podSink.remove(podInfo(namespace, name));
  }

  readonly objects: ObjectSource = this.#inventory;

  readonly usage: UsageSource = {
    node: (name) => this.#nodeUsage.get(name),
    pod: ({ kubeletUid }) => this.#podUsage.get(kubeletUid),
    now: () => monotonicMs(0),
  };
}
