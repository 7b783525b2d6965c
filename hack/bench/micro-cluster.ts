import type { Clock } from '../../src/model/clock.ts';
import { Inventory } from '../../src/inventory/inventory.ts';
import { MetricsCatalog } from '../../src/metrics-api/catalog.ts';
import type { NodeInfo, PodInfo } from '../../src/model/inventory.ts';
import type { NodeReading } from '../../src/model/sample.ts';
import { epochMs, milliseconds, monotonicMs, nanocores, bytes } from '../../src/model/units.ts';
import { WindowStore } from '../../src/windows/window-store.ts';
import type { ClusterSize } from './settings.ts';

const resolution = 15_000;
const start = Date.parse('2026-11-22T10:00:00Z');

/** Inventory, windows and catalogue of a cluster in this process, fed by hand. */
export class MicroCluster {
  readonly inventory = new Inventory();
  readonly store: WindowStore;
  readonly catalog: MetricsCatalog;
  readonly #size: ClusterSize;
  /** Scrapes so far; time stands still between them. */
  #round = 0;
  readonly #clock: Clock = {
    now: () => epochMs(start + this.#round * resolution),
    monotonic: () => monotonicMs(this.#round * resolution),
    after: () => ({ cancel: () => {} }),
  };

  constructor(size: ClusterSize) {
    this.#size = size;
    this.store = new WindowStore({
      clock: this.#clock,
      resolution: milliseconds(resolution),
      maxAge: milliseconds(3 * resolution),
      pods: this.inventory,
    });
    this.catalog = new MetricsCatalog(this.inventory, this.store);
    this.inventory.nodeSink.replace(Array.from({ length: size.nodes }, (_, node) => nodeInfo(node)));
    this.inventory.podSink.replace(
      Array.from({ length: size.nodes * size.podsPerNode }, (_, number) =>
        podInfo(Math.floor(number / size.podsPerNode), number % size.podsPerNode),
      ),
    );
  }

  /** A scrape of every node, a resolution after the last. */
  feed(): void {
    this.#round++;
    for (const node of this.inventory.nodes()) this.store.accept(node, this.reading(node));
  }

  /** What a node answers now. */
  reading(node: NodeInfo): NodeReading {
    const number = Number(node.name.slice('node-'.length));
    const now = this.#clock.now();
    return {
      source: 'summary',
      timePrecision: 1000,
      node: undefined,
      pods: Array.from({ length: this.#size.podsPerNode }, (_, pod) => {
        const { namespace, name, uid } = podInfo(number, pod);
        const sample = {
          name: 'main',
          startTime: epochMs(start - 86_400_000),
          cpuTime: epochMs(now - 5_000),
          cpu: { seconds: 4_000_000 + this.#round, nanos: 1_000_003 * pod + number },
          cpuRate: nanocores(66_666_666),
          memory: bytes(52_428_800 + 4096 * pod),
          memoryUsage: bytes(62_914_560),
        };
        return { namespace, name, uid, containers: [sample] };
      }),
      requestedAt: this.#clock.monotonic(),
      answeredAt: this.#clock.monotonic(),
      answeredAtWall: now,
      date: undefined,
    };
  }
}

const digits = (number: number): string => String(number).padStart(5, '0');

function nodeInfo(number: number): NodeInfo {
  return {
    name: `node-${digits(number)}`,
    labels: { 'kubernetes.io/os': 'linux' },
    addresses: [],
    kubeletPort: 10_250,
    ready: true,
    cpuCapacity: nanocores(32e9),
    resourceMetricsPath: undefined,
  };
}

function podInfo(node: number, pod: number): PodInfo {
  const uid = `00000000-0000-4000-8000-${String(node).padStart(6, '0')}${String(pod).padStart(6, '0')}`;
  const labels = { app: `app-${pod}`, tier: pod % 3 === 0 ? 'front' : 'back' };
  return {
    namespace: `team-${pod % 10}`,
    name: `app-${pod}-${digits(node)}`,
    labels,
    uid,
    kubeletUid: uid,
    series: undefined,
  };
}
