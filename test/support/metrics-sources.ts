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
  readonly #nodes = new Map<string, NodeInfo>();
  readonly #pods = new Map<string, PodInfo>();
  readonly #nodeUsage = new Map<string, NodeUsage>();
  readonly #podUsage = new Map<string, PodUsage>();

  addNode(info: NodeInfo, usage: NodeUsage | undefined = nodeUsage()): this {
    this.#nodes.set(info.name, info);
    if (usage !== undefined) this.#nodeUsage.set(info.name, usage);
    return this;
  }

  addPod(info: PodInfo, usage: PodUsage | 'none' = podUsage('node-a')): this {
    this.#pods.set(`${info.namespace}/${info.name}`, info);
    if (usage === 'none') this.#podUsage.delete(info.kubeletUid);
    else this.#podUsage.set(info.kubeletUid, usage);
    return this;
  }

  forgetNodeUsage(name: string): void {
    this.#nodeUsage.delete(name);
  }

  removePod(namespace: string, name: string): void {
    this.#pods.delete(`${namespace}/${name}`);
  }

  readonly objects: ObjectSource = {
    node: (name) => this.#nodes.get(name),
    nodes: () => [...this.#nodes.values()].sort((a, b) => compare(a.name, b.name)),
    pod: (namespace, name) => this.#pods.get(`${namespace}/${name}`),
    pods: (namespace) =>
      [...this.#pods.values()]
        .filter((pod) => namespace === undefined || pod.namespace === namespace)
        .sort((a, b) => compare(a.namespace, b.namespace) || compare(a.name, b.name)),
  };

  readonly usage: UsageSource = {
    node: (name) => this.#nodeUsage.get(name),
    pod: ({ kubeletUid }) => this.#podUsage.get(kubeletUid),
    now: () => monotonicMs(0),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
