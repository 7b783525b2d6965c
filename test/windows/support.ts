import type { CoreTime, ContainerSample, NodeReading, PodSample, Sample } from '../../src/model/sample.ts';
import type { NodeInfo } from '../../src/model/inventory.ts';
import { bytes, epochMs, milliseconds, nanocores } from '../../src/model/units.ts';
import type { Refusal } from '../../src/windows/refusal.ts';
import { WindowStore, type PodDirectory } from '../../src/windows/window-store.ts';
import { FakeClock } from '../support/fake-clock.ts';

export const begin = Date.parse('2026-11-22T10:00:00Z');
const resolution = 15_000;

export const node: NodeInfo = {
  name: 'worker-1',
  labels: {},
  addresses: [],
  kubeletPort: undefined,
  ready: true,
  cpuCapacity: nanocores(4e9),
  resourceMetricsPath: undefined,
};

/** A counter of core-nanoseconds. */
export function counter(value: bigint | number): CoreTime {
  const exact = BigInt(value);
  return { seconds: Number(exact / 1_000_000_000n), nanos: Number(exact % 1_000_000_000n) };
}

export interface SampleText {
  /** Seconds after `begin`. */
  readonly at?: number;
  readonly started?: number;
  /** Core-nanoseconds. */
  readonly used?: bigint | number;
  /** Nanocores. */
  readonly rate?: number;
  readonly memory?: number;
  readonly memoryUsage?: number;
}

const mebibyte = 1_048_576;

export function sample({ at, started, used, rate, memory, memoryUsage }: SampleText): Sample {
  return {
    startTime: started === undefined ? undefined : epochMs(begin + started * 1000),
    cpuTime: at === undefined ? undefined : epochMs(begin + at * 1000),
    cpu: used === undefined ? undefined : counter(used),
    cpuRate: rate === undefined ? undefined : nanocores(rate),
    memory: bytes(memory ?? 50 * mebibyte),
    memoryUsage: memoryUsage === undefined ? undefined : bytes(memoryUsage),
  };
}

export function container(name: string, text: SampleText): ContainerSample {
  return { name, ...sample(text) };
}

export function pod(name: string, ...containers: ContainerSample[]): PodSample {
  return { namespace: 'default', name, uid: `uid-${name}`, containers };
}

export function identity(name: string): { kubeletUid: string; namespace: string; name: string } {
  return { kubeletUid: `uid-${name}`, namespace: 'default', name };
}

/** A store with a clock that stands at `begin`, and the answers of one node. */
export class StoreTest {
  readonly clock = new FakeClock(begin);
  readonly refusals: Refusal[] = [];
  readonly running = new Set<string>();
  readonly store: WindowStore;

  constructor(directory: Partial<PodDirectory> = {}) {
    this.store = new WindowStore({
      clock: this.clock,
      resolution: milliseconds(resolution),
      maxAge: milliseconds(3 * resolution),
      pods: { pod: (_namespace, name) => (this.running.has(name) ? identity(name) : undefined), ...directory },
      onRefusal: (refusal) => this.refusals.push(refusal),
    });
  }

  /** The node answers `at` seconds after `begin`. */
  async answer(at: number, reading: Partial<NodeReading>, of: NodeInfo = node): Promise<void> {
    await this.clock.advance(begin + at * 1000 - this.clock.now());
    this.store.accept(of, {
      source: 'summary',
      timePrecision: 1000,
      node: undefined,
      pods: [],
      requestedAt: this.clock.monotonic(),
      answeredAt: this.clock.monotonic(),
      answeredAtWall: this.clock.now(),
      date: undefined,
      ...reading,
    });
  }

  /** The node answers with one container `app` of pod `web`. */
  async sample(at: number, text: SampleText): Promise<void> {
    await this.answer(at, { pods: [pod('web', container('app', text))] });
  }

  /** What is served of pod `web`: rate in nanocores, window in seconds, end in seconds after `begin`; undefined when it is absent. */
  get served(): { cpu: number; window: number; end: number } | undefined {
    const usage = this.store.pod(identity('web'));
    if (usage === undefined) return undefined;
    return {
      cpu: usage.containers.reduce((sum, { cpu }) => sum + cpu, 0),
      window: usage.length / 1e9,
      end: (usage.timestamp - begin) / 1000,
    };
  }
}
