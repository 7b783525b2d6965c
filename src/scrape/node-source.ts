import type { Clock } from '../model/clock.ts';
import type { NodeInfo } from '../model/inventory.ts';
import type { KnownStrings } from '../model/known-strings.ts';
import type { NodeReading } from '../model/sample.ts';
import { milliseconds, monotonicMs, seconds, type Milliseconds, type MonotonicMs } from '../model/units.ts';
import type { KubeletSource } from '../options/kubelet-flags.ts';
import type { AnswerTiming } from './kubelet-client.ts';
import { decodeResourceMetrics } from './resource-metrics.ts';
import { ScrapeError } from './scrape-error.ts';
import type { SummaryDecoder } from './summary.ts';

const summaryPath = '/stats/summary?only_cpu_and_memory=true';
const resourcePath = '/metrics/resource';
/** How long a refused Summary API is not asked again. */
const refusedFor = seconds(600);
/** The same for one that could not be read: that may have been an accident. */
const unreadableFor = seconds(60);
/** What those answer who have no Summary API, or not for us. Virtual kubelets say 501 where their provider has no statistics. */
const notOffered = new Set([400, 403, 404, 405, 410, 501]);

/** The part of KubeletClient that reading needs. */
export interface KubeletGet {
  get<Result>(
    node: NodeInfo,
    path: string,
    deadline: Milliseconds,
    signal: AbortSignal,
    read: (body: Buffer, timing: AnswerTiming, address: string) => Result,
  ): Promise<Result>;
}

export interface NodeSourceOptions {
  readonly kubelets: KubeletGet;
  readonly clock: Clock;
  readonly choice: KubeletSource;
  /** One decoder for all nodes knows more names. */
  readonly summaries: SummaryDecoder;
  readonly strings: KnownStrings;
  /** Whether the cluster has a node of this name. */
  readonly isNode: (name: string) => boolean;
  /** Called when a node turns to `/metrics/resource`, with what was wrong. */
  readonly onFallback: (node: NodeInfo, cause: ScrapeError) => void;
}

/** Takes in what one scrape brought. */
export type TakeReading = (reading: NodeReading) => void;

/** Reads one node's usage from the Summary API, or from `/metrics/resource` where that is refused or unreadable. */
export class NodeSource {
  readonly #options: NodeSourceOptions;
  /** Undefined: the Summary API was readable last time, or has not been asked. */
  #summaryBarredUntil: MonotonicMs | undefined;

  constructor(options: NodeSourceOptions) {
    this.#options = options;
  }

  /** Where the node's usage is read from now. Who annotates a path for resource metrics wants that to be read. */
  current(node: NodeInfo): 'summary' | 'resource' {
    const { choice } = this.#options;
    if (choice !== 'auto') return choice;
    return node.resourceMetricsPath !== undefined || this.#summaryIsBarred() ? 'resource' : 'summary';
  }

  /**
   * @param deadline for everything together
   * @param take is handed what was read as soon as that is decoded. It does not come out of the promise: promises that wait for a kubelet grow old meanwhile, and
   *   what an old one holds is garbage that only a full collection finds
   * @throws ScrapeError that of the Summary API when both sources fail
   */
  async read(node: NodeInfo, deadline: Milliseconds, signal: AbortSignal, take: TakeReading): Promise<void> {
    const { clock, choice, onFallback } = this.#options;
    const startedAt = clock.monotonic();
    const remaining = (): Milliseconds => milliseconds(deadline - (clock.monotonic() - startedAt));
    if (this.current(node) === 'resource') return await this.#resource(node, deadline, signal, take);
    try {
      await this.#summary(node, deadline, signal, take);
      this.#summaryBarredUntil = undefined;
    } catch (error) {
      if (choice === 'summary' || !(error instanceof ScrapeError) || !fallsBack(error) || remaining() <= 0) throw error;
      await this.#resource(node, remaining(), signal, take).catch(() => {
        throw error;
      });
      const isNew = this.#summaryBarredUntil === undefined;
      this.#summaryBarredUntil = monotonicMs(clock.monotonic() + (error.code === 'parse' ? unreadableFor : refusedFor));
      if (isNew) onFallback(node, error);
    }
  }

  #summaryIsBarred(): boolean {
    return this.#summaryBarredUntil !== undefined && this.#options.clock.monotonic() < this.#summaryBarredUntil;
  }

  async #summary(node: NodeInfo, deadline: Milliseconds, signal: AbortSignal, take: TakeReading): Promise<void> {
    const { kubelets, summaries, isNode } = this.#options;
    await kubelets.get(node, summaryPath, deadline, signal, (body, timing, address) => {
      const summary = summaries.decode(body);
      // Kubelets that are none give names of their own making.
      const { nodeName = node.name } = summary;
      if (nodeName !== node.name && isNode(nodeName))
        throw new ScrapeError('other_node', `the kubelet at ${address} is that of node ${nodeName}`);
      take({ source: 'summary', timePrecision: 1000, node: summary.node, pods: summary.pods, ...timing });
    });
  }

  async #resource(node: NodeInfo, deadline: Milliseconds, signal: AbortSignal, take: TakeReading): Promise<void> {
    const path = node.resourceMetricsPath ?? resourcePath;
    await this.#options.kubelets.get(node, path, deadline, signal, (body, timing) => {
      const metrics = decodeResourceMetrics(body.toString('utf8'), timing.answeredAtWall, this.#options.strings);
      take({ source: 'resource', timePrecision: 1, node: metrics.node, pods: metrics.pods, ...timing });
    });
  }
}

/** The kubelet does not offer the Summary API to us, or offers something else under its name. */
function fallsBack({ code, status }: ScrapeError): boolean {
  return code === 'parse' || (code === 'status' && status !== undefined && notOffered.has(status));
}
