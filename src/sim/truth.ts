import { bytes, nanocores, type Bytes, type EpochMs, type Nanocores } from '../model/units.ts';
import { SimError } from './sim-error.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { SimulatedPod } from './simulated-pod.ts';
import { micros } from './usage.ts';

/** What something really uses, for comparing with what is served. */
export interface Truth<Cpu, Memory> {
  /** Mean CPU rate from one instant to a later one; time in which nothing ran counts as 0. */
  trueRate(from: EpochMs, to: EpochMs): Cpu;
  /** Working set at an instant. */
  trueMemory(at: EpochMs): Memory;
}

interface Consumer {
  consumed(at: EpochMs): bigint;
  memoryAt(at: EpochMs): number;
}

/** @throws SimError `unknown-object` when the pod has no such container */
export function containerTruth(pod: SimulatedPod, name: string): Truth<Nanocores, Bytes> {
  const container = pod.container(name);
  if (container === undefined) throw new SimError('unknown-object', `pod ${pod.birth.name} has no container ${name}`);
  return truthOf(container);
}

/** Exact for instants within the last ten minutes. */
export function nodeTruth(node: SimulatedNode): Truth<Nanocores, Bytes> {
  return truthOf(node);
}

function truthOf(consumer: Consumer): Truth<Nanocores, Bytes> {
  return {
    trueRate(from, to) {
      const elapsed = micros(to) - micros(from);
      const used = consumer.consumed(to) - consumer.consumed(from);
      return nanocores(elapsed <= 0 ? 0 : Math.round(Number(used) / (elapsed / 1e6)));
    },
    trueMemory: (at) => bytes(consumer.memoryAt(at)),
  };
}
