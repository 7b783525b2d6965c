import type { Inventory } from '../../inventory/inventory.ts';
import type { NodeInfo } from '../../model/inventory.ts';
import { milliseconds, type Milliseconds } from '../../model/units.ts';
import type { Scraper } from '../../scrape/scraper.ts';
import { healthEndpoints, pingCheck, shutdownCheck, type HealthCheck } from '../../server/health.ts';
import type { WindowStore } from '../../windows/window-store.ts';

/** How the collection does. */
export interface Progress {
  readonly watch: { readonly isRunning: boolean };
  readonly scraper: Pick<Scraper, 'overdue'>;
}

export interface ReadinessDependencies extends Progress {
  readonly resolution: Milliseconds;
  readonly inventory: Pick<Inventory, 'nodesSynced' | 'podsSynced' | 'synced' | 'nodes'>;
  readonly store: Pick<WindowStore, 'node'>;
  readonly logOutput: { readonly stuck: boolean };
  readonly isStarted: () => boolean;
  readonly isStopping: () => boolean;
}

/** The progress of a collection that may not have begun: that is no reason to restart a process. */
export function progressOf(collection: () => Progress | undefined): Progress {
  return {
    watch: {
      get isRunning() {
        return collection()?.watch.isRunning ?? true;
      },
    },
    scraper: {
      get overdue() {
        return collection()?.scraper.overdue ?? milliseconds(0);
      },
    },
  };
}

/**
 * The named conditions behind the health endpoints, under metrics-server's names and in its order. Readiness is about having something to serve,
 * liveness about this process alone: a kubelet or API server that is away never gets it restarted.
 */
export function healthChecks(deps: ReadinessDependencies): HealthCheck[] {
  const { resolution, inventory, watch, store, scraper, logOutput, isStarted, isStopping } = deps;
  const started = unless(isStarted, 'not started yet');
  return [
    pingCheck,
    {
      name: 'log',
      endpoints: healthEndpoints,
      check: unless(() => !logOutput.stuck, 'log lines are being dropped because nobody reads them'),
    },
    // The names of what a Kubernetes API server starts last, which monitors ask for.
    { name: 'poststarthook/max-in-flight-filter', endpoints: healthEndpoints, check: started },
    { name: 'poststarthook/storage-object-count-tracker-hook', endpoints: healthEndpoints, check: started },
    { name: 'metric-storage-ready', endpoints: ['readyz'], check: storageReady(inventory, store) },
    {
      name: 'metric-informer-sync',
      endpoints: ['readyz'],
      check: unless(() => inventory.nodesSynced, 'nodes have not been listed yet'),
    },
    {
      name: 'metric-collection-timely',
      endpoints: ['livez'],
      check: () =>
        scraper.overdue <= 3 * resolution
          ? undefined
          : new Error(`a scrape is ${Math.round(scraper.overdue / 1000)} s overdue`),
    },
    {
      name: 'metadata-informer-sync',
      endpoints: ['readyz'],
      check: unless(() => inventory.podsSynced, 'pods have not been listed yet'),
    },
    {
      name: 'metadata-informer-sync',
      endpoints: ['livez', 'healthz'],
      check: unless(() => watch.isRunning, 'pods and nodes are not being watched'),
    },
    shutdownCheck(isStopping),
  ];
}

function unless(holds: () => boolean, problem: string): () => Error | undefined {
  return () => (holds() ? undefined : new Error(problem));
}

/**
 * There is something to serve. To begin with, half of the ready nodes have to have been measured; from then on, last good windows bridge what fails, and one
 * node with such a window is enough. Readiness of nodes does not count then: nodes whose kubelets are away turn unready soon.
 */
function storageReady(
  inventory: ReadinessDependencies['inventory'],
  store: ReadinessDependencies['store'],
): () => Error | undefined {
  let reached = false;
  const isMeasured = ({ name }: NodeInfo): boolean => store.node(name) !== undefined;
  return () => {
    if (!inventory.synced) return new Error('nodes and pods have not been listed yet');
    const nodes = inventory.nodes();
    if (nodes.length === 0) return new Error('no nodes to scrape');
    if (!reached) {
      const ready = nodes.filter((node) => node.ready);
      const measured = ready.filter(isMeasured).length;
      if (measured * 2 < ready.length) return new Error(`${measured} of ${ready.length} ready nodes have metrics`);
      reached = true;
    }
    return nodes.some(isMeasured)
      ? undefined
      : new Error(`none of ${nodes.length} nodes has metrics that may be served`);
  };
}
