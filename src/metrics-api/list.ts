import type { EpochMs, MonotonicMs } from '../model/units.ts';
import type { PodUsage } from '../model/window.ts';
import type { NodeMetrics, PodMetrics } from './objects.ts';

/** Pods that stand next to each other in every list, for encoders that keep what they made of them: of most, nothing changes from one list to the next. */
export interface MetricsBlock {
  /** The Pod in each place. The same object tells the same. */
  readonly pods: readonly object[];
  /** What the encoders of `wire/` made of it, or of one that had most of its pods and is no more. */
  kept: object | undefined;
  /** The present by which usage ages; asked for once, it serves for the whole block. */
  now(): MonotonicMs;
  /** What is to be served of the pod in a place, if anything. Like all usage it must be read before the event loop turns. */
  usage(place: number, now: MonotonicMs): PodUsage | undefined;
  /** The pod in a place with its usage. */
  object(place: number, usage: PodUsage): PodMetrics;
}

export interface MetricsList<Metrics extends NodeMetrics | PodMetrics = NodeMetrics | PodMetrics> {
  readonly kind: `${Metrics['kind']}List`;
  /**
   * The items in batches, to be taken once, and as they are sent: each is found when its turn comes, and must be read before the event loop turns. Between batches it
   * should turn; one may be empty where many objects have no metrics.
   */
  readonly batches: Iterable<readonly Metrics[]>;
  /** The same items once more, to be taken instead of batches, and also once; undefined where pods are selected, or a page is. */
  readonly blocks?: Iterable<MetricsBlock> | undefined;
  /** Hears the timestamp of each item that is taken from blocks. */
  readonly taken?: (timestamp: EpochMs) => void;
  /** There are no more items than that. */
  readonly most: number;
  /** `metadata.continue`: there is more after these items; undefined on the last page. */
  readonly continueToken: string | undefined;
  /** How many objects follow the page; undefined when there are none, or when it is not counted: with a selector, or in a large cluster. */
  readonly remainingItemCount: number | undefined;
}

export type NodeMetricsList = MetricsList<NodeMetrics>;
export type PodMetricsList = MetricsList<PodMetrics>;

/** The items of a list, all at once. */
export function* allItems({ batches }: MetricsList): Generator<NodeMetrics | PodMetrics> {
  for (const batch of batches) yield* batch;
}

/** A single object, where a list is asked for. */
export function listOfOne(object: NodeMetrics | PodMetrics): MetricsList {
  const page = { most: 1, continueToken: undefined, remainingItemCount: undefined };
  return { kind: `${object.kind}List`, batches: [[object]], ...page };
}
