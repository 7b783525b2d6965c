import { bytes, milliseconds, nanocores } from '../../model/units.ts';
import { mix, seededRandom } from '../seeded-random.ts';
import type { ContainerUsage } from './usage.ts';

/** Where a container stands in the cluster; all count from 0. */
export interface ContainerPlace {
  readonly node: number;
  readonly pod: number;
  readonly container: number;
}

/** Gives every container its scripts. Must answer the same for the same place. */
export type UsagePlan = (place: ContainerPlace) => ContainerUsage;

const mebibyte = 1_048_576;

/** Every container at a constant 5 to 204 millicores and 20 to 319 MiB: the easiest truth to compare with. */
export const steadyUsage: UsagePlan = ({ node, pod, container }) => ({
  cpu: { kind: 'constant', value: nanocores(steadyMillicores(node, pod, container) * 1e6) },
  memory: { kind: 'constant', value: bytes(steadyBytes(node, pod, container)) },
});

const steadyMillicores = (node: number, pod: number, container: number): number =>
  5 + ((node * 7 + pod * 3 + container) % 200);
const steadyBytes = (node: number, pod: number, container: number): number =>
  (20 + ((node * 5 + pod * 11 + container) % 300)) * mebibyte + 4096 * ((node + pod) % 200);

/** A livelier cluster: most containers constant, some waving, some spiking, some nearly idle; repeatable by seed. */
export function mixedUsage(seed: number): UsagePlan {
  return (place) => {
    const random = seededRandom(mix(seed, place.node, place.pod, place.container));
    const level = 1e6 * Math.round(4 + 196 * random() ** 2);
    const memory = 4096 * Math.round((16 * mebibyte + 384 * mebibyte * random() ** 2) / 4096);
    const kind = random();
    const steady = { kind: 'constant', value: bytes(memory) } as const;
    if (kind < 0.5) return { cpu: { kind: 'constant', value: nanocores(level) }, memory: steady };
    if (kind < 0.6) return { cpu: { kind: 'constant', value: nanocores(300_000) }, memory: steady };
    const period = milliseconds(1000 * Math.round(120 + 480 * random()));
    if (kind < 0.85)
      return {
        cpu: { kind: 'sine', mean: nanocores(level), amplitude: nanocores(Math.round(level * 0.8)), period },
        memory: { kind: 'sine', mean: bytes(memory), amplitude: bytes(4096 * Math.round(memory / 40_960)), period },
      };
    const width = milliseconds(period / 4);
    return {
      cpu: { kind: 'spike', base: nanocores(level), peak: nanocores(level * 5), every: period, width },
      memory: { kind: 'spike', base: bytes(memory), peak: bytes(memory + 32 * mebibyte), every: period, width },
    };
  };
}
