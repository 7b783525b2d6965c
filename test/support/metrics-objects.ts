import type { MetricsList, NodeMetricsList, PodMetricsList } from '../../src/metrics-api/list.ts';
import type { EncodedObject, NodeMetrics, PodMetrics } from '../../src/metrics-api/objects.ts';
import type { NodeInfo, PodInfo } from '../../src/model/inventory.ts';
import { bytes, epochMs, nanocores, nanoseconds } from '../../src/model/units.ts';
import { nodeInfo, podInfo } from './metrics-sources.ts';

const timestamp = epochMs(Date.parse('2026-11-22T10:15:34.700Z'));
/** The time of the answers in the example files. */
export const answeredAt = epochMs(Date.parse('2026-11-22T10:15:41.999Z'));

const encoded = (of: NodeInfo | PodInfo): EncodedObject => ({ of, json: undefined, protobuf: undefined });

export function nodeMetrics(changes: Partial<NodeMetrics> = {}): NodeMetrics {
  return {
    kind: 'NodeMetrics',
    name: 'worker-1',
    labels: { 'kubernetes.io/os': 'linux', 'kubernetes.io/hostname': 'worker-1' },
    timestamp,
    window: nanoseconds(10_001_000_000),
    usage: { cpu: nanocores(312_654_321), memory: bytes(2 * 1024 ** 3) },
    revision: 1,
    encoded: encoded(nodeInfo('worker-1')),
    ...changes,
  };
}

export function podMetrics(changes: Partial<PodMetrics> = {}): PodMetrics {
  const window = { timestamp, length: nanoseconds(15_012_000_000) };
  return {
    kind: 'PodMetrics',
    namespace: 'default',
    name: 'web-7c9d6bf6b4-x2x7p',
    nodeName: 'worker-1',
    labels: { 'pod-template-hash': '7c9d6bf6b4', app: 'web' },
    timestamp,
    window: window.length,
    containers: [
      { ...window, name: 'app', cpu: nanocores(123_456_789), memory: bytes(50 * 1024 ** 2) },
      { ...window, name: 'istio-proxy', cpu: nanocores(2_345_678), memory: bytes(40 * 1024 ** 2) },
    ],
    revision: 1,
    encoded: encoded(podInfo('default', 'web')),
    ...changes,
  };
}

/** The second pod of the example lists: idle and without labels. */
export function idlePodMetrics(): PodMetrics {
  const length = nanoseconds(10_000_000_000);
  return podMetrics({
    namespace: 'jobs',
    name: 'worker-0',
    labels: {},
    window: length,
    containers: [{ timestamp, length, name: 'main', cpu: nanocores(0), memory: bytes(12_240 * 1024) }],
  });
}

const lastPage = { continueToken: undefined, remainingItemCount: undefined };

export function nodeList(...items: NodeMetrics[]): NodeMetricsList {
  return { kind: 'NodeMetricsList', batches: [items], most: items.length, ...lastPage };
}

export function podList(...items: PodMetrics[]): PodMetricsList {
  return { kind: 'PodMetricsList', batches: [items], most: items.length, ...lastPage };
}

/** The lists and objects of the example files, by file name. */
export function examples(): Readonly<Record<string, MetricsList | NodeMetrics | PodMetrics>> {
  return {
    'node-metrics': nodeMetrics(),
    'node-metrics-list': nodeList(nodeMetrics()),
    'pod-metrics': podMetrics(),
    'pod-metrics-list': podList(podMetrics(), idlePodMetrics()),
    'pod-metrics-list-empty': podList(),
  };
}
