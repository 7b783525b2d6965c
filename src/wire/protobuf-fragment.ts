import protobuf from 'protobufjs/minimal.js';
import type { Fragment, NodeMetrics, PodMetrics } from '../metrics-api/objects.ts';
import type { Bytes, EpochMs, Nanocores } from '../model/units.ts';
import { formatBytes, formatNanocores } from './quantity.ts';
import { toSeconds } from './time.ts';

// Field numbers: k8s.io/metrics v1beta1 and k8s.io/apimachinery meta/v1 `generated.proto`. The tag of field n is n << 3 | 2 for
// strings and messages, n << 3 for varints. Like Go's generated code, strings and embedded messages are written even when empty.
const delimited = (field: number): number => (field << 3) | 2;
const varint = (field: number): number => field << 3;

/** A varint of 5 bytes: the length of any time between 1978 and 3058. */
const gap = 2 ** 28;

/** The object as an item (field 2) of a protobuf list, made once per object. */
export function protobufFragment(object: NodeMetrics | PodMetrics): Fragment {
  return (object.fragments.protobuf ??= encode(object));
}

function encode(object: NodeMetrics | PodMetrics): Fragment {
  const identity = writeIdentity(object);
  const metadata = Buffer.concat([identity, writeCreationAndLabels(object)]);

  const body = protobuf.Writer.create();
  body.uint32(delimited(1)).bytes(metadata);
  writeTime(body.uint32(delimited(2)), object.timestamp);
  body.uint32(delimited(3)).fork().uint32(varint(1)).int64(object.window).ldelim();
  if (object.kind === 'NodeMetrics') writeUsage(body, 4, object.usage);
  else
    for (const container of object.containers) {
      body.uint32(delimited(4)).fork().uint32(delimited(1)).string(container.name);
      writeUsage(body, 2, container);
      body.ldelim();
    }
  const content = body.finish();

  const item = protobuf.Writer.create().uint32(delimited(2)).bytes(content).finish();
  const contentAt = item.length - content.length;
  const metadataAt = contentAt + 1 + varintLength(metadata.length);
  return {
    bytes: Buffer.from(item),
    contentAt,
    metadataEnd: metadataAt + metadata.length,
    // After the tag and the length of creationTimestamp and the tag of its seconds, one byte each.
    stampAt: metadataAt + identity.length + 3,
  };
}

/** ObjectMeta fields 1 to 7: name, generateName, namespace, selfLink, uid, resourceVersion, generation. */
function writeIdentity(object: NodeMetrics | PodMetrics): Uint8Array {
  const writer = protobuf.Writer.create();
  const namespace = object.kind === 'PodMetrics' ? object.namespace : '';
  [object.name, '', namespace, '', '', ''].forEach((text, index) => writer.uint32(delimited(index + 1)).string(text));
  return writer.uint32(varint(7)).int64(0).finish();
}

/** ObjectMeta fields 8 and 11. */
function writeCreationAndLabels({ labels }: NodeMetrics | PodMetrics): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(delimited(8)).fork().uint32(varint(1)).int64(gap).uint32(varint(2)).int32(0).ldelim();
  for (const key of Object.keys(labels).sort())
    entry(writer, 11, key)
      .string(labels[key] ?? '')
      .ldelim();
  return writer.finish();
}

function varintLength(value: number): number {
  return protobuf.Writer.create().uint32(value).finish().length;
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
