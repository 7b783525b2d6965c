import { median } from './statistics.ts';

/** One look at the server; memory in MiB. */
export interface SoakSample {
  readonly seconds: number;
  /** After a full collection. */
  readonly heap: number;
  readonly rss: number;
  readonly descriptors: number;
  /** Handles, requests and timers that Node's event loop holds. */
  readonly resources: number;
  /** Lines of `/metrics`. */
  readonly series: number;
  /** Running, by the API server's word. */
  readonly pods: number;
  /** With a window. */
  readonly containers: number;
}

export interface Growth {
  readonly what: string;
  readonly from: number;
  readonly to: number;
  readonly grew: boolean;
}

/** What counts as grown: more than this share, and more than so many. Failing kubelets hold descriptors and open labels for a while. */
const tolerances: Readonly<Partial<Record<keyof SoakSample, { readonly share: number; readonly count: number }>>> = {
  heap: { share: 0.1, count: 3 },
  rss: { share: 0.15, count: 20 },
  descriptors: { share: 0.1, count: 15 },
  resources: { share: 0.1, count: 15 },
  series: { share: 0.05, count: 30 },
};

/** The median of the first third beside that of the last. */
export function growths(samples: readonly SoakSample[]): readonly Growth[] {
  const third = Math.max(1, Math.floor(samples.length / 3));
  const [early, late] = [samples.slice(0, third), samples.slice(-third)];
  return (['heap', 'rss', 'descriptors', 'resources', 'series'] as const).map((what) => {
    const [from, to] = [early, late].map((part) => median(part.map((sample) => sample[what]))) as [number, number];
    const { share = 0, count = 0 } = tolerances[what] ?? {};
    return { what, from, to, grew: to - from > Math.max(count, from * share) };
  });
}
