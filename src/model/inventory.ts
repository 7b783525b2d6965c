import type { Nanocores } from './units.ts';
import type { PodUsageSeries } from './window.ts';

/** One entry of a Node's `status.addresses`. */
export interface NodeAddress {
  /** `InternalIP`, `ExternalIP`, `Hostname`, `InternalDNS`, `ExternalDNS`, or a type a cloud made up. */
  readonly type: string;
  readonly address: string;
}

/** What we keep of a Node. */
export interface NodeInfo {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly addresses: readonly NodeAddress[];
  /** `status.daemonEndpoints.kubeletEndpoint.Port`; undefined when absent or 0. */
  readonly kubeletPort: number | undefined;
  /** The Ready condition is `True`. */
  readonly ready: boolean;
  /** `status.capacity.cpu`; undefined when absent or unreadable. */
  readonly cpuCapacity: Nanocores | undefined;
  /** Annotation `metrics.k8s.io/resource-metrics-path`. */
  readonly resourceMetricsPath: string | undefined;
}

/** Where a Node or Pod stands among all, which are sorted by namespace, then name, both in byte order. It need not exist. */
export interface ObjectKey {
  /** Of a Pod. */
  readonly namespace?: string;
  readonly name: string;
}

/** What we keep of a running Pod: metadata only, as PartialObjectMetadata gives it. */
export interface PodInfo {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `metadata.uid`. */
  readonly uid: string;
  /**
   * The UID under which the kubelet reports the pod (`podRef.uid`): `metadata.uid`, but for the mirror pod of a static pod
   * its annotation `kubernetes.io/config.hash`.
   */
  readonly kubeletUid: string;
  /**
   * Where its usage was last found, noted by who keeps usage: a list finds it here at once, where tables of 150,000 pods cost half of the time in waits for memory.
   */
  series?: PodUsageSeries | undefined;
}

/** Pods that stand next to each other in every list. They never change: of other pods there is another block. */
export interface PodBlock {
  readonly pods: readonly PodInfo[];
  /** For whoever serves them: what was made of them, or of those in the block that had this one's place before. */
  kept: object | undefined;
}
