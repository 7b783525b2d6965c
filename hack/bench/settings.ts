/** A cluster's size. */
export interface ClusterSize {
  readonly nodes: number;
  readonly podsPerNode: number;
}

/** What a run is asked for. */
export interface Settings {
  /** For files of this run; removed at its end. */
  readonly directory: string;
  /** The bundle that is measured. */
  readonly program: string;
  /** A metrics-server binary to measure beside it. */
  readonly metricsServer: string | undefined;
  readonly size: ClusterSize;
  /** Sizes of the bench `scale`. */
  readonly scales: readonly ClusterSize[];
  /** Seconds between scrapes of a node. */
  readonly resolution: number;
  /** Cycles that the bench `scrape` averages over, after the warm-up. */
  readonly cycles: number;
  /** Seconds of each request of `serve`, and of each size of `scale`. */
  readonly serveSeconds: number;
  readonly scaleSeconds: number;
  /** How often `start` starts each program. */
  readonly starts: number;
  /** Tells people how far it is. */
  readonly say: (text: string) => void;
}

/**
 * Reads `100x70`: nodes, and pods on each.
 * @throws Error for anything else
 */
export function parseSize(text: string): ClusterSize {
  const [, nodes, podsPerNode] = /^(\d+)x(\d+)$/.exec(text) ?? [];
  if (nodes === undefined || podsPerNode === undefined) throw new Error(`"${text}" is no size such as 100x70`);
  return { nodes: Number(nodes), podsPerNode: Number(podsPerNode) };
}

export function sizeText({ nodes, podsPerNode }: ClusterSize): string {
  return `${nodes}x${podsPerNode}`;
}
