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
