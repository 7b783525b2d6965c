import type { EpochMs } from '../model/units.ts';

/** RFC 3339 in UTC, cut to whole seconds: how Kubernetes' `metav1.Time` is written. */
export function wholeSecond(at: EpochMs): string {
  return `${new Date(Math.floor(at / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}
