import type { NodeMetrics, PodMetrics } from './objects.ts';

export interface MetricsList<Metrics extends NodeMetrics | PodMetrics = NodeMetrics | PodMetrics> {
  readonly kind: `${Metrics['kind']}List`;
  /**
   * The items in batches, to be taken once, and as they are sent: each is found when its turn comes, and must be read before the event loop turns. Between batches it
   * should turn; one may be empty where many objects have no metrics.
   */
  readonly batches: Iterable<readonly Metrics[]>;
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
