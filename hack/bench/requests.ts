import { smallestWindows, type Windows } from './http2-client.ts';

/** A request that clients of a metrics server make. */
export interface SampleRequest {
  readonly name: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of the client; absent: those of Go. */
  readonly windows?: Windows;
  /** The budget against metrics-server, of the median latency and of the CPU. */
  readonly most: number;
}

export const group = '/apis/metrics.k8s.io/v1beta1';
const json = 'application/json';
const protobuf = 'application/vnd.kubernetes.protobuf';

/** What `kubectl top`, the HorizontalPodAutoscaler and dashboards ask for. */
export const sampleRequests: readonly SampleRequest[] = [
  { name: 'all pods, JSON', path: `${group}/pods`, headers: { accept: json }, most: 0.15 },
  { name: 'all pods, protobuf', path: `${group}/pods`, headers: { accept: protobuf }, most: 0.15 },
  {
    name: 'all pods, JSON, smallest windows',
    path: `${group}/pods`,
    headers: { accept: json },
    windows: smallestWindows,
    most: 0.15,
  },
  {
    name: 'all pods, JSON, gzip accepted',
    path: `${group}/pods`,
    headers: { accept: json, 'accept-encoding': 'gzip' },
    most: 1,
  },
  {
    name: 'all pods, Table',
    path: `${group}/pods`,
    headers: { accept: `${json};as=Table;v=v1;g=meta.k8s.io,${json}` },
    most: 1,
  },
  {
    name: 'namespace and selector, protobuf',
    path: `${group}/namespaces/team-3/pods?labelSelector=app%3Dapp-3`,
    headers: { accept: `${protobuf}, */*` },
    most: 1,
  },
  { name: 'all nodes, JSON', path: `${group}/nodes`, headers: { accept: json }, most: 1 },
  {
    name: 'one pod, JSON',
    path: `${group}/namespaces/team-3/pods/app-3-00001`,
    headers: { accept: json },
    most: 1,
  },
];
