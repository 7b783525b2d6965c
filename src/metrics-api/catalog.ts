import { exactField, matchesFields, type FieldSelector } from '../kube/selectors/field-selector.ts';
import { matchesLabels, type LabelSelector } from '../kube/selectors/label-selector.ts';
import type { NodeInfo, ObjectKey, PodInfo } from '../model/inventory.ts';
import { inBatches, partOf, type Part } from '../model/sorted.ts';
import type { MonotonicMs } from '../model/units.ts';
import type { NodeUsage, PodUsage } from '../model/window.ts';
import { decodeContinue, encodeContinue } from './continue-token.ts';
import type { MetricsBlock, NodeMetricsList, PodMetricsList } from './list.ts';
import type { NodeMetrics, PodMetrics, ResourceName } from './objects.ts';
import type { ObjectSource, UsageSource } from './sources.ts';
import { NodeMetricsView, PodBlockView, PodMetricsView } from './views.ts';

/** Which objects a list holds. */
export interface ListQuery {
  readonly labelSelector: LabelSelector;
  readonly fieldSelector: FieldSelector;
  /** Largest number of items; 0 or less: all. */
  readonly limit: number;
  /** Token of an earlier page; empty: from the beginning. */
  readonly continueToken: string;
}

/** Why there is no object: the Node or Pod does not exist, or it exists and has no usage to serve. */
export type Absence = 'no-object' | 'no-metrics';

/** The fields that `fieldSelector=` may name, by resource. */
export const selectableFields: Readonly<Record<ResourceName, readonly string[]>> = {
  nodes: ['metadata.name', 'metadata.namespace'],
  pods: ['metadata.name', 'metadata.namespace', 'spec.nodeName'],
};

/** After a look at so many objects, a list lets others have their turn: a millisecond where all is encoded, three where nothing is. */
const stretch = 1000;
/** Of a page it must be known before its first item whether more follows, so this many are looked at in one turn: some ten milliseconds. */
const mostInTurn = 10 * stretch;

/** Joins what exists with what it uses. */
export class MetricsCatalog {
  readonly #objects: ObjectSource;
  readonly #usage: UsageSource;
  readonly #allPods = (part: Part<ObjectKey>): readonly PodInfo[] => this.#objects.pods(undefined, part);

  constructor(objects: ObjectSource, usage: UsageSource) {
    this.#objects = objects;
    this.#usage = usage;
  }

  node(name: string): NodeMetrics | Absence {
    const info = this.#objects.node(name);
    if (info === undefined) return 'no-object';
    return this.#nodeMetricsOf(info, this.#usage.now()) ?? 'no-metrics';
  }

  pod(namespace: string, name: string): PodMetrics | Absence {
    const info = this.#objects.pod(namespace, name);
    if (info === undefined) return 'no-object';
    return this.#podMetricsOf(info, this.#usage.now()) ?? 'no-metrics';
  }

