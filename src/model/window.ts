import type { Bytes, EpochMs, MonotonicMs, Nanocores, Nanoseconds } from './units.ts';

/** Usage of one node or container over the window that ends at `timestamp` and lasts `length`. */
export interface UsageWindow {
  readonly timestamp: EpochMs;
  readonly length: Nanoseconds;
  readonly cpu: Nanocores;
  /** Working set at `timestamp`. */
  readonly memory: Bytes;
}

/** A container's window under the container's name. */
export interface ContainerWindow extends UsageWindow {
  readonly name: string;
}

/**
 * Usage as it is while it is read, not as it was: it must be read before the event loop turns. Objects for every window of every pod would be most of the memory
 * and nearly all of the garbage of a server that few ask.
 */
interface PresentUsage {
  /** Another number whenever the usage is another. */
  readonly revision: number;
  /** For whoever serves it: what was made of it, found without a table and gone with the series. */
  kept: object | undefined;
}

/** Usage of a node. */
export interface NodeUsage extends UsageWindow, PresentUsage {}

/** Usage of a pod, complete: every running container has a window. */
export interface PodUsage extends PresentUsage {
  readonly nodeName: string;
  /** Those of the container whose window ended first. */
  readonly timestamp: EpochMs;
  readonly length: Nanoseconds;
  /** In order of name; made anew for each reader. */
  readonly containers: readonly ContainerWindow[];
}

/** Where a pod's usage comes and goes; once it is gone for good, never again any. */
export interface PodUsageSeries {
  usage(now: MonotonicMs): PodUsage | undefined;
}
