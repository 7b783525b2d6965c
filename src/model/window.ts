import type { Bytes, EpochMs, Nanocores, Nanoseconds } from './units.ts';

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

/** What a reader made of something immutable, kept with it so that it lives as long: looked up without a table. */
export interface Derived {
  /** What else it was made of. */
  from?: object | undefined;
  value?: unknown;
}

/** Usage of a pod, complete: every running container has a window. Never changes; a new one is made when a window does. */
export interface PodUsage {
  readonly nodeName: string;
  /** Those of the container whose window ended first. */
  readonly timestamp: EpochMs;
  readonly length: Nanoseconds;
  /** In order of name. */
  readonly containers: readonly ContainerWindow[];
  /** For whoever serves it. */
  readonly derived: Derived;
}
