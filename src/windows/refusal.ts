/**
 * Why a sample made no window:
 * `no_cpu` the source gave no CPU counter or no time for it; `no_memory` no working set; `placeholder` the zeros that stand where nothing was collected;
 * `first_sample` nothing to compare it with yet; `stale` first seen when it was already too old to stand for the present;
 * `implausible` a rate above one and a half times what the node has.
 */
export type Refusal = 'no_cpu' | 'no_memory' | 'placeholder' | 'first_sample' | 'stale' | 'implausible';

/** Why a node or pod is not served, for operators: a refusal of its newest sample, or one of these. */
export type AbsenceReason =
  | Refusal
  /** Its node has not been scraped successfully yet. */
  | 'not_scraped'
  /** The node answers, but its answer does not mention it. */
  | 'not_reported'
  /** The last good window is older than the maximum age. */
  | 'expired';

/** Why something is not served; `container` names the one that holds the pod back. */
export interface Absence {
  readonly reason: AbsenceReason;
  readonly container?: string;
}
