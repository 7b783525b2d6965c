import type { ContainerWindow } from '../model/window.ts';
import type { Bytes, EpochMs, Nanocores, Nanoseconds } from '../model/units.ts';

/** Resource kinds of `metrics.k8s.io`, under the names of their URL segments. */
export type ResourceName = 'nodes' | 'pods';

/** The group's versions; the types are the same in both. v1 is GA in Kubernetes 1.37. */
export const apiVersions = ['v1', 'v1beta1'] as const;
export type ApiVersion = (typeof apiVersions)[number];
export const apiGroup = 'metrics.k8s.io';

/** One object as an item of a list, with a gap for `creationTimestamp`. Offsets are in bytes. */
export interface Fragment {
  readonly bytes: Buffer;
  /** Where the object's own content begins, after what makes it an item. */
  readonly contentAt: number;
  /** Where `metadata`, which comes first in the content, ends. */
  readonly metadataEnd: number;
  /** Where the time of the answer is written into a copy of `bytes`. */
  readonly stampAt: number;
}

/** Bytes of one object as the wire encoders last made them; owned by `wire/`, empty until somebody asks. */
export interface EncodedFragments {
  json?: Fragment;
  protobuf?: Fragment;
}

/** Encoded `metadata` alone, which outlives the windows; owned by `wire/`, empty until somebody asks. */
export interface EncodedMetadata {
  json?: MetadataBytes;
  protobuf?: MetadataBytes;
}

export interface MetadataBytes {
  readonly bytes: Buffer;
  /** Where `creationTimestamp` goes. */
  readonly stampAt: number;
}

interface MetricsObject {
  readonly name: string;
  /** Copied from the Node or Pod. */
  readonly labels: Readonly<Record<string, string>>;
  readonly timestamp: EpochMs;
  readonly window: Nanoseconds;
  /** Shared by all objects made of the same Node or Pod, of which name and labels are copied. */
  readonly metadata: EncodedMetadata;
  /** The object never changes, so what is encoded once stays right; only `creationTimestamp` is stamped per answer. */
  readonly fragments: EncodedFragments;
}

/** Usage of a node. A new object is made whenever its window or labels change. */
export interface NodeMetrics extends MetricsObject {
  readonly kind: 'NodeMetrics';
  readonly usage: { readonly cpu: Nanocores; readonly memory: Bytes };
}

/** Usage of a pod: `timestamp` and `window` are those of its earliest container. Containers are in order of name. */
export interface PodMetrics extends MetricsObject {
  readonly kind: 'PodMetrics';
  readonly namespace: string;
  /** The node whose kubelet reported it; matched by the field selector `spec.nodeName`. */
  readonly nodeName: string;
  readonly containers: readonly ContainerWindow[];
}
