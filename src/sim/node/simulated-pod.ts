import type { EpochMs } from '../../model/units.ts';
import { containerPace, Housekeeping, type Cgroup, type Sample } from './housekeeping.ts';
import type { Random } from '../seeded-random.ts';
import type { SimulatedContainer } from './simulated-container.ts';

export interface PodIdentity {
  readonly namespace: string;
  readonly name: string;
  /** `metadata.uid` at the API server. */
  readonly uid: string;
  /** `podRef.uid` at the kubelet: the config hash of a static pod, otherwise the same. */
  readonly kubeletUid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface PodBirth extends PodIdentity {
  readonly nodeName: string;
  readonly containers: readonly SimulatedContainer[];
  readonly createdAt: EpochMs;
  /** `status.startTime`: when the kubelet accepted the pod. */
  readonly startedAt: EpochMs;
  /** When its main containers started; before it the phase is Pending. */
  readonly runningAt: EpochMs;
  /** From when the kubelet samples the pod's cgroup. */
  readonly knownFrom: EpochMs;
  readonly random: Random;
  /** `spec` as somebody created it; absent for pods the simulation made itself. */
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** A pod bound to a simulated node. */
export class SimulatedPod implements Cgroup {
  readonly birth: PodBirth;
  /** When it was taken from its node. */
  removedAt: EpochMs | undefined;
  readonly #housekeeping: Housekeeping;

  constructor(birth: PodBirth) {
    this.birth = birth;
    this.#housekeeping = new Housekeeping(this, containerPace, birth.random, birth.knownFrom);
  }

  /** Stops every container at `at`, for good. */
  remove(at: EpochMs): void {
    this.removedAt = at;
    for (const container of this.birth.containers) container.end(at);
  }

  phaseAt(at: EpochMs): 'Pending' | 'Running' {
    return at < this.birth.runningAt ? 'Pending' : 'Running';
  }

  /** The container of this name, or undefined. */
  container(name: string): SimulatedContainer | undefined {
    return this.birth.containers.find((container) => container.name === name);
  }

  /** All core-nanoseconds of all its containers up to `at`. */
  cpuAt(at: EpochMs): number {
    let total = 0;
    for (const container of this.birth.containers) total += container.cpuAt(at);
    return total;
  }

  /** Working sets of the containers running at `at`, in bytes. */
  memoryAt(at: EpochMs): number {
    let total = 0;
    for (const container of this.birth.containers) total += container.memoryAt(at);
    return total;
  }

  /** The pod cgroup's own sample, taken at other times than those of its containers. */
  sample(now: EpochMs): Sample | undefined {
    return this.#housekeeping.sample(now);
  }
}
