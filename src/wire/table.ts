import { formatDuration } from '../options/duration.ts';
import { allItems, type MetricsList } from '../metrics-api/list.ts';
import type { ApiVersion, NodeMetrics, PodMetrics } from '../metrics-api/objects.ts';
import { listMetaJson, objectJson, partialJson } from './json-objects.ts';
import { jsonString } from './json-text.ts';
import { exactSum, formatBytes, formatNanocores } from './quantity.ts';
import { badRequest } from './status.ts';
import { quote } from '../model/quote.ts';
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

/** `metav1.Table` as JSON, without newline. An empty one has its columns and `rows: []`, so that it can be shown. */
export function tableJson(source: MetricsList | NodeMetrics | PodMetrics, request: TableRequest, stamp: Stamp): string {
  const isList = 'batches' in source;
  const row = (object: NodeMetrics | PodMetrics): string =>
    `{"cells":${cells(object)},"object":${rowObject(object, request, stamp)}}`;
  const rows = Array.from(isList ? allItems(source) : [source], row);
  const metadata = isList ? listMetaJson(source) : '{}';
  return `{"kind":"Table","apiVersion":"meta.k8s.io/${request.tableVersion}","metadata":${metadata},"columnDefinitions":${columnsJson},"rows":[${rows.join(',')}]}`;
}

function rowObject(object: NodeMetrics | PodMetrics, request: TableRequest, stamp: Stamp): string {
  const { includeObject, tableVersion, apiVersion } = request;
  if (includeObject === 'None') return 'null';
  return includeObject === 'Object' ? objectJson(object, apiVersion, stamp) : partialJson(object, tableVersion, stamp);
}

/** Name, usage (a pod's is the sum of its containers'), window. */
function cells(object: NodeMetrics | PodMetrics): string {
  const used = object.kind === 'NodeMetrics' ? [object.usage] : object.containers;
  const cpu = formatNanocores(exactSum(used.map((usage) => usage.cpu)));
  const memory = formatBytes(exactSum(used.map((usage) => usage.memory)));
  return `[${jsonString(object.name)},"${cpu}","${memory}","${formatDuration(object.window)}"]`;
}
