import type { Inventory } from '../../inventory/inventory.ts';
import type { Milliseconds } from '../../model/units.ts';
import type { Scraper } from '../../scrape/scraper.ts';
import { pingCheck, shutdownCheck, type HealthCheck } from '../../server/health.ts';
import type { WindowStore } from '../../windows/window-store.ts';

export interface ReadinessDependencies {
  readonly resolution: Milliseconds;
  readonly inventory: Inventory;
  readonly store: WindowStore;
  readonly scraper: Scraper;
  readonly isStopping: () => boolean;
}

/**
 * The named conditions behind the health endpoints, under metrics-server's names where it has them. Readiness is about having something to serve,
 * liveness about this process alone: a kubelet or API server that is away never gets it restarted.
 */
export function healthChecks({
  resolution,
  inventory,
  store,
  scraper,
  isStopping,
}: ReadinessDependencies): HealthCheck[] {
  return [
    pingCheck,
    { name: 'metric-storage-ready', endpoints: ['readyz'], check: storageReady(inventory, store) },
    {
      name: 'metric-informer-sync',
      endpoints: ['readyz'],
      check: () => (inventory.nodesSynced ? undefined : new Error('nodes have not been listed yet')),
    },
    {
      name: 'metadata-informer-sync',
      endpoints: ['readyz'],
      check: () => (inventory.podsSynced ? undefined : new Error('pods have not been listed yet')),
    },
    {
      name: 'metric-collection-timely',
      endpoints: ['livez'],
      check: () =>
        scraper.overdue <= 3 * resolution
          ? undefined
          : new Error(`a scrape is ${Math.round(scraper.overdue / 1000)} s overdue`),
    },
    shutdownCheck(isStopping),
  ];
}

/** Half of the ready nodes have been measured once since the start. From then on it holds: last good windows bridge what fails later. */
function storageReady(inventory: Inventory, store: WindowStore): () => Error | undefined {
  let reached = false;
  return () => {
    if (reached) return undefined;
    if (!inventory.synced) return new Error('nodes and pods have not been listed yet');
    const ready = inventory.nodes().filter((node) => node.ready);
    const measured = ready.filter(({ name }) => store.node(name) !== undefined).length;
    reached = measured * 2 >= ready.length;
    return reached ? undefined : new Error(`${measured} of ${ready.length} ready nodes have metrics`);
  };
}
