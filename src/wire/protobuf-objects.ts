import protobuf from 'protobufjs/minimal.js';
import { allItems, type MetricsList } from '../metrics-api/list.ts';
import { apiGroup, type ApiVersion, type Fragment, type NodeMetrics, type PodMetrics } from '../metrics-api/objects.ts';
import { assemble, assemblePieces, isLarge, type ListParts } from './assembly.ts';
import { encodedBatches, type Batch } from './block-image.ts';
import { turn, type Body } from './body.ts';
import type { PieceMemory } from './piece-memory.ts';
import { enclose, envelope } from './protobuf-envelope.ts';
import { protobufFragment, protobufItems } from './protobuf-fragment.ts';
import type { Status } from './status.ts';
import type { Stamp } from './time.ts';

/** A single object in its envelope. */
export function objectProtobuf(object: NodeMetrics | PodMetrics, version: ApiVersion, stamp: Stamp): Buffer {
  return enclose(`${apiGroup}/${version}`, object.kind, stamped(protobufFragment(object), stamp, 'all'));
}

/** A list in its envelope, put together from what is encoded. */
export function listProtobuf(list: MetricsList, version: ApiVersion, stamp: Stamp, memory: PieceMemory): Body {
  if (isLarge(list)) return memory.bodyOf((pieces) => largeList(list, version, stamp, pieces));
  const batches = [...encodedBatches(list, protobufItems, stamp)];
  const body = assemble(listParts(list, batches, version, stamp));
  for (const { release } of batches) release();
  return body;
}

/** The length of the whole comes first in protobuf, so all must be encoded before the first piece, and stay as it is until the last. */
function* largeList(
  list: MetricsList,
  version: ApiVersion,
  stamp: Stamp,
  memory: readonly Buffer[],
): Generator<Buffer> {
  const batches: Batch[] = [];
  try {
    for (const batch of encodedBatches(list, protobufItems, stamp)) {
      batches.push(batch);
      yield turn;
    }
    yield* assemblePieces(listParts(list, batches, version, stamp), memory);
  } finally {
    for (const { release } of batches) release();
  }
}

function listParts(list: MetricsList, batches: readonly Batch[], version: ApiVersion, stamp: Stamp): ListParts {
  const metadata = listMeta(list.continueToken, list.remainingItemCount);
  let size = metadata.length;
  for (const { chunks } of batches) for (const { length } of chunks) size += length;
  const { head, tail } = envelope(`${apiGroup}/${version}`, list.kind, size);
  return {
    head: Buffer.concat([head, metadata]),
    batches: batches.map(({ chunks }) => chunks),
    separator: protobufItems.separator,
    tail,
    stamp: stamp.varint,
  };
}

/** `metav1.PartialObjectMetadata`. `version` is that of the group `meta.k8s.io`. */
export function partialProtobuf(object: NodeMetrics | PodMetrics, version: string, stamp: Stamp): Buffer {
  const metadata = stamped(protobufFragment(object), stamp, 'metadata');
  return enclose(`meta.k8s.io/${version}`, 'PartialObjectMetadata', metadata);
}

/** `metav1.PartialObjectMetadataList`. */
export function partialListProtobuf(list: MetricsList, version: string, stamp: Stamp): Buffer {
  const writer = protobuf.Writer.create();
  for (const object of allItems(list)) writer.uint32(0x12).bytes(stamped(protobufFragment(object), stamp, 'metadata'));
  const content = Buffer.concat([listMeta(list.continueToken, list.remainingItemCount), writer.finish()]);
  return enclose(`meta.k8s.io/${version}`, 'PartialObjectMetadataList', content);
}

/** `metav1.Status`. */
export function statusProtobuf(status: Status): Buffer {
  const writer = protobuf.Writer.create();
  writer.uint32(0x0a).bytes(listMetaContent(undefined, undefined));
  writer.uint32(0x12).string(status.status).uint32(0x1a).string(status.message);
  writer.uint32(0x22).string(status.reason ?? '');
  if (status.details !== undefined) {
    const { name = '', group = '', kind = '', causes = [], retryAfterSeconds = 0 } = status.details;
    writer.uint32(0x2a).fork().uint32(0x0a).string(name).uint32(0x12).string(group).uint32(0x1a).string(kind);
    for (const cause of causes)
      writer
        .uint32(0x22)
        .fork()
        .uint32(0x0a)
        .string(cause.reason)
        .uint32(0x12)
        .string(cause.message)
        .uint32(0x1a)
        .string(cause.field ?? '')
        .ldelim();
    writer.uint32(0x28).int32(retryAfterSeconds).uint32(0x32).string('').ldelim();
  }
  writer.uint32(0x30).int32(status.code);
  return enclose('v1', 'Status', writer.finish());
}

/** The first field of every list. */
function listMeta(continueToken: string | undefined, remainingItemCount: number | undefined): Uint8Array {
  const content = listMetaContent(continueToken, remainingItemCount);
  return protobuf.Writer.create().uint32(0x0a).bytes(content).finish();
}

/** `metav1.ListMeta`: selfLink and resourceVersion stay empty. */
function listMetaContent(continueToken: string | undefined, remainingItemCount: number | undefined): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(0x0a).string('').uint32(0x12).string('');
  writer.uint32(0x1a).string(continueToken ?? '');
  if (remainingItemCount !== undefined) writer.uint32(0x20).int64(remainingItemCount);
  return writer.finish();
}

function stamped({ bytes, length, contentAt, metadataEnd, stampAt }: Fragment, stamp: Stamp, part: 'metadata' | 'all') {
  const copy = Buffer.from(bytes.subarray(contentAt, part === 'metadata' ? metadataEnd : length));
  stamp.varint.copy(copy, stampAt - contentAt);
  return copy;
}
