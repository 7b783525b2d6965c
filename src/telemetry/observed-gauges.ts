import type { Clock } from '../model/clock.ts';
import type { EpochMs } from '../model/units.ts';
import { catalogue } from './metric-catalogue.ts';
import type { MetricRegistry } from './metric-registry.ts';
import type { NodeLedger } from './node-ledger.ts';
import type { ObservedState } from './observed-state.ts';

const worstNodes = 5;

/**
 * Registers the gauges whose values are asked for at each reading. What nobody reports has no value.
 * @param current the state's sources as they are at the time of reading.
 */
export function registerObservedGauges(
  metrics: MetricRegistry,
  current: () => ObservedState,
  nodes: NodeLedger,
  clock: Pick<Clock, 'now'>,
): void {
  const age = (end: EpochMs | undefined): number | undefined =>
    end === undefined ? undefined : Math.max(0, clock.now() - end) / 1000;

  const countWindows = joined(async () => await current().windows?.());

  metrics.observedGauge(catalogue.storagePoints, async () => {
    const windows = await countWindows();
    return [
      [['node'], windows?.node.count],
      [['container'], windows?.container.count],
    ];
  });
  metrics.observedGauge(catalogue.oldestWindow, async () => {
    const windows = await countWindows();
    return [
      [['node'], age(windows?.node.oldest)],
      [['container'], age(windows?.container.oldest)],
    ];
  });
  metrics.observedGauge(catalogue.absent, async () =>
    Array.from((await current().absent?.()) ?? [], ({ resource, reason, count }) => [[resource, reason], count]),
  );
  metrics.observedGauge(catalogue.inventoryNodes, () => {
    const inventory = current().inventory?.();
    return [
      [['true'], inventory?.readyNodes],
      [['false'], inventory === undefined ? undefined : inventory.nodes - inventory.readyNodes],
    ];
  });
  metrics.observedGauge(catalogue.inventoryPods, () => [[[], current().inventory?.().pods]]);
  metrics.observedGauge(catalogue.nodesBySource, () => {
    const scraping = current().scraping?.();
    return [
      [['summary'], scraping?.fromSummary],
      [['resource'], scraping?.fromResource],
    ];
  });
  metrics.observedGauge(catalogue.nodesBackingOff, () => [[[], current().scraping?.().backingOff]]);
  metrics.observedGauge(catalogue.memoryLimit, () => {
    const limits = current().memory?.().limits;
    return [
      [['process'], limits?.process],
      [['heap'], limits?.heap],
    ];
  });
  metrics.observedGauge(catalogue.memoryPressure, () => [[[], current().memory?.().pressure]]);
  metrics.observedGauge(catalogue.connections, () => [[[], current().connections?.()]]);
  metrics.observedGauge(catalogue.stalestNode, () =>
    nodes.stalest(worstNodes, clock.now()).map(([node, seconds]) => [[node], seconds]),
  );
  metrics.observedGauge(catalogue.slowestNode, () =>
    nodes.slowest(worstNodes).map(([node, seconds]) => [[node], seconds]),
  );
}

/** Asks once for all who ask meanwhile. */
function joined<T>(ask: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined;
  return () => (underWay ??= ask().finally(() => (underWay = undefined)));
}
