import { exactField, matchesFields, type FieldSelector } from '../kube/selectors/field-selector.ts';
import { matchesLabels, type LabelSelector } from '../kube/selectors/label-selector.ts';
import type { NodeInfo, PodInfo } from '../model/inventory.ts';
import { firstBehind } from '../model/sorted.ts';
import type { MonotonicMs } from '../model/units.ts';
import type { NodeUsage, PodUsage } from '../model/window.ts';
import { decodeContinue, encodeContinue, type Continuation } from './continue-token.ts';
import type { NodeMetricsList, PodMetricsList } from './list.ts';
import type { NodeMetrics, PodMetrics, ResourceName } from './objects.ts';
import type { ObjectSource, UsageSource } from './sources.ts';
import { NodeMetricsView, PodMetricsView } from './views.ts';

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
    const one = name === undefined ? undefined : this.#objects.node(name);
    const candidates = name === undefined ? this.#objects.nodes() : one === undefined ? [] : [one];
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
    return { kind: 'PodMetricsList', ...this.#takePage('pods', candidates, after, query, accept) };
  }

  /** Forgets what is encoded of every object, to save memory. It is made again when it is asked for. */
  forgetEncoded(): void {
    const now = this.#usage.now();
    for (const { name } of this.#objects.nodes()) forgetKept(this.#usage.node(name, now));
    for (const info of this.#objects.pods()) forgetKept(this.#usage.pod(info, now));
  }

  /** A small superset of the pods that can match, in order. */
  #candidatePods(namespace: string, { labelSelector, fieldSelector }: ListQuery): readonly PodInfo[] {
    const only = namespace === '' ? exactField(fieldSelector, 'metadata.namespace') : namespace;
    if (only === undefined) return this.#objects.pods();
    const name = exactField(fieldSelector, 'metadata.name');
    if (name !== undefined) {
      const pod = this.#objects.pod(only, name);
      return pod === undefined ? [] : [pod];
    }
    const equal = labelSelector.requirements.find(({ operator }) => operator === '=' || operator === '==');
    if (equal !== undefined && this.#objects.podsWithLabel !== undefined)
      return this.#objects.podsWithLabel(only, equal.key, equal.values[0] ?? '');
    return this.#objects.pods(only);
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
   * Looks for a page among sorted candidates, from after `after` until the limit; `accept` gives an object or undefined. A page may be short of its limit, even
   * empty, and yet not the last, and what remains may be unknown: both as ListOptions and ListMeta have it.
   */
  #takePage<Info extends Key, Metrics>(
    resource: ResourceName,
    candidates: readonly Info[],
    after: Continuation | undefined,
    { limit, labelSelector, fieldSelector }: ListQuery,
    accept: Accept<Info, Metrics>,
  ) {
    const from = after === undefined ? 0 : firstAfter(candidates, after);
    const most = candidates.length - from;
    if (limit <= 0 || limit >= most)
      return {
        batches: this.#batches(candidates, from, accept),
        most,
        continueToken: undefined,
        remainingItemCount: undefined,
      };
    const counts = most <= mostInTurn && labelSelector.requirements.length === 0 && fieldSelector.terms.length === 0;
    const now = this.#usage.now();
    const page: Info[] = [];
    let remaining = 0;
    let index = from;
    for (const end = Math.min(candidates.length, from + mostInTurn); index < end; index++) {
      const info = candidates[index];
      if (info === undefined || accept(info, now) === undefined) continue;
      if (page.length < limit) page.push(info);
      else {
        remaining++;
        if (!counts) break;
      }
    }
    const isAllSeen = index === candidates.length;
    const last = page.length < limit ? candidates[index - 1] : page.at(-1);
    return {
      batches: this.#batches(page, 0, accept),
      most: page.length,
      continueToken:
        (isAllSeen && remaining === 0) || last === undefined
          ? undefined
          : encodeContinue(resource, { namespace: last.namespace ?? '', name: last.name }),
      remainingItemCount: counts && remaining > 0 ? remaining : undefined,
    };
  }

  *#batches<Info, Metrics>(
    candidates: readonly Info[],
    from: number,
    accept: Accept<Info, Metrics>,
  ): Generator<readonly Metrics[]> {
    for (let start = from; start < candidates.length; start += stretch) {
      const now = this.#usage.now();
      const batch: Metrics[] = [];
      for (let index = start; index < Math.min(start + stretch, candidates.length); index++) {
        const info = candidates[index];
        const metrics = info === undefined ? undefined : accept(info, now);
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

interface Key {
  readonly namespace?: string;
  readonly name: string;
}

/** The first candidate behind a key that may be gone. */
function firstAfter(candidates: readonly Key[], after: Continuation): number {
  return firstBehind(
    candidates,
    ({ namespace = '', name }) => (compare(namespace, after.namespace) || compare(name, after.name)) > 0,
  );
}

function continuation(resource: ResourceName, { continueToken }: ListQuery): Continuation | undefined {
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
