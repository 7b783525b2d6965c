import { listOfOne, type MetricsList } from '../metrics-api/list.ts';
import type { ApiVersion, NodeMetrics, PodMetrics } from '../metrics-api/objects.ts';
import { wholeBody, type Answer, type Body } from './body.ts';
import { indentJson, indentPieces } from './json-indent.ts';
import { listJson, objectJson, partialJson, partialListJson } from './json-objects.ts';
import { formatJson } from './json-text.ts';
import {
  findFormat,
  mediaTypes,
  plainEndpoint,
  type ClientWishes,
  type Format,
  type Transform,
} from './negotiation.ts';
import type { PieceMemory } from './piece-memory.ts';
import {
  listProtobuf,
  objectProtobuf,
  partialListProtobuf,
  partialProtobuf,
  statusProtobuf,
} from './protobuf-objects.ts';
import { StatusError, toStatus } from './status.ts';
import { parseIncludeObject, tableJson } from './table.ts';
import { makeStamp, type Stamp } from './time.ts';
import { jsonToYaml } from './yaml.ts';
import type { EpochMs } from '../model/units.ts';

/** How an object or a list is to be answered. */
export interface EncodeRequest {
  readonly format: Format;
  readonly apiVersion: ApiVersion;
  /** The query parameter of Tables; undefined when it is absent. */
  readonly includeObject: string | undefined;
  /** The time of the answer: every object's `creationTimestamp`. */
  readonly now: EpochMs;
  /** Where large lists are made. */
  readonly pieceMemory: PieceMemory;
}

/**
 * The answer that holds an object or a list.
 * @throws {StatusError} 406 when a list was asked to be a single PartialObjectMetadata or the reverse; 400 for a bad `includeObject`.
 */
export function encodeMetrics(source: MetricsList | NodeMetrics | PodMetrics, request: EncodeRequest): Answer {
  const stamp = makeStamp(request.now);
  const { format } = request;
  if (format.transform !== undefined) requireShape(source, format.transform);
  const body = format.encoding === 'protobuf' ? protobufBody(source, request, stamp) : jsonBody(source, request, stamp);
  return { status: 200, headers: { 'content-type': mediaTypes[format.encoding] }, body };
}

/** A document that is not an object of ours, such as discovery: its JSON text without newline, and its protobuf. */
export function encodeDocument(json: string, protobuf: () => Buffer, format: Format): Answer {
  const body = format.encoding === 'protobuf' ? protobuf() : textBody(json, format);
  return { status: 200, headers: { 'content-type': mediaTypes[format.encoding] }, body };
}

/**
 * The `Status` for any thrown value, in the client's encoding; when the client accepts none that a Status has, indented JSON.
 * This is the only place where errors become answers.
 */
export function encodeStatus(thrown: unknown, wishes: ClientWishes): Answer {
  const status = toStatus(thrown);
  const format = findFormat(wishes, plainEndpoint) ?? { encoding: 'json', pretty: true, transform: undefined };
  const body =
    format.encoding === 'protobuf' ? statusProtobuf(status) : textBody(formatJson(status, 'compact').trimEnd(), format);
  const retryAfter = status.details?.retryAfterSeconds;
  return {
    status: status.code,
    headers: {
      'content-type': mediaTypes[format.encoding],
      // As Kubernetes: refusals carry it, since their text repeats what the client sent.
      ...(status.reason === 'Forbidden' ? { 'x-content-type-options': 'nosniff' } : {}),
      ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    },
    body,
  };
}

function textBody(json: string, format: Format): Buffer {
  if (format.encoding === 'yaml') return Buffer.from(jsonToYaml(json));
  return Buffer.from(format.pretty ? indentJson(json) : `${json}\n`);
}

function jsonBody(source: MetricsList | NodeMetrics | PodMetrics, request: EncodeRequest, stamp: Stamp): Body {
  const { format } = request;
  const json = metricsJson(source, request, stamp);
  if (typeof json === 'string') return textBody(json, format);
  if (format.encoding === 'json' && !format.pretty) return json;
  if (format.encoding === 'json' && !Buffer.isBuffer(json)) return indentPieces(json);
  // YAML of any size is made in one turn: nobody but a person asks for it, and `kubectl get -o yaml` makes it of pages of JSON.
  return textBody(wholeBody(json).toString().trimEnd(), format);
}

/** Compact JSON: a text without newline, or bytes with one. */
function metricsJson(
  source: MetricsList | NodeMetrics | PodMetrics,
  { apiVersion, includeObject, format: { transform }, pieceMemory }: EncodeRequest,
  stamp: Stamp,
): string | Body {
  if (transform?.kind === 'Table') {
    const table = { tableVersion: transform.version, apiVersion, includeObject: parseIncludeObject(includeObject) };
    return tableJson('batches' in source ? source : listOfOne(source), table, stamp, pieceMemory);
  }
  if (transform !== undefined)
    return 'batches' in source
      ? partialListJson(source, transform.version, stamp)
      : partialJson(source, transform.version, stamp);
  return 'batches' in source ? listJson(source, apiVersion, stamp, pieceMemory) : objectJson(source, apiVersion, stamp);
}

function protobufBody(source: MetricsList | NodeMetrics | PodMetrics, request: EncodeRequest, stamp: Stamp): Body {
  const { transform } = request.format;
  if ('batches' in source)
    return transform === undefined
      ? listProtobuf(source, request.apiVersion, stamp, request.pieceMemory)
      : partialListProtobuf(source, transform.version, stamp);
  return transform === undefined
    ? objectProtobuf(source, request.apiVersion, stamp)
    : partialProtobuf(source, transform.version, stamp);
}

/** The texts name Go types, as those of Kubernetes do. */
function requireShape(source: MetricsList | NodeMetrics | PodMetrics, { kind }: Transform): void {
  const isList = 'batches' in source;
  const asked = `you requested ${kind}, but the requested object is`;
  if (kind === 'PartialObjectMetadata' && isList)
    throw new StatusError('not-acceptable', `${asked} a list (*metrics.${source.kind})`);
  if (kind === 'PartialObjectMetadataList' && !isList)
    throw new StatusError('not-acceptable', `${asked} not a list (*metrics.${source.kind})`);
}
