import protobuf from 'protobufjs/minimal.js';
import type { Fragment, NodeMetrics, PodMetrics } from '../metrics-api/objects.ts';
import type { Bytes, EpochMs, Nanocores } from '../model/units.ts';
import type { ItemEncoding, ItemMetadata } from './block-image.ts';
import { formatBytes, formatNanocores } from './quantity.ts';
import { toSeconds } from './time.ts';

// Field numbers: k8s.io/metrics v1beta1 and k8s.io/apimachinery meta/v1 `generated.proto`. The tag of field n is n << 3 | 2 for
// strings and messages, n << 3 for varints. Like Go's generated code, strings and embedded messages are written even when empty.
const delimited = (field: number): number => (field << 3) | 2;
const varint = (field: number): number => field << 3;

/** A varint of 5 bytes: the length of any time between 1978 and 3058. */
const gap = 2 ** 28;

/** The object as an item (field 2) of a protobuf list, made once per window. It stays as it is. */
export function protobufFragment(object: NodeMetrics | PodMetrics): Fragment {
  const { encoded, revision } = object;
  if (encoded.protobuf?.revision === revision) return encoded.protobuf;
  return (encoded.protobuf = encode(object, encoded.protobuf));
}

/** Items of protobuf lists. */
export const protobufItems: ItemEncoding = {
  kind: 'protobuf',
  name: 'protobuf',
  separator: Buffer.alloc(0),
  fragment: protobufFragment,
  encode,
  stampOf: ({ varint }) => varint,
};

function encode(object: NodeMetrics | PodMetrics, known: ItemMetadata | undefined): Fragment {
  const metadata = known === undefined ? encodeMetadata(object) : metadataOf(known);
  const writer = emptied(usageWriter);
  writeTime(writer.uint32(delimited(2)), object.timestamp);
  writer.uint32(delimited(3)).fork().uint32(varint(1)).int64(object.window).ldelim();
  if (object.kind === 'NodeMetrics') writeUsage(writer, 4, object.usage);
  else
    for (const container of object.containers) {
      writer.uint32(delimited(4)).fork().uint32(delimited(1)).string(container.name);
      writeUsage(writer, 2, container);
      writer.ldelim();
    }
  const rest = writer.finish(true);

  const contentLength = metadata.bytes.length + rest.length;
  const contentAt = 1 + varintLength(contentLength);
  const length = contentAt + contentLength;
  const bytes = Buffer.allocUnsafe(length);
  bytes[0] = delimited(2);
  writeVarint(bytes, 1, contentLength);
  bytes.set(metadata.bytes, contentAt);
  const metadataEnd = contentAt + metadata.bytes.length;
  bytes.set(rest, metadataEnd);
  return { bytes, length, contentAt, metadataEnd, stampAt: contentAt + metadata.stampAt, revision: object.revision };
}

interface MetadataBytes {
  readonly bytes: Uint8Array;
  /** Where `creationTimestamp` goes. */
  readonly stampAt: number;
}

function metadataOf({ bytes, contentAt, metadataEnd, stampAt }: ItemMetadata): MetadataBytes {
  return { bytes: bytes.subarray(contentAt, metadataEnd), stampAt: stampAt - contentAt };
}

/** Field 1 of the object: ObjectMeta. */
function encodeMetadata(object: NodeMetrics | PodMetrics): MetadataBytes {
  const writer = emptied(metadataWriter).uint32(delimited(1)).fork();
  writeIdentity(writer, object);
  const identityLength = writer.pos - 2;
  writeCreationAndLabels(writer, object);
  const length = writer.pos - 2;
  const bytes = writer.ldelim().finish(true);
  // After the tag and the length of creationTimestamp and the tag of its seconds, one byte each.
  return { bytes, stampAt: bytes.length - length + identityLength + 3 };
}

/** What they have written is copied before it is written over. New ones for each object take a fifth more time, and 4 MiB of a list of 7,000 pods until they are collected. */
const metadataWriter = new protobuf.Writer();
const usageWriter = new protobuf.Writer();

function emptied(writer: protobuf.Writer): protobuf.Writer {
  writer.states = null;
  return writer.reset();
}

/** ObjectMeta fields 1 to 7: name, generateName, namespace, selfLink, uid, resourceVersion, generation. */
function writeIdentity(writer: protobuf.Writer, object: NodeMetrics | PodMetrics): void {
  const namespace = object.kind === 'PodMetrics' ? object.namespace : '';
  [object.name, '', namespace, '', '', ''].forEach((text, index) => writer.uint32(delimited(index + 1)).string(text));
  writer.uint32(varint(7)).int64(0);
}

/** ObjectMeta fields 8 and 11. */
function writeCreationAndLabels(writer: protobuf.Writer, { labels }: NodeMetrics | PodMetrics): void {
  writer.uint32(delimited(8)).fork().uint32(varint(1)).int64(gap).uint32(varint(2)).int32(0).ldelim();
  for (const key of Object.keys(labels).sort())
    entry(writer, 11, key)
      .string(labels[key] ?? '')
      .ldelim();
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}

function writeVarint(target: Buffer, at: number, value: number): void {
  let [index, rest] = [at, value];
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) target[index++] = (rest % 0x80) + 0x80;
  target[index] = rest;
}

function writeTime(writer: protobuf.Writer, time: EpochMs): void {
  writer.fork().uint32(varint(1)).int64(toSeconds(time)).uint32(varint(2)).int32(0).ldelim();
}

function writeUsage(
  writer: protobuf.Writer,
  field: number,
  usage: { readonly cpu: Nanocores; readonly memory: Bytes },
) {
  entry(writer, field, 'cpu').fork().uint32(delimited(1)).string(formatNanocores(usage.cpu)).ldelim().ldelim();
  entry(writer, field, 'memory').fork().uint32(delimited(1)).string(formatBytes(usage.memory)).ldelim().ldelim();
}

/** Opens a map entry up to its value; the caller writes the value and closes it. */
function entry(writer: protobuf.Writer, field: number, key: string): protobuf.Writer {
  return writer.uint32(delimited(field)).fork().uint32(delimited(1)).string(key).uint32(delimited(2));
}
