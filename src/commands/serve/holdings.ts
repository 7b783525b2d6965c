import { Inventory } from '../../inventory/inventory.ts';
import type { Clock } from '../../model/clock.ts';
import type { ServeOptions } from '../../options/serve-options.ts';
import type { RootLogger } from '../../telemetry/logger.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { WindowStore } from '../../windows/window-store.ts';

interface HoldingsDependencies {
  readonly options: ServeOptions;
  readonly clock: Clock;
  readonly log: RootLogger;
  readonly telemetry: Telemetry;
}

/** What is known of the cluster: the collection brings it in, the front serves it. */
export interface Holdings {
  readonly inventory: Inventory;
  readonly store: WindowStore;
}

/** An inventory without objects, and a store that keeps windows of what will be in it. */
export function createHoldings({ options, clock, log, telemetry }: HoldingsDependencies): Holdings {
  const inventory = new Inventory(log.named('inventory'));
  const store = new WindowStore({
    clock,
    resolution: options.metricResolution,
    maxAge: options.metricMaxAge,
    pods: inventory,
    onWindow: (of, age) => telemetry.windowsPublished(of, age),
    onRefusal: (refusal) => telemetry.windowRefused(refusal),
  });
  return { inventory, store };
}
