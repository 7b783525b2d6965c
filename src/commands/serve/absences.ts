import type { Inventory } from '../../inventory/inventory.ts';
import type { ObjectKey, PodInfo } from '../../model/inventory.ts';
import { inBatches } from '../../model/sorted.ts';
import type { WindowStore } from '../../windows/window-store.ts';

/** So many nodes or pods are not served for one reason. */
export interface Absences {
  readonly resource: 'nodes' | 'pods';
  readonly reason: string;
  readonly count: number;
}

/** Pods looked at in one turn: a millisecond. */
const stretch = 5000;

/**
 * Counts the nodes and pods that are not served, by reason; yields where others may have a turn. A pod that no node has told of is `not_scraped` when its node never was scraped.
 * @param nodeOf where a pod runs, if the API server was asked; any other may run on any node that was never scraped
 */
export function* absences(
  inventory: Pick<Inventory, 'nodes' | 'pods'>,
  store: Pick<WindowStore, 'node' | 'nodeAbsence' | 'pod' | 'podAbsence'>,
  nodeOf: (pod: PodInfo) => string | undefined,
): Generator<void, readonly Absences[]> {
  const counts = { nodes: new Map<string, number>(), pods: new Map<string, number>() };
  const add = (resource: 'nodes' | 'pods', reason: string): void => {
    counts[resource].set(reason, 1 + (counts[resource].get(reason) ?? 0));
  };
  const unscraped = new Set<string>();
  for (const { name } of inventory.nodes()) {
    if (store.node(name) !== undefined) continue;
    const { reason } = store.nodeAbsence(name);
    if (reason === 'not_scraped') unscraped.add(name);
    add('nodes', reason);
  }
  for (const pods of inBatches<ObjectKey, PodInfo>(stretch, (part) => inventory.pods(undefined, part))) {
    for (const pod of pods) {
      if (store.pod(pod) !== undefined) continue;
      const node = nodeOf(pod);
      const nodeScraped = node === undefined ? unscraped.size === 0 : !unscraped.has(node);
      add('pods', store.podAbsence(pod, nodeScraped).reason);
    }
    yield;
  }
  return (['nodes', 'pods'] as const).flatMap((resource) =>
    Array.from(counts[resource], ([reason, count]) => ({ resource, reason, count })),
  );
}
