import type { Bytes, EpochMs } from '../model/units.ts';

/** Windows of one class of data. */
export interface WindowCensus {
  readonly count: number;
  /** End of the oldest window that is served; undefined when there is none. */
  readonly oldest: EpochMs | undefined;
}

/** Parts of the program that `/metrics` asks about themselves whenever it is read: at once, or in turns where there is much to count. */
export interface ObservedState {
  readonly inventory?: () => { readonly nodes: number; readonly readyNodes: number; readonly pods: number };
  readonly windows?: () => Promise<{ readonly node: WindowCensus; readonly container: WindowCensus }>;
  readonly absent?: () => Promise<
    Iterable<{ readonly resource: 'nodes' | 'pods'; readonly reason: string; readonly count: number }>
  >;
  readonly scraping?: () => {
    readonly fromSummary: number;
    readonly fromResource: number;
    readonly backingOff: number;
  };
  readonly memory?: () => {
    readonly limits: { readonly process: Bytes; readonly heap: Bytes };
    /** 0 to 1. */
    readonly pressure: number;
  };
  /** Open client connections. */
  readonly connections?: () => number;
}