  /**
   * Nodes with metrics, by name.
   * @throws {ContinueTokenError}
   */
  listNodes(query: ListQuery): NodeMetricsList {
    const after = continuation('nodes', query);
    const name = exactField(query.fieldSelector, 'metadata.name');
    const candidates = name === undefined ? among(this.#objects.nodes()) : only(this.#objects.node(name));
    const accept = (info: NodeInfo, now: MonotonicMs): NodeMetrics | undefined => {
      if (!matchesLabels(query.labelSelector, info.labels)) return undefined;
      const fields = (field: string): string => (field === 'metadata.name' ? info.name : '');
      return matchesFields(query.fieldSelector, fields) ? this.#nodeMetricsOf(info, now) : undefined;
    };
    return { kind: 'NodeMetricsList', ...this.#takePage('nodes', candidates, after, query, accept) };
  }

  /**
   * Pods with metrics, by namespace and name; of one namespace, or of all when it is empty.
   * @throws {ContinueTokenError}
   */
  listPods(namespace: string, query: ListQuery): PodMetricsList {
    const after = continuation('pods', query);
    const candidates = this.#candidatePods(namespace, query);
    const everyLabel = query.labelSelector.requirements.length === 0;
    const everyField = query.fieldSelector.terms.length === 0;
    const accept = (info: PodInfo, now: MonotonicMs): PodMetrics | undefined => {
      if (!everyLabel && !matchesLabels(query.labelSelector, info.labels)) return undefined;
      const metrics = this.#podMetricsOf(info, now);
      return everyField || (metrics !== undefined && matchesFields(query.fieldSelector, podField(metrics)))
        ? metrics
        : undefined;
    };
    const page = this.#takePage('pods', candidates, after, query, accept);
    // Others than the candidates may have metrics by the time that their turn comes: a limit that is less than their number could be exceeded.
    const isLimited = query.limit > 0 && query.limit < candidates.most;
    const isWhole = everyLabel && everyField && after === undefined && !isLimited;
    return { kind: 'PodMetricsList', blocks: isWhole ? this.#blocks(namespace) : undefined, ...page };
  }

  /** Forgets what is encoded of every object, to save memory. It is made again when it is asked for. */
  forgetEncoded(): void {
    const now = this.#usage.now();
    for (const { name } of this.#objects.nodes()) forgetKept(this.#usage.node(name, now));
    this.forgetLists();
    for (const pods of inBatches(stretch, this.#allPods)) for (const pod of pods) forgetKept(this.#usage.pod(pod, now));
  }

  /** Forgets what is encoded for lists of all pods, and not what was asked for by itself. */
  forgetLists(): void {
    this.#objects.forgetKept();
  }

  *#blocks(namespace: string): Generator<MetricsBlock> {
    for (const block of this.#objects.podBlocks(namespace === '' ? undefined : namespace))
      yield new PodBlockView(block, this.#usage);
  }

  /** A small superset of the pods that can match. */
  #candidatePods(namespace: string, { labelSelector, fieldSelector }: ListQuery): Candidates<PodInfo> {
    const objects = this.#objects;
    const within = namespace === '' ? exactField(fieldSelector, 'metadata.namespace') : namespace;
    if (within === undefined) return { most: objects.podCount, read: this.#allPods };
    const name = exactField(fieldSelector, 'metadata.name');
    if (name !== undefined) return only(objects.pod(within, name));
    const most = objects.podCountOf(within);
    const equal = labelSelector.requirements.find(({ operator }) => operator === '=' || operator === '==');
    if (equal === undefined) return { most, read: (part) => objects.pods(within, part) };
    const {
      key,
      values: [value = ''],
    } = equal;
    return { most, read: (part) => objects.podsWithLabel(within, key, value, part) };
  }

  #nodeMetricsOf(info: NodeInfo, now: MonotonicMs): NodeMetrics | undefined {
    const usage = this.#usage.node(info.name, now);
    return usage && new NodeMetricsView(info, usage);
  }

  #podMetricsOf(info: PodInfo, now: MonotonicMs): PodMetrics | undefined {
    const usage = this.#usage.pod(info, now);
    return usage && new PodMetricsView(info, usage);
  }

  /**
   * Looks for a page among candidates, from behind `after` until the limit; `accept` gives an object or undefined. A page may be short of its limit, even empty,
   * and yet not the last, and what remains may be unknown: both as ListOptions and ListMeta have it.
   */
  #takePage<Info extends ObjectKey, Metrics>(
    resource: ResourceName,
    candidates: Candidates<Info>,
    after: ObjectKey | undefined,
    { limit, labelSelector, fieldSelector }: ListQuery,
    accept: Accept<Info, Metrics>,
  ) {
    const whole = {
      batches: this.#batches(candidates, after, accept),
      most: candidates.most,
      continueToken: undefined,
      remainingItemCount: undefined,
    };
    if (limit <= 0 || limit >= candidates.most) return whole;
    const next = candidates.read({ after, count: mostInTurn + 1 });
    if (limit >= next.length) return whole;
    const counts =
      next.length <= mostInTurn && labelSelector.requirements.length === 0 && fieldSelector.terms.length === 0;
    const now = this.#usage.now();
    const page: Info[] = [];
    let remaining = 0;
    let index = 0;
    for (; index < Math.min(next.length, mostInTurn); index++) {
      const info = next[index];
      if (info === undefined || accept(info, now) === undefined) continue;
      if (page.length < limit) page.push(info);
      else {
        remaining++;
        if (!counts) break;
      }
    }
    const isAllSeen = index === next.length;
    const last = page.length < limit ? next[index - 1] : page.at(-1);
    return {
      batches: this.#batches(among(page), undefined, accept),
      most: page.length,
      continueToken: (isAllSeen && remaining === 0) || last === undefined ? undefined : encodeContinue(resource, last),
      remainingItemCount: counts && remaining > 0 ? remaining : undefined,
    };
  }

  *#batches<Info extends ObjectKey, Metrics>(
    { read }: Candidates<Info>,
    after: ObjectKey | undefined,
    accept: Accept<Info, Metrics>,
  ): Generator<readonly Metrics[]> {
    for (const infos of inBatches(stretch, read, after)) {
      const now = this.#usage.now();
      const batch: Metrics[] = [];
      for (const info of infos) {
        const metrics = accept(info, now);
        if (metrics !== undefined) batch.push(metrics);
      }
      yield batch;
    }
  }
}

function forgetKept(usage: NodeUsage | PodUsage | undefined): void {
  if (usage !== undefined) usage.kept = undefined;
}

/** The object to serve of a Node or Pod, if there is one now and it is asked for. */
type Accept<Info, Metrics> = (info: Info, now: MonotonicMs) => Metrics | undefined;

/** Sorted Nodes or Pods, read part by part. */
interface Candidates<Info extends ObjectKey> {
  /** There are no more than that. */
  readonly most: number;
  readonly read: (part: Part<ObjectKey>) => readonly Info[];
}

function among<Info extends ObjectKey>(sorted: readonly Info[]): Candidates<Info> {
  return { most: sorted.length, read: (part) => partOf(sorted, part, isBehind) };
}

function only<Info extends ObjectKey>(info: Info | undefined): Candidates<Info> {
  return among(info === undefined ? [] : [info]);
}

function isBehind(a: ObjectKey, b: ObjectKey): boolean {
  return (compare(a.namespace ?? '', b.namespace ?? '') || compare(a.name, b.name)) > 0;
}

function continuation(resource: ResourceName, { continueToken }: ListQuery): ObjectKey | undefined {
  return continueToken === '' ? undefined : decodeContinue(resource, continueToken);
}

function podField(pod: PodMetrics): (field: string) => string {
  return (field) => {
    switch (field) {
      case 'metadata.name':
        return pod.name;
      case 'metadata.namespace':
        return pod.namespace;
      case 'spec.nodeName':
        return pod.nodeName;
      default:
        return '';
    }
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
