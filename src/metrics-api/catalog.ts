import { exactField, matchesFields, type FieldSelector } from '../kube/selectors/field-selector.ts';
import { matchesLabels, type LabelSelector } from '../kube/selectors/label-selector.ts';
import type { NodeInfo, PodInfo } from '../model/inventory.ts';
import { milliseconds, type MonotonicMs } from '../model/units.ts';
import type { UsageWindow } from '../model/window.ts';
import { decodeContinue, encodeContinue, type Continuation } from './continue-token.ts';
import type { NodeMetricsList, PodMetricsList } from './list.ts';
import type { EncodedMetadata, NodeMetrics, PodMetrics, ResourceName } from './objects.ts';
import type { ObjectSource, UsageSource } from './sources.ts';

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

/**
 * For so long a list of all pods is given again while nothing changes. Lists come in bursts, and a walk over all pods is as many waits for memory: 1 us for each pod,
 * half of what a list costs. A pod may outlive `--metric-max-age` by that much.
 */
const allPodsKept = milliseconds(250);

interface AllPods {
  readonly candidates: readonly PodInfo[];
  readonly version: number;
  readonly listedAt: MonotonicMs;
  /** Held weakly: what nobody asks for again must not keep old windows. */
  readonly list: WeakRef<PodMetricsList>;
}

/**
 * Joins what exists with what it uses. From the same info and usage it always gives the same object, so that what was
 * encoded for one answer serves the next.
 */
export class MetricsCatalog {
  readonly #objects: ObjectSource;
  readonly #usage: UsageSource;
  #nodeMetrics = new WeakMap<NodeInfo, { readonly usage: UsageWindow; readonly metrics: NodeMetrics }>();
  /** A pod's metrics are kept with its usage; what is encoded of its metadata outlives that. */
  #podMetadata = new WeakMap<PodInfo, EncodedMetadata>();
  #allPods: AllPods | undefined;

  constructor(objects: ObjectSource, usage: UsageSource) {
    this.#objects = objects;
    this.#usage = usage;
  }

  node(name: string): NodeMetrics | Absence {
    const info = this.#objects.node(name);
    if (info === undefined) return 'no-object';
    return this.#nodeMetricsOf(info) ?? 'no-metrics';
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
    const { items, last, remainingItemCount } = takePage(candidates, after, query, (info) => {
      if (!matchesLabels(query.labelSelector, info.labels)) return undefined;
      const fields = (field: string): string => (field === 'metadata.name' ? info.name : '');
      return matchesFields(query.fieldSelector, fields) ? this.#nodeMetricsOf(info) : undefined;
    });
    return { kind: 'NodeMetricsList', items, continueToken: token('nodes', last), remainingItemCount };
  }

  /**
   * Pods with metrics, by namespace and name; of one namespace, or of all when it is empty.
   * @throws {ContinueTokenError}
   */
  listPods(namespace: string, query: ListQuery): PodMetricsList {
    const after = continuation('pods', query);
    const candidates = this.#candidatePods(namespace, query);
    const now = this.#usage.now();
    const everyLabel = query.labelSelector.requirements.length === 0;
    const everyField = query.fieldSelector.terms.length === 0;
    const asksForAll = namespace === '' && everyLabel && everyField && query.limit <= 0 && after === undefined;
    const known = asksForAll ? this.#knownList(candidates, now) : undefined;
    if (known !== undefined) return known;
    const { items, last, remainingItemCount } = takePage(candidates, after, query, (info) => {
      if (!everyLabel && !matchesLabels(query.labelSelector, info.labels)) return undefined;
      const metrics = this.#podMetricsOf(info, now);
      return everyField || (metrics !== undefined && matchesFields(query.fieldSelector, podField(metrics)))
        ? metrics
        : undefined;
    });
    const list: PodMetricsList = {
      kind: 'PodMetricsList',
      items,
      continueToken: token('pods', last),
      remainingItemCount,
    };
    if (asksForAll)
      this.#allPods = { candidates, version: this.#usage.version, listedAt: now, list: new WeakRef(list) };
    return list;
  }

  #knownList(candidates: readonly PodInfo[], now: MonotonicMs): PodMetricsList | undefined {
    const known = this.#allPods;
    if (known?.candidates !== candidates || known.version !== this.#usage.version) return undefined;
    return now - known.listedAt < allPodsKept ? known.list.deref() : undefined;
  }

