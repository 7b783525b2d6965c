import { formatDuration } from '../options/duration.ts';
import type { Fragment, MetadataBytes, NodeMetrics, PodMetrics } from '../metrics-api/objects.ts';
import type { Bytes, Nanocores } from '../model/units.ts';
import { jsonString } from './json-text.ts';
import { formatBytes, formatNanocores } from './quantity.ts';
import { formatTime, type Stamp } from './time.ts';

/** Stands where the time of the answer goes; as long as any `metav1.Time` in JSON. */
const gap = '0000-00-00T00:00:00Z';

/** The object as an item of a JSON list, made once per object. List items carry neither `kind` nor `apiVersion`. */
export function jsonFragment(object: NodeMetrics | PodMetrics): Fragment {
  return (object.fragments.json ??= encode(object));
}

/** The fragment's text from `contentAt` on, stamped; up to the end of its metadata, or whole. */
export function stampedText(
  { bytes, contentAt, metadataEnd, stampAt }: Fragment,
  stamp: Stamp,
  part: 'metadata' | 'all',
) {
  const end = part === 'metadata' ? metadataEnd : bytes.length;
  return (
    bytes.toString('utf8', contentAt, stampAt) + stamp.text + bytes.toString('utf8', stampAt + stamp.text.length, end)
  );
}

function encode(object: NodeMetrics | PodMetrics): Fragment {
  const metadata = (object.metadata.json ??= encodeMetadata(object));
  const content =
    object.kind === 'NodeMetrics' ? `"usage":${usage(object.usage)}` : `"containers":[${containers(object)}]`;
  const rest = `,"timestamp":"${formatTime(object.timestamp)}","window":"${formatDuration(object.window)}",${content}}`;
  const metadataEnd = metadata.bytes.length;
  const bytes = Buffer.allocUnsafe(metadataEnd + Buffer.byteLength(rest));
  metadata.bytes.copy(bytes);
  bytes.write(rest, metadataEnd);
  return { bytes, contentAt: 1, metadataEnd, stampAt: metadata.stampAt };
}

/** The beginning of the item, up to the end of its metadata. */
function encodeMetadata(object: NodeMetrics | PodMetrics): MetadataBytes {
  const beforeStamp = `{"metadata":{"name":${jsonString(object.name)},${namespaceOf(object)}"creationTimestamp":"`;
  return {
    bytes: Buffer.from(`${beforeStamp}${gap}"${labelsOf(object)}}`),
    stampAt: Buffer.byteLength(beforeStamp),
  };
}

function containers({ containers }: PodMetrics): string {
  let text = '';
  for (const container of containers)
    text += `${text === '' ? '' : ','}{"name":${jsonString(container.name)},"usage":${usage(container)}}`;
  return text;
}

function namespaceOf(object: NodeMetrics | PodMetrics): string {
  return object.kind === 'PodMetrics' ? `"namespace":${jsonString(object.namespace)},` : '';
}

function labelsOf({ labels }: NodeMetrics | PodMetrics): string {
  const keys = Object.keys(labels).sort();
  if (keys.length === 0) return '';
  return `,"labels":{${keys.map((key) => `${jsonString(key)}:${jsonString(labels[key] ?? '')}`).join(',')}}`;
}

function usage({ cpu, memory }: { readonly cpu: Nanocores; readonly memory: Bytes }): string {
  return `{"cpu":"${formatNanocores(cpu)}","memory":"${formatBytes(memory)}"}`;
}
