import { parseCpu } from '../kube/quantity.ts';
import type { NodeAddress, NodeInfo } from '../model/inventory.ts';
import type { LabelSets } from './label-sets.ts';
import { annotation, asRecord, metadataOf, text } from './metadata.ts';

/** Annotation of metrics-server that replaces the path of resource metrics. */
const resourceMetricsPath = 'metrics.k8s.io/resource-metrics-path';

/** What we keep of a whole Node object; undefined when it has no name. */
export function nodeInfo(object: unknown, labelSets: LabelSets): NodeInfo | undefined {
  const metadata = metadataOf(object);
  const name = text(metadata.name);
  if (name === undefined) return undefined;
  const status = asRecord(asRecord(object)['status']);
  const cpu = asRecord(status['capacity'])['cpu'];
  return {
    name,
    labels: labelSets.intern(metadata.labels),
    addresses: nodeAddresses(status['addresses']),
    kubeletPort: kubeletPort(status['daemonEndpoints']),
    ready: isReady(status['conditions']),
    cpuCapacity: typeof cpu === 'string' || typeof cpu === 'number' ? parseCpu(String(cpu)) : undefined,
    resourceMetricsPath: annotation(metadata, resourceMetricsPath),
  };
}

/** Whether two readings of one node say the same; label sets are shared, so they compare by reference. */
export function sameNode(a: NodeInfo, b: NodeInfo): boolean {
  return (
    a.labels === b.labels &&
    a.ready === b.ready &&
    a.kubeletPort === b.kubeletPort &&
    a.cpuCapacity === b.cpuCapacity &&
    a.resourceMetricsPath === b.resourceMetricsPath &&
    a.addresses.length === b.addresses.length &&
    a.addresses.every(
      ({ type, address }, index) => type === b.addresses[index]?.type && address === b.addresses[index].address,
    )
  );
}

function nodeAddresses(raw: unknown): readonly NodeAddress[] {
  const addresses: NodeAddress[] = [];
  for (const entry of asArray(raw)) {
    const { type, address } = asRecord(entry);
    if (typeof type === 'string' && typeof address === 'string') addresses.push({ type, address });
  }
  return addresses;
}

function kubeletPort(daemonEndpoints: unknown): number | undefined {
  const port = asRecord(asRecord(daemonEndpoints)['kubeletEndpoint'])['Port'];
  return typeof port === 'number' && Number.isInteger(port) && port > 0 && port < 65536 ? port : undefined;
}

function isReady(conditions: unknown): boolean {
  return asArray(conditions).some((entry) => {
    const { type, status } = asRecord(entry);
    return type === 'Ready' && status === 'True';
  });
}

function asArray(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as unknown[]) : [];
}
