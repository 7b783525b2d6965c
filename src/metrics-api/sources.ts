import type { NodeInfo, PodInfo } from '../model/inventory.ts';
import type { MonotonicMs } from '../model/units.ts';
import type { NodeUsage, PodUsage } from '../model/window.ts';

/** What the cluster holds, as the inventory knows it. Lists are sorted in byte order; they are not changed after they were given out, and the same until something changes. */
export interface ObjectSource {
  node(name: string): NodeInfo | undefined;
  /** By name. */
  nodes(): readonly NodeInfo[];
  pod(namespace: string, name: string): PodInfo | undefined;
  /** By namespace, then name; of one namespace when it is given. */
  pods(namespace?: string): readonly PodInfo[];
  /** The pods of a namespace whose label `key` is `value`, by name: an index, where there is one. */
  podsWithLabel?(namespace: string, key: string, value: string): readonly PodInfo[];
}

/** The usage that may be served now. Undefined: unknown, incomplete or too old. */
export interface UsageSource {
  node(name: string, now: MonotonicMs): NodeUsage | undefined;
  /** As the kubelet names it: its UID, and its name where static pods share one. */
  pod(pod: PodInfo, now: MonotonicMs): PodUsage | undefined;
  /** The present by which windows age. */
  now(): MonotonicMs;
}
