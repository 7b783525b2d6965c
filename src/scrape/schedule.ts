import { createHash } from 'node:crypto';
import { milliseconds, seconds, type EpochMs, type Milliseconds } from '../model/units.ts';

/** Scrapes of one node are never nearer than this: kubelets take samples every 10 s at the most. */
export const shortestInterval = seconds(5);
/** A node that keeps failing is left alone for no more than this. */
const longestBackoff = seconds(60);

/** Where in the resolution a node is due: a hash of its name, 0 inclusive to 1 exclusive, so that load is even and replicas agree. */
export function phaseOf(nodeName: string): number {
  return createHash('sha1').update(nodeName).digest().readUInt32BE(0) / 2 ** 32;
}

/** So many nodes are due together: one after the other they find caches and connections warm, which saves a third of the CPU of scraping them one by one. */
const nodesTogether = 25;
/** In a cluster larger than this the steps follow each other so closely that all stays warm; and the bodies of 25 nodes at once would hold up clients for 30 ms. */
const largeCluster = 2000;
const nodesTogetherInLarge = 8;
/** Yet the load of few nodes is spread over the resolution in at least this many steps. */
const fewestSteps = 4;

/** A phase moved back to the beginning of its step, where nodes of nearly the same phase meet. */
export function stepOf(phase: number, nodeCount: number): number {
  const together = nodeCount > largeCluster ? nodesTogetherInLarge : nodesTogether;
  const steps = Math.max(fewestSteps, Math.ceil(nodeCount / together));
  return Math.floor(phase * steps) / steps;
}

/**
 * When a node of a phase is due, aligned to the wall clock: replicas see nearly the same windows, and neither slow answers nor stalls shift it.
 *
 * @returns how long from `now` until the first due time that is at least `notBefore` away
 */
export function untilDue(phase: number, now: EpochMs, resolution: Milliseconds, notBefore: Milliseconds): Milliseconds {
  const earliest = now + Math.max(0, notBefore);
  const sincePhase = (((earliest - phase * resolution) % resolution) + resolution) % resolution;
  return milliseconds(earliest - now + (sincePhase === 0 ? 0 : resolution - sincePhase));
}

/**
 * How long a node that failed `failures` cycles in a row is left alone: one resolution after the first, two after that, but no more than a minute (or the
 * resolution, if that is longer); less up to a fifth at random, so that nodes that failed together do not return together. It stays short because nothing
 * tells of a kubelet that works again: what is left alone longer is missing longer, and trying a dead one costs next to nothing.
 */
export function backoff(failures: number, resolution: Milliseconds, random: () => number): Milliseconds {
  if (failures <= 1) return resolution;
  return milliseconds(Math.max(resolution, Math.min(longestBackoff, 2 * resolution) * (1 - 0.2 * random())));
}
