import { bytes, epochMs, milliseconds, nanocores, type EpochMs } from '../model/units.ts';
import { Housekeeping, rootPace, type CachedSample, type CgroupReading } from './housekeeping.ts';
import { mix, seededRandom } from './seeded-random.ts';
import type { SimulatedPod } from './simulated-pod.ts';
import { UsageTimeline, type ContainerUsage } from './usage.ts';

export interface NodeBirth {
  readonly name: string;
  readonly uid: string;
  /** Counts nodes from 0. */
  readonly number: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly bootedAt: EpochMs;
  /** From when the kubelet samples. */
  readonly knownFrom: EpochMs;
  readonly cpus: number;
  readonly memory: number;
  readonly seed: number;
}

/** Pods that left longer ago than this keep only the sum of what they used. */
const remembered = 600_000;

/** What runs on the node beside pods. */
const overhead: ContainerUsage = {
  cpu: { kind: 'constant', value: nanocores(100_000_000) },
  memory: { kind: 'constant', value: bytes(536_870_912) },
};

/** A machine of the simulated cluster: its pods, and the cgroups above them. */
export class SimulatedNode {
  readonly birth: NodeBirth;
  readonly #system = new UsageTimeline(overhead);
  readonly #pods = new Map<string, SimulatedPod>();
  readonly #root: Housekeeping;
  readonly #kubepods: Housekeeping;
  #left: SimulatedPod[] = [];
  #retired = 0n;
  #revision = 0;

  constructor(birth: NodeBirth) {
    this.birth = birth;
    this.#root = new Housekeeping(rootPace, seededRandom(mix(birth.seed, birth.number, 1)), birth.knownFrom);
    const late = epochMs(birth.knownFrom + milliseconds(700));
    this.#kubepods = new Housekeeping(rootPace, seededRandom(mix(birth.seed, birth.number, 2)), late);
  }

  get name(): string {
    return this.birth.name;
  }

  get pods(): Iterable<SimulatedPod> {
    return this.#pods.values();
  }

  get podCount(): number {
    return this.#pods.size;
  }

  /** Grows with every pod that comes or goes and every call of `touch`. */
  get revision(): number {
    return this.#revision;
  }

  add(pod: SimulatedPod): void {
    this.#pods.set(pod.birth.uid, pod);
    this.touch();
  }

  remove(pod: SimulatedPod, at: EpochMs): void {
    pod.remove(at);
    this.#pods.delete(pod.birth.uid);
    this.#left.push(pod);
    const [old, recent] = [this.#left, [] as SimulatedPod[]];
    for (const gone of old) {
      const since = gone.removedAt ?? at;
      if (since < at - remembered) this.#retired += gone.consumed(since);
      else recent.push(gone);
    }
    this.#left = recent;
    this.touch();
  }

  /** Says that something about the node's pods changed, so documents made earlier are out of date. */
  touch(): void {
    this.#revision++;
  }

  /** All core-nanoseconds used on the node since it booted, up to `at`. */
  consumed(at: EpochMs): bigint {
    return this.#system.cpuIntegral(at) - this.#system.cpuIntegral(this.birth.bootedAt) + this.#podsConsumed(at);
  }

  /** The node's working set in bytes. */
  memoryAt(at: EpochMs): number {
    return this.#system.memoryAt(at) + this.#podsMemory(at);
  }

  /** The root cgroup's last sample. */
  rootSample(now: EpochMs): CachedSample | undefined {
    return this.#root.sample(now, (at) => ({ at, cpu: this.consumed(at), memory: this.memoryAt(at) }));
  }

  /** The last sample of the cgroup that holds all pods. */
  podsSample(now: EpochMs): CachedSample | undefined {
    const read = (at: EpochMs): CgroupReading => ({
      at,
      cpu: this.#podsConsumed(at),
      memory: this.#podsMemory(at),
    });
    return this.#kubepods.sample(now, read);
  }

  /** When one of the node's own two samples will next change. */
  nextSample(): EpochMs {
    return epochMs(Math.min(this.#root.next, this.#kubepods.next));
  }

  #podsConsumed(at: EpochMs): bigint {
    let total = this.#retired;
    for (const pod of this.#pods.values()) total += pod.consumed(at);
    for (const pod of this.#left) total += pod.consumed(at);
    return total;
  }

  #podsMemory(at: EpochMs): number {
    let total = 0;
    for (const pod of this.#pods.values()) total += pod.memoryAt(at);
    for (const pod of this.#left) total += pod.memoryAt(at);
    return total;
  }
}
