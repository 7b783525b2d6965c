import type { NodeInfo } from '../model/inventory.ts';
import type { KnownStrings } from '../model/known-strings.ts';
import { milliseconds, seconds, type Milliseconds } from '../model/units.ts';
import type { KubeletSource } from '../options/kubelet-flags.ts';
import { Gate } from './gate.ts';
import type { KubeletClient } from './kubelet-client.ts';
import { NodeCycle, type NodeCycleOptions } from './node-cycle.ts';
import { NodeSource } from './node-source.ts';
import type { ScrapeError } from './scrape-error.ts';
import { SummaryDecoder } from './summary.ts';

export interface ScraperOptions extends Pick<
  NodeCycleOptions,
  'clock' | 'random' | 'resolution' | 'requestTimeout' | 'publish' | 'onStart' | 'onAttempt' | 'onCycle'
> {
  readonly kubelets: KubeletClient;
  readonly source: KubeletSource;
  readonly onFallback: (node: NodeInfo, cause: ScrapeError) => void;
  /** The same table as the inventory's: it has the same names and UIDs. */
  readonly strings: KnownStrings;
}

/** So many scrapes begin at once; two cores are busy with the handshakes of half as many. */
const mostAtOnce = 64;
/** Who has not answered by now is waited for, but holds up nobody. */
const patience = seconds(1);

/** Scrapes every node it is told of, each on its own timer. Nodes do not wait for each other. */
export class Scraper {
  readonly #options: ScraperOptions;
  readonly #gate: Gate;
  readonly #summaries: SummaryDecoder;
  readonly #cycles = new Map<string, { readonly cycle: NodeCycle; readonly source: NodeSource }>();

  constructor(options: ScraperOptions) {
    this.#options = options;
    this.#summaries = new SummaryDecoder(options.strings);
    this.#gate = new Gate(options.clock, mostAtOnce, patience);
  }

  /** Nodes by where their usage comes from, and those that failed more than once in a row. */
  get census(): { readonly fromSummary: number; readonly fromResource: number; readonly backingOff: number } {
    let fromResource = 0;
    let backingOff = 0;
    for (const { cycle, source } of this.#cycles.values()) {
      if (source.current(cycle.node) === 'resource') fromResource++;
      if (cycle.failures > 1) backingOff++;
    }
    return { fromSummary: this.#cycles.size - fromResource, fromResource, backingOff };
  }

  /** By how much the most belated node is late: timers that no longer fire, or an event loop that cannot keep up. */
  get overdue(): Milliseconds {
    let most = 0;
    for (const { cycle } of this.#cycles.values()) most = Math.max(most, cycle.overdue);
    return milliseconds(most);
  }

  /** Begins with a node at once; one that is known already is updated. */
  addNode(node: NodeInfo): void {
    const known = this.#cycles.get(node.name);
    if (known !== undefined) {
      known.cycle.update(node);
      return;
    }
    const { kubelets, source: choice, onFallback, strings, ...options } = this.#options;
    const source = new NodeSource({
      kubelets,
      clock: options.clock,
      choice,
      summaries: this.#summaries,
      strings,
      isNode: (name) => this.#cycles.has(name),
      onFallback,
    });
    const read: NodeCycleOptions['read'] = async (target, deadline, signal, take) =>
      await this.#gate.run(async () => await source.read(target, deadline, signal, take));
    const cycle = new NodeCycle(node, { ...options, nodeCount: () => this.#cycles.size, read });
    this.#cycles.set(node.name, { cycle, source });
    cycle.start();
  }

  /** Stops with a node that left and closes its connection. */
  async removeNode(name: string): Promise<void> {
    this.#cycles.get(name)?.cycle.stop();
    this.#cycles.delete(name);
    await this.#options.kubelets.forget(name);
  }

  /** Scrapes a node in `delay`, unless it is due earlier: something new runs there. */
  pullForward(nodeName: string, delay: Milliseconds): void {
    this.#cycles.get(nodeName)?.cycle.pullForward(delay);
  }

  /** Stops with all nodes and closes all connections. */
  async stop(): Promise<void> {
    for (const { cycle } of this.#cycles.values()) cycle.stop();
    this.#cycles.clear();
    await this.#options.kubelets.close();
  }
}
