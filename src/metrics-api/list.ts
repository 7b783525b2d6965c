import type { NodeMetrics, PodMetrics } from './objects.ts';

interface Page {
  /** `metadata.continue`: there is more after these items; undefined on the last page. */
  readonly continueToken: string | undefined;
  /** How many objects follow the page; undefined when there are none, or a selector makes the number unknown. */
  readonly remainingItemCount: number | undefined;
}

export interface NodeMetricsList extends Page {
  readonly kind: 'NodeMetricsList';
  readonly items: readonly NodeMetrics[];
}

export interface PodMetricsList extends Page {
  readonly kind: 'PodMetricsList';
  readonly items: readonly PodMetrics[];
}

export type MetricsList = NodeMetricsList | PodMetricsList;
