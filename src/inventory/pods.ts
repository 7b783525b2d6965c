import type { PodInfo } from '../model/inventory.ts';
import type { KnownStrings } from '../model/known-strings.ts';
import type { LabelSets } from './label-sets.ts';
import { annotation, metadataOf, text } from './metadata.ts';

/** Annotations of mirror pods (Kubernetes `pkg/kubelet/types`). */
const configMirror = 'kubernetes.io/config.mirror';
const configHash = 'kubernetes.io/config.hash';

/** What we keep of a Pod or of its PartialObjectMetadata; undefined when name, namespace or UID is missing. */
export function podInfo(object: unknown, labelSets: LabelSets, strings: KnownStrings): PodInfo | undefined {
  const metadata = metadataOf(object);
  const namespace = text(metadata.namespace);
  const name = text(metadata.name);
  const uid = text(metadata.uid);
  if (namespace === undefined || name === undefined || uid === undefined) return undefined;
  const hash = annotation(metadata, configMirror) === undefined ? undefined : annotation(metadata, configHash);
  const ownUid = strings.share(uid);
  return {
    namespace: strings.share(namespace),
    name: strings.share(name),
    labels: labelSets.intern(metadata.labels),
    uid: ownUid,
    kubeletUid: hash === undefined ? ownUid : strings.share(hash),
    series: undefined,
  };
}

/** Whether two readings of one pod say the same; label sets are shared, so they compare by reference. */
export function samePod(a: PodInfo, b: PodInfo): boolean {
  return a.uid === b.uid && a.kubeletUid === b.kubeletUid && a.labels === b.labels;
}
