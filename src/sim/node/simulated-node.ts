import type { EpochMs } from '../../model/units.ts';
import { Housekeeping, rootPace, type Cgroup, type Sample } from './housekeeping.ts';
import { mix, seededRandom } from '../seeded-random.ts';
import type { SimulatedPod } from './simulated-pod.ts';

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

/** What runs on the node beside pods: nanocores and bytes. */
const system = { cpu: 100_000_000, memory: 536_870_912 };

/** A machine of the simulated cluster: its pods, and the cgroups above them. */
export class SimulatedNode implements Cgroup {
  readonly birth: NodeBirth;
  readonly #pods = new Map<string, SimulatedPod>();
  readonly #housekeeping: Housekeeping;
  #left: SimulatedPod[] = [];
  #retired = 0;

  constructor(birth: NodeBirth) {
    this.birth = birth;
    const kubepods: Cgroup = { cpuAt: (at) => this.#podsCpu(at), memoryAt: (at) => this.#podsMemory(at) };
    const random = seededRandom(mix(birth.seed, birth.number, 1));
    this.#housekeeping = new Housekeeping(kubepods, rootPace, random, birth.knownFrom);
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

  add(pod: SimulatedPod): void {
    this.#pods.set(pod.birth.uid, pod);
  }

  remove(pod: SimulatedPod, at: EpochMs): void {
    pod.remove(at);
    this.#pods.delete(pod.birth.uid);
    const isOld = ({ removedAt = at }: SimulatedPod): boolean => removedAt < at - remembered;
    for (const gone of this.#left) if (isOld(gone)) this.#retired += gone.cpuAt(at);
    this.#left = [...this.#left.filter((gone) => !isOld(gone)), pod];
  }

  /** All core-nanoseconds used on the node since it booted, up to `at`. */
  cpuAt(at: EpochMs): number {
    return this.#systemCpu(at) + this.#podsCpu(at);
  }

  /** The node's working set in bytes. */
  memoryAt(at: EpochMs): number {
    return system.memory + this.#podsMemory(at);
  }

  /** The last sample of the cgroup that holds all pods. */
  podsSample(now: EpochMs): Sample | undefined {
    return this.#housekeeping.sample(now);
  }

  /** The root cgroup's last sample, taken together with that of the pods. */
  rootSample(now: EpochMs): Sample | undefined {
    const pods = this.#housekeeping.sample(now);
    if (pods === undefined) return undefined;
    const { at, cpu, memory, rate } = pods;
    return {
      at,
      cpu: cpu + Math.round(this.#systemCpu(at)),
      memory: memory + system.memory,
      rate: rate + system.cpu,
    };
  }

  #systemCpu(at: EpochMs): number {
    return (system.cpu * (at - this.birth.bootedAt)) / 1000;
  }

  #podsCpu(at: EpochMs): number {
    let total = this.#retired;
    for (const pod of this.#pods.values()) total += pod.cpuAt(at);
    for (const pod of this.#left) total += pod.cpuAt(at);
    return total;
  }

  #podsMemory(at: EpochMs): number {
    let total = 0;
    for (const pod of this.#pods.values()) total += pod.memoryAt(at);
    for (const pod of this.#left) total += pod.memoryAt(at);
    return total;
  }
}
