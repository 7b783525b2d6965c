import { formatDuration } from '../options/duration.ts';
import type { MetricsList } from '../metrics-api/list.ts';
import { apiGroup, type ApiVersion, type Fragment, type NodeMetrics, type PodMetrics } from '../metrics-api/objects.ts';
import { quote } from '../model/quote.ts';
import type { ItemEncoding, ItemMetadata } from './block-image.ts';
import type { Body } from './body.ts';
import { jsonItems, metadataJson, usageJson } from './json-fragment.ts';
import { jsonListBody, listMetaJson } from './json-objects.ts';
import { jsonString } from './json-text.ts';
import type { PieceMemory } from './piece-memory.ts';
import { exactSum, formatBytes, formatNanocores } from './quantity.ts';
import { badRequest } from './status.ts';
import type { Stamp } from './time.ts';

/** `metav1.TableOptions.includeObject`: what each row carries besides its cells. */
export type IncludeObject = 'Metadata' | 'Object' | 'None';

/** @throws {StatusError} 400 for anything else; absent and empty mean `Metadata`. */
export function parseIncludeObject(value: string | undefined): IncludeObject {
  if (value === undefined || value === '') return 'Metadata';
  if (value === 'Metadata' || value === 'Object' || value === 'None') return value;
  const problem = `Invalid value: ${quote(value)}: must be 'Metadata', 'Object', 'None', or empty`;
  throw badRequest(`Unable to convert to Table as requested: includeObject: ${problem}`);
}

const columns = [
  { name: 'Name', type: 'string', format: 'name', description: 'Name of the resource', priority: 0 },
  { name: 'cpu', type: 'string', format: 'quantity', description: '', priority: 0 },
  { name: 'memory', type: 'string', format: 'quantity', description: '', priority: 0 },
  { name: 'Window', type: 'string', format: 'duration', description: '', priority: 0 },
];
const columnsJson = JSON.stringify(columns);

/** What a Table is made from and how its rows look. */
export interface TableRequest {
  /** Of the group `meta.k8s.io`. */
  readonly tableVersion: string;
  readonly apiVersion: ApiVersion;
  readonly includeObject: IncludeObject;
}

/** `metav1.Table` as compact JSON with the final newline. An empty one has its columns and `rows: []`, so that it can be shown. */
export function tableJson(list: MetricsList, request: TableRequest, stamp: Stamp, memory: PieceMemory): Body {
  const head = `{"kind":"Table","apiVersion":"meta.k8s.io/${request.tableVersion}","metadata":${listMetaJson(list)},"columnDefinitions":${columnsJson},"rows":[`;
  return jsonListBody(list, head, rowsOf(request), stamp, memory);
}

/** Rows as the items of a list. */
function rowsOf(request: TableRequest): ItemEncoding {
  const { tableVersion, apiVersion, includeObject } = request;
  return {
    kind: 'table',
    name: `${tableVersion} ${apiVersion} ${includeObject}`,
    separator: jsonItems.separator,
    fragment: (object) => encodeRow(object, undefined, request),
    encode: (object, metadata) => encodeRow(object, metadata, request),
    stampOf: jsonItems.stampOf,
  };
}

function encodeRow(
  object: NodeMetrics | PodMetrics,
  known: ItemMetadata | undefined,
  { includeObject, tableVersion, apiVersion }: TableRequest,
): Fragment {
  const { revision } = object;
  const row = `{"cells":${cells(object)},"object":`;
  if (includeObject === 'None') {
    const bytes = Buffer.from(`${row}null}`);
    return { bytes, length: bytes.length, contentAt: 0, metadataEnd: 0, stampAt: -1, revision };
  }
  const isWhole = includeObject === 'Object';
  const [kind, group] = isWhole
    ? [object.kind, `${apiGroup}/${apiVersion}`]
    : ['PartialObjectMetadata', `meta.k8s.io/${tableVersion}`];
  const metadata = known ?? metadataJson(object);
  const before = Buffer.from(`${row}{"kind":"${kind}","apiVersion":"${group}",`);
  const after = Buffer.from(isWhole ? `${usageJson(object)}}` : '}}');
  const content = metadata.bytes.subarray(metadata.contentAt, metadata.metadataEnd);
  const bytes = Buffer.concat([before, content, after]);
  const contentAt = before.length;
  return {
    bytes,
    length: bytes.length,
    contentAt,
    metadataEnd: contentAt + content.length,
    stampAt: contentAt + metadata.stampAt - metadata.contentAt,
    revision,
  };
}

/** Name, usage (a pod's is the sum of its containers'), window. */
function cells(object: NodeMetrics | PodMetrics): string {
  const used = object.kind === 'NodeMetrics' ? [object.usage] : object.containers;
  const cpu = formatNanocores(exactSum(used.map((usage) => usage.cpu)));
  const memory = formatBytes(exactSum(used.map((usage) => usage.memory)));
  return `[${jsonString(object.name)},"${cpu}","${memory}","${formatDuration(object.window)}"]`;
}
