import type { PodInfo } from '../model/inventory.ts';
import type { LabelSets } from './label-sets.ts';
import { annotation, metadataOf, text } from './metadata.ts';
import type { SharedNames } from './shared-names.ts';

/** Annotations of mirror pods (Kubernetes `pkg/kubelet/types`). */
const configMirror = 'kubernetes.io/config.mirror';
const configHash = 'kubernetes.io/config.hash';

/** What we keep of a Pod or of its PartialObjectMetadata; undefined when name, namespace or UID is missing. */
export function podInfo(object: unknown, labelSets: LabelSets, namespaces: SharedNames): PodInfo | undefined {
  const metadata = metadataOf(object);
  const namespaceName = text(metadata.namespace);
  const name = text(metadata.name);
  const uid = text(metadata.uid);
  if (namespaceName === undefined || name === undefined || uid === undefined) return undefined;
  const hash = annotation(metadata, configMirror) === undefined ? undefined : annotation(metadata, configHash);
  const namespace = namespaces.share(namespaceName);
  return {
    namespace,
    name,
    labels: labelSets.intern(metadata.labels),
    uid,
    kubeletUid: hash ?? uid,
    series: undefined,
  };
}

/** Whether two readings of one pod say the same; label sets are shared, so they compare by reference. */
export function samePod(a: PodInfo, b: PodInfo): boolean {
  return a.uid === b.uid && a.kubeletUid === b.kubeletUid && a.labels === b.labels;
}
