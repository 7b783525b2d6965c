import type { NodeInfo, ObjectKey, PodBlock, PodInfo } from '../model/inventory.ts';
import type { Part } from '../model/sorted.ts';
import type { MonotonicMs } from '../model/units.ts';
import type { NodeUsage, PodUsage } from '../model/window.ts';

/** What the cluster holds, as the inventory knows it. Lists are sorted in byte order, and not changed after they were given out. */
export interface ObjectSource {
  node(name: string): NodeInfo | undefined;
  /** By name. */
  nodes(): readonly NodeInfo[];
  pod(namespace: string, name: string): PodInfo | undefined;
  readonly podCount: number;
  podCountOf(namespace: string): number;
  /** By namespace, then name; of one namespace when it is given. */
  pods(namespace?: string, part?: Part<ObjectKey>): readonly PodInfo[];
  /** As `pods`, in blocks that stay the same as long as their pods do; those of each namespace as they are when its turn comes. */
  podBlocks(namespace?: string): Iterable<PodBlock>;
  /** Forgets what was kept with blocks. */
  forgetKept(): void;
  /** The pods of a namespace whose label `key` is `value`, by name. */
  podsWithLabel(namespace: string, key: string, value: string, part?: Part<ObjectKey>): readonly PodInfo[];
}

/** The usage that may be served now. Undefined: unknown, incomplete or too old. */
export interface UsageSource {
  node(name: string, now: MonotonicMs): NodeUsage | undefined;
  /** As the kubelet names it: its UID, and its name where static pods share one. */
  pod(pod: PodInfo, now: MonotonicMs): PodUsage | undefined;
  /** The present by which windows age. */
  now(): MonotonicMs;
}
