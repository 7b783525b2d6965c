import type { ApiReader } from '../kube/list-pages.ts';
import { ListWatch, type RestartReason } from '../kube/list-watch.ts';
import { sleep, type Clock } from '../model/clock.ts';
import type { NodeInfo, PodInfo } from '../model/inventory.ts';
import { KnownStrings } from '../model/known-strings.ts';
import { seconds } from '../model/units.ts';
import type { Logger } from '../telemetry/log.ts';
import type { Inventory } from './inventory.ts';
import { LabelSets } from './label-sets.ts';
import { nodeInfo } from './nodes.ts';
import { podInfo } from './pods.ts';

export interface InventoryWatchOptions {
  readonly client: ApiReader;
  readonly inventory: Inventory;
  /** `--node-selector`, a label selector that the API server applies. */
  readonly nodeSelector?: string | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random?: () => number;
  /** Hears of every watch that ended and begins again. */
  readonly onRestart?: (resource: 'nodes' | 'pods', reason: RestartReason) => void;
  /** The same table as the scraper's: kubelets tell the same names and UIDs. */
  readonly strings?: KnownStrings;
}

/** So long the nodes wait for the pods to be listed. */
const podsFirst = seconds(2);

/** Keeps an inventory up to date: nodes whole (their addresses are in the status), running pods as metadata only. */
export class InventoryWatch {
  readonly #nodes: ListWatch<NodeInfo>;
  readonly #pods: ListWatch<PodInfo>;
  readonly #clock: Clock;
  readonly #stopped = new AbortController();
  #beginning = false;

  constructor(options: InventoryWatchOptions) {
    const { client, inventory, nodeSelector, clock, logger, random = Math.random, onRestart = () => {} } = options;
    const { strings = new KnownStrings() } = options;
    const labelSets = new LabelSets();
    this.#clock = clock;
    const common = { client, clock, logger, random };
    this.#nodes = new ListWatch({
      ...common,
      path: '/api/v1/nodes',
      metadataOnly: false,
      labelSelector: nodeSelector,
      project: (object) => nodeInfo(object, labelSets),
      sink: inventory.nodeSink,
      onRestart: (reason) => onRestart('nodes', reason),
    });
    this.#pods = new ListWatch({
      ...common,
      path: '/api/v1/pods',
      metadataOnly: true,
      fieldSelector: 'status.phase=Running',
      project: (object) => podInfo(object, labelSets, strings),
      sink: inventory.podSink,
      onRestart: (reason) => onRestart('pods', reason),
    });
  }

  /** Both halves are followed: also while the API server is away. */
  get isRunning(): boolean {
    return (this.#nodes.isRunning || this.#beginning) && this.#pods.isRunning;
  }

  /**
   * Lists the pods first, as far as that is quick: usage counts only for pods that are known, and thousands of first handshakes with kubelets would hold up
   * every page of pods.
   */
  start(): void {
    if (this.#beginning) return;
    this.#beginning = true;
    this.#pods.start();
    const patience = sleep(this.#clock, podsFirst, this.#stopped.signal);
    void Promise.race([this.#pods.whenSynced(), patience]).then(() => {
      this.#nodes.start();
      this.#beginning = false;
    });
  }

  /** Resolves when the inventory will not change any more. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    await Promise.all([this.#nodes.stop(), this.#pods.stop()]);
  }
}
