import { apiGroup, type ApiVersion, type NodeMetrics, type PodMetrics } from '../metrics-api/objects.ts';
import { assemble, assemblePieces, isLarge, released, type ListParts } from './assembly.ts';
import { encodedBatches, type ItemEncoding } from './block-image.ts';
import type { Body } from './body.ts';
import { jsonFragment, jsonItems, stampedText } from './json-fragment.ts';
import { jsonString } from './json-text.ts';
import { allItems, type MetricsList } from '../metrics-api/list.ts';
import type { PieceMemory } from './piece-memory.ts';
import type { Stamp } from './time.ts';

const listEnd = Buffer.from(']}\n');

/** A single object as compact JSON, without the final newline. */
export function objectJson(object: NodeMetrics | PodMetrics, version: ApiVersion, stamp: Stamp): string {
  return `{"kind":"${object.kind}","apiVersion":"${apiGroup}/${version}",${stampedText(jsonFragment(object), stamp, 'all')}`;
}

/** A list as compact JSON with the final newline, put together from what is encoded. */
export function listJson(list: MetricsList, version: ApiVersion, stamp: Stamp, memory: PieceMemory): Body {
  const head = `{"kind":"${list.kind}","apiVersion":"${apiGroup}/${version}","metadata":${listMetaJson(list)},"items":[`;
  return jsonListBody(list, head, jsonItems, stamp, memory);
}

/** What begins with `head` and ends with the array of the list's items. */
export function jsonListBody(
  list: MetricsList,
  head: string,
  items: ItemEncoding,
  stamp: Stamp,
  memory: PieceMemory,
): Body {
  const parts: ListParts = {
    head: Buffer.from(head),
    batches: released(encodedBatches(list, items, stamp)),
    separator: items.separator,
    tail: listEnd,
    stamp: items.stampOf(stamp),
  };
  return isLarge(list) ? memory.bodyOf((pieces) => assemblePieces(parts, pieces)) : assemble(parts);
}

/** `metav1.ListMeta`: `{}` unless the list is a page. */
export function listMetaJson({ continueToken, remainingItemCount }: MetricsList): string {
  const fields: string[] = [];
  if (continueToken !== undefined) fields.push(`"continue":${jsonString(continueToken)}`);
  if (remainingItemCount !== undefined) fields.push(`"remainingItemCount":${remainingItemCount}`);
  return `{${fields.join(',')}}`;
}

/** `metav1.PartialObjectMetadata` of an object, without newline. `version` is that of the group `meta.k8s.io`. */
export function partialJson(object: NodeMetrics | PodMetrics, version: string, stamp: Stamp): string {
  const metadata = stampedText(jsonFragment(object), stamp, 'metadata');
  return `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${version}",${metadata}}`;
}

/** `metav1.PartialObjectMetadataList`, without newline. Its items carry kind and apiVersion, unlike those of other lists. */
export function partialListJson(list: MetricsList, version: string, stamp: Stamp): string {
  const items = Array.from(allItems(list), (object) => partialJson(object, version, stamp)).join(',');
  return `{"kind":"PartialObjectMetadataList","apiVersion":"meta.k8s.io/${version}","metadata":${listMetaJson(list)},"items":[${items}]}`;
}
