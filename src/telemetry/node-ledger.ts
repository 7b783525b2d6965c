import type { EpochMs, Milliseconds } from '../model/units.ts';

interface NodeRecord {
  /** The last success, or when the node was first asked. */
  since: EpochMs;
  lastDuration: Milliseconds;
}

/** What is remembered of each node's requests, to name the worst ones without a series for every node. */
export class NodeLedger {
  readonly #nodes = new Map<string, NodeRecord>();

  record(node: string, now: EpochMs, duration: Milliseconds, success: boolean): void {
    const known = this.#nodes.get(node);
    if (known === undefined) {
      this.#nodes.set(node, { since: now, lastDuration: duration });
      return;
    }
    known.lastDuration = duration;
    if (success) known.since = now;
  }

  forget(node: string): void {
    this.#nodes.delete(node);
  }

  /** The nodes with the longest time since their last success, longest first. */
  stalest(count: number, now: EpochMs): [node: string, seconds: number][] {
    return this.#top(count, ({ since }) => Math.max(0, now - since) / 1000);
  }

  /** The nodes whose last request took longest, longest first. */
  slowest(count: number): [node: string, seconds: number][] {
    return this.#top(count, ({ lastDuration }) => lastDuration / 1000);
  }

  #top(count: number, measure: (record: NodeRecord) => number): [string, number][] {
    const top: [string, number][] = [];
    for (const [node, record] of this.#nodes) {
      const value = measure(record);
      if (top.length === count && value <= (top[count - 1]?.[1] ?? 0)) continue;
      const at = top.findIndex(([, other]) => value > other);
      top.splice(at === -1 ? top.length : at, 0, [node, value]);
      if (top.length > count) top.pop();
    }
    return top;
  }
}
