import { bytes, nanocores, type Bytes, type EpochMs, type Nanocores } from '../../model/units.ts';
import type { Cgroup } from './housekeeping.ts';

/** What something really uses, for comparing with what is served. Of nodes it is exact for the last ten minutes. */
export interface Truth<Cpu, Memory> {
  /** Mean CPU rate from one instant to a later one; time in which nothing ran counts as 0. */
  trueRate(from: EpochMs, to: EpochMs): Cpu;
  /** Working set at an instant. */
  trueMemory(at: EpochMs): Memory;
}

/** The truth about a container, a pod or a node. */
export function truthOf(cgroup: Cgroup): Truth<Nanocores, Bytes> {
  return {
    trueRate(from, to) {
      const used = cgroup.cpuAt(to) - cgroup.cpuAt(from);
      return nanocores(to <= from ? 0 : Math.round((used * 1000) / (to - from)));
    },
    trueMemory: (at) => bytes(cgroup.memoryAt(at)),
  };
}
