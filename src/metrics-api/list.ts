import type { NodeMetrics, PodMetrics } from './objects.ts';

interface Page<Metrics> {
  /**
   * To be read once, and as it is sent: each item is found when its turn comes. Between items there may be other turns of the event loop, and `undefined` asks for
   * one, after many objects without metrics as well as after many items.
   */
  readonly items: Iterable<Metrics | undefined>;
  /** There are no more items than that. */
  readonly most: number;
  /** `metadata.continue`: there is more after these items; undefined on the last page. */
  readonly continueToken: string | undefined;
  /** How many objects follow the page; undefined when there are none, or a selector makes the number unknown. */
  readonly remainingItemCount: number | undefined;
}

export interface NodeMetricsList extends Page<NodeMetrics> {
  readonly kind: 'NodeMetricsList';
}

export interface PodMetricsList extends Page<PodMetrics> {
  readonly kind: 'PodMetricsList';
}

export type MetricsList = NodeMetricsList | PodMetricsList;

/** The items of a list, all at once. */
export function* allItems(list: MetricsList): Generator<NodeMetrics | PodMetrics> {
  for (const item of list.items) if (item !== undefined) yield item;
}
