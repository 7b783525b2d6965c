import type { Stage } from '../../hack/e2e/stage.ts';
import { until } from '../../hack/e2e/wait.ts';

/** PodMetrics and NodeMetrics as JSON has them. */
export interface ServedMetrics {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly timestamp: string;
  /** A Go duration; here always shorter than a minute. */
  readonly window: string;
  readonly usage?: ServedUsage;
  readonly containers?: readonly { readonly name: string; readonly usage: ServedUsage }[];
}

export interface ServedUsage {
  readonly cpu: string;
  readonly memory: string;
}

export interface MetricsList {
  readonly kind: string;
  readonly apiVersion: string;
  readonly items: readonly ServedMetrics[];
}

/** The pods of `test/e2e/data/workloads.yaml`. */
export const workloads = ['cart', 'catalog', 'books', 'etcd-alpha', 'hermit'];

const scales: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
};

/** The value of a Kubernetes quantity. */
export function amount(quantity: string): number {
  const [, digits = '', suffix = ''] = /^(\d+(?:\.\d+)?)([a-zA-Z]*)$/.exec(quantity) ?? [];
  const scale = scales[suffix];
  if (digits === '' || scale === undefined) throw new Error(`not a quantity: ${quantity}`);
  return Number(digits) * scale;
}

/** Milliseconds of a window. */
export function windowLength({ window }: ServedMetrics): number {
  const [, minutes = '0', seconds = '0'] = /^(?:(\d+)m)?([\d.]+)s$/.exec(window) ?? [];
  return Number(minutes) * 60_000 + Number(seconds) * 1000;
}

/** Whether `value` is within this part of `truth`. */
export function near(value: number, truth: number, part = 0.01): boolean {
  return Math.abs(value - truth) <= part * truth;
}

export const metricsPath = '/apis/metrics.k8s.io/v1';

/** Lists through the aggregator. */
export async function list(stage: Stage, path: string): Promise<MetricsList> {
  return await stage.plane.admin.read<MetricsList>(`${metricsPath}/${path}`);
}

/** Waits until the aggregator serves every workload. */
export async function everythingServed(stage: Stage): Promise<void> {
  await until(60_000, 'all workloads are served', async () => {
    const { items } = await list(stage, 'pods');
    const names = items.map(({ metadata }) => metadata.name);
    const missing = workloads.filter((name) => !names.includes(name));
    if (missing.length > 0) throw new Error(`not served: ${missing.join(', ')}`);
  });
}