  /** A bound on the items of `listPods`, without a look at any. */
  mostPods(namespace: string, query: ListQuery): number {
    return this.#candidatePods(namespace, query).length;
  }

  /** Forgets every object with what is encoded of it, to save memory. They are made again when they are asked for. */
  forgetObjects(): void {
    const now = this.#usage.now();
    this.#nodeMetrics = new WeakMap();
    this.#podMetadata = new WeakMap();
    this.#allPods = undefined;
    for (const info of this.#objects.pods()) {
      const derived = this.#usage.pod(info, now)?.derived;
      if (derived !== undefined) derived.from = derived.value = undefined;
    }
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

  #nodeMetricsOf(info: NodeInfo): NodeMetrics | undefined {
    const usage = this.#usage.node(info.name);
    if (usage === undefined) return undefined;
    const known = this.#nodeMetrics.get(info);
    if (known?.usage === usage) return known.metrics;
    const metrics: NodeMetrics = {
      kind: 'NodeMetrics',
      name: info.name,
      labels: info.labels,
      timestamp: usage.timestamp,
      window: usage.length,
      usage: { cpu: usage.cpu, memory: usage.memory },
      metadata: known?.metrics.metadata ?? {},
      fragments: {},
    };
    this.#nodeMetrics.set(info, { usage, metrics });
    return metrics;
  }

  #podMetricsOf(info: PodInfo, now: MonotonicMs): PodMetrics | undefined {
    const usage = this.#usage.pod(info, now);
    if (usage === undefined) return undefined;
    const { derived } = usage;
    if (derived.from === info) return derived.value as PodMetrics;
    let metadata = this.#podMetadata.get(info);
    if (metadata === undefined) this.#podMetadata.set(info, (metadata = {}));
    const metrics: PodMetrics = {
      kind: 'PodMetrics',
      name: info.name,
      namespace: info.namespace,
      labels: info.labels,
      nodeName: usage.nodeName,
      timestamp: usage.timestamp,
      window: usage.length,
      containers: usage.containers,
      metadata,
      fragments: {},
    };
    derived.from = info;
    derived.value = metrics;
    return metrics;
  }
}

interface Key {
  readonly namespace?: string;
  readonly name: string;
}

interface Page<Metrics> {
  readonly items: readonly Metrics[];
  /** The last item's key when more follow. */
  readonly last: Continuation | undefined;
  readonly remainingItemCount: number | undefined;
}

/** Walks sorted candidates from after `after` until the limit; `accept` gives an object or undefined. */
function takePage<Info extends Key, Metrics extends Key>(
  candidates: readonly Info[],
  after: Continuation | undefined,
  { limit, labelSelector, fieldSelector }: ListQuery,
  accept: (info: Info) => Metrics | undefined,
): Page<Metrics> {
  const items: Metrics[] = [];
  let remaining = 0;
  const counts = labelSelector.requirements.length === 0 && fieldSelector.terms.length === 0;
  for (let index = after === undefined ? 0 : firstAfter(candidates, after); index < candidates.length; index++) {
    const info = candidates[index];
    const metrics = info === undefined ? undefined : accept(info);
    if (metrics === undefined) continue;
    if (limit <= 0 || items.length < limit) items.push(metrics);
    else {
      remaining++;
      if (!counts) break;
    }
  }
  const end = items.at(-1);
  const last = remaining === 0 || end === undefined ? undefined : { namespace: end.namespace ?? '', name: end.name };
  return { items, last, remainingItemCount: counts && remaining > 0 ? remaining : undefined };
}

/** Binary search for the first candidate behind a key that may be gone. */
function firstAfter(candidates: readonly Key[], after: Continuation): number {
  let [low, high] = [0, candidates.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { namespace = '', name = '' } = candidates[middle] ?? {};
    const order = compare(namespace, after.namespace) || compare(name, after.name);
    if (order > 0) high = middle;
    else low = middle + 1;
  }
  return low;
}

function continuation(resource: ResourceName, { continueToken }: ListQuery): Continuation | undefined {
  return continueToken === '' ? undefined : decodeContinue(resource, continueToken);
}

function token(resource: ResourceName, last: Continuation | undefined): string | undefined {
  return last === undefined ? undefined : encodeContinue(resource, last);
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
