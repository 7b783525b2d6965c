import type { NodeInfo, PodInfo } from '../model/inventory.ts';
import type { ContainerWindow } from '../model/window.ts';
import type { Bytes, EpochMs, Nanocores, Nanoseconds } from '../model/units.ts';

/** Resource kinds of `metrics.k8s.io`, under the names of their URL segments. */
export type ResourceName = 'nodes' | 'pods';

/** The group's versions; the types are the same in both. v1 is GA in Kubernetes 1.37. */
export const apiVersions = ['v1', 'v1beta1'] as const;
export type ApiVersion = (typeof apiVersions)[number];
export const apiGroup = 'metrics.k8s.io';

/** One object as an item of a list, with a gap for `creationTimestamp`. Offsets are in bytes. Only its encoder changes it. */
export interface Fragment {
  /** Begins with the fragment; may be longer. */
  bytes: Buffer;
  length: number;
  /** Where the object's own content begins, after what makes it an item. */
  readonly contentAt: number;
  /** Where `metadata`, which comes first in the content, ends. */
  readonly metadataEnd: number;
  /** Where the time of the answer is written into a copy of `bytes`; negative: nowhere. */
  readonly stampAt: number;
  /** Of the object that it was made of. */
  revision: number;
}

/** What the encoders of `wire/` last made of an object, which may have changed since: its `revision` tells. Empty until somebody asks. */
export interface EncodedObject {
  /** Whose name and labels are in it. */
  readonly of: NodeInfo | PodInfo;
  json: Fragment | undefined;
  protobuf: Fragment | undefined;
}

/** An object as it is while it is read: like the usage it tells of, it must be read before the event loop turns. */
interface MetricsObject {
  readonly name: string;
  /** Copied from the Node or Pod. */
  readonly labels: Readonly<Record<string, string>>;
  readonly timestamp: EpochMs;
  readonly window: Nanoseconds;
  /** Another number whenever the usage is another. */
  readonly revision: number;
  /** Kept with the usage; only `creationTimestamp` is stamped per answer. */
  readonly encoded: EncodedObject;
}

/** Usage of a node. */
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
