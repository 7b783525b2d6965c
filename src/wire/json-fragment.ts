import { formatDuration } from '../options/duration.ts';
import type { Fragment, NodeMetrics, PodMetrics } from '../metrics-api/objects.ts';
import type { Bytes, Nanocores } from '../model/units.ts';
import type { ItemEncoding, ItemMetadata } from './block-image.ts';
import { jsonString } from './json-text.ts';
import { formatBytes, formatNanocores } from './quantity.ts';
import { formatTime, type Stamp } from './time.ts';

/** Stands where the time of the answer goes; as long as any `metav1.Time` in JSON. */
const gap = '0000-00-00T00:00:00Z';
/** Room for the next usage of the same object, whose numbers may have more digits. */
const spare = 24;

/**
 * The object as an item of a JSON list, made once per window. List items carry neither `kind` nor `apiVersion`. When the event loop has turned it may be a later item
 * of the same object: the next is written over it, since new memory for every window of every pod would be as much again, most of it waiting to be collected.
 */
export function jsonFragment(object: NodeMetrics | PodMetrics): Fragment {
  const { encoded, revision } = object;
  if (encoded.json?.revision === revision) return encoded.json;
  const text = usageJson(object);
  const size = Buffer.byteLength(text);
  const fragment = (encoded.json ??= encodeMetadata(object, size + spare));
  const { bytes, metadataEnd } = fragment;
  const length = metadataEnd + size;
  if (bytes.length < length) {
    fragment.bytes = Buffer.allocUnsafe(length + spare);
    bytes.copy(fragment.bytes, 0, 0, metadataEnd);
  }
  fragment.bytes.write(text, metadataEnd);
  fragment.length = length;
  fragment.revision = revision;
  return fragment;
}

/** The beginning of the object up to the end of its metadata, with a gap for the time of the answer. */
export function metadataJson(object: NodeMetrics | PodMetrics): ItemMetadata {
  return encodeMetadata(object, 0);
}

/** As `jsonFragment`, for whoever keeps it elsewhere. */
function encode(object: NodeMetrics | PodMetrics, known: ItemMetadata | undefined): Fragment {
  const text = usageJson(object);
  const { bytes: metadata, contentAt, metadataEnd, stampAt } = known ?? encodeMetadata(object, 0);
  const length = metadataEnd + Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(length);
  metadata.copy(bytes, 0, 0, metadataEnd);
  bytes.write(text, metadataEnd);
  return { bytes, length, contentAt, metadataEnd, stampAt, revision: object.revision };
}

/** Items of JSON lists. */
export const jsonItems: ItemEncoding = {
  kind: 'json',
  name: 'json',
  separator: Buffer.from(','),
  fragment: jsonFragment,
  encode,
  stampOf: ({ ascii }) => ascii,
};

/** The fragment's text from `contentAt` on, stamped; up to the end of its metadata, or whole. */
export function stampedText(
  { bytes, length, contentAt, metadataEnd, stampAt }: Fragment,
  stamp: Stamp,
  part: 'metadata' | 'all',
) {
  const end = part === 'metadata' ? metadataEnd : length;
  return (
    bytes.toString('utf8', contentAt, stampAt) + stamp.text + bytes.toString('utf8', stampAt + stamp.text.length, end)
  );
}

/** What the object uses now: all that comes behind its metadata, to the object's end. */
export function usageJson(object: NodeMetrics | PodMetrics): string {
  const content =
    object.kind === 'NodeMetrics' ? `"usage":${usage(object.usage)}` : `"containers":[${containers(object)}]`;
  return `,"timestamp":"${formatTime(object.timestamp)}","window":"${formatDuration(object.window)}",${content}}`;
}

/** The beginning of the item, up to the end of its metadata. */
function encodeMetadata(object: NodeMetrics | PodMetrics, room: number): Fragment {
  const beforeStamp = `{"metadata":{"name":${jsonString(object.name)},${namespaceOf(object)}"creationTimestamp":"`;
  const text = `${beforeStamp}${gap}"${labelsOf(object)}}`;
  const length = Buffer.byteLength(text);
  const bytes = Buffer.allocUnsafe(length + room);
  bytes.write(text);
  return { bytes, length, contentAt: 1, metadataEnd: length, stampAt: Buffer.byteLength(beforeStamp), revision: -1 };
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
