import type { NodeInfo, PodInfo } from '../model/inventory.ts';
import type { Logger } from '../telemetry/log.ts';

/** What an observer of the inventory may want to hear. Called after the inventory shows the change. */
export interface InventoryListener {
  nodeAdded?(node: NodeInfo): void;
  nodeChanged?(node: NodeInfo): void;
  nodeRemoved?(node: NodeInfo): void;
  /** `isNew`: it began to run while we watched, as opposed to being there at the first list. */
  podAdded?(pod: PodInfo, isNew: boolean): void;
  /** Also when another pod of the same name takes its place, before that one's `podAdded`. */
  podRemoved?(pod: PodInfo): void;
  /** Once, when nodes and pods have both been listed. */
  synced?(): void;
}

/** Tells all listeners; one that throws is logged and keeps no other from hearing. */
export class Listeners {
  readonly #listeners = new Set<InventoryListener>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(listener: InventoryListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  tell(call: (listener: InventoryListener) => void): void {
    for (const listener of this.#listeners) {
      try {
        call(listener);
      } catch (error) {
        this.#logger.error(error, 'A listener of the inventory failed');
      }
    }
  }
}
