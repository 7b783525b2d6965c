import { epochMs, type EpochMs } from '../model/units.ts';
import { resourceDocument } from './resource-document.ts';
import { mix, seededRandom, type Random } from './seeded-random.ts';
import type { SimulatedNode } from './simulated-node.ts';
import { summaryDocument, type SummaryWriters } from './summary-document.ts';

export type DocumentKind = 'summary' | 'full-summary' | 'resource';

/** Milliseconds that a body must stay right to be kept: those of dense nodes never do, and thousands of them add up. */
const worthKeeping = 1000;

interface Cached {
  readonly body: Buffer;
  readonly revision: number;
  /** When the first sample in it will be replaced. */
  readonly until: EpochMs;
}

/** The documents of one kubelet, made when asked for and kept until one of their samples changes. */
export class KubeletDocuments {
  readonly node: SimulatedNode;
  readonly #writers: SummaryWriters;
  readonly #random: Random;
  readonly #cache = new Map<DocumentKind, Cached>();

  constructor(node: SimulatedNode, writers: SummaryWriters) {
    this.node = node;
    this.#writers = writers;
    this.#random = seededRandom(mix(node.birth.seed, node.birth.number, 3));
  }

  body(kind: DocumentKind, now: EpochMs): Buffer {
    const { revision } = this.node;
    const cached = this.#cache.get(kind);
    if (cached !== undefined && cached.revision === revision && now < cached.until) return cached.body;
    const body = Buffer.from(this.#text(kind, now));
    const until = this.#unchangedUntil(now, kind);
    if (until - now >= worthKeeping) this.#cache.set(kind, { body, revision, until });
    else this.#cache.delete(kind);
    return body;
  }

  #text(kind: DocumentKind, now: EpochMs): string {
    if (kind === 'resource') return resourceDocument(this.node, now);
    const cpuAndMemoryOnly = kind === 'summary';
    return summaryDocument({ node: this.node, now, cpuAndMemoryOnly, writers: this.#writers, random: this.#random });
  }

  #unchangedUntil(now: EpochMs, kind: DocumentKind): EpochMs {
    if (kind === 'full-summary') return now;
    let until: number = this.node.nextSample();
    for (const pod of this.node.pods) {
      until = Math.min(until, pod.nextSample());
      for (const container of pod.birth.containers) until = Math.min(until, container.nextSample(now));
    }
    return epochMs(until);
  }
}
