import type { EpochMs } from '../../model/units.ts';
import { formatTime } from '../../wire/time.ts';
import type { StoredObject } from './object-store.ts';
import { groupVersion, type ResourceType } from './resource-type.ts';

/** In what shape a client wants objects: whole, metadata alone, or as lines of a table. */
export type Shape = 'object' | 'partial' | 'table';

type Document = Readonly<Record<string, unknown>>;

/** The first shape in the Accept header that we can make; undefined when there is none. */
export function shapeOf(accept: string | undefined): Shape | undefined {
  if (accept === undefined || accept.trim() === '') return 'object';
  for (const clause of accept.split(',')) {
    const [type = '', ...parameters] = clause.split(';').map((part) => part.trim());
    if (type !== 'application/json' && type !== '*/*' && type !== 'application/*') continue;
    const as = parameters.find((parameter) => parameter.startsWith('as='))?.slice(3);
    const version = parameters.find((parameter) => parameter.startsWith('v='))?.slice(2);
    if (as === undefined) return 'object';
    if (version !== 'v1') continue;
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return 'partial';
    if (as === 'Table') return 'table';
  }
  return undefined;
}

/** One object as a document. */
export function objectDocument(type: ResourceType, object: StoredObject, shape: Shape, now: EpochMs): Document {
  if (shape === 'partial') return partial(object);
  if (shape === 'table') return table(type, [object], { resourceVersion: String(object.resourceVersion) }, now);
  return { kind: type.kind, apiVersion: groupVersion(type), metadata: metadata(object), ...object.content() };
}

/** Many objects as a document with the list's own metadata. */
export function listDocument(
  type: ResourceType,
  objects: readonly StoredObject[],
  listMeta: Document,
  shape: Shape,
  now: EpochMs,
): Document {
  if (shape === 'table') return table(type, objects, listMeta, now);
  if (shape === 'partial') {
    const items = objects.map(partial);
    return { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata: listMeta, items };
  }
  const items = objects.map((object) => ({ metadata: metadata(object), ...object.content() }));
  return { kind: `${type.kind}List`, apiVersion: groupVersion(type), metadata: listMeta, items };
}

/** What a BOOKMARK event carries: nothing but how far the watch has come. */
export function bookmarkDocument(type: ResourceType, revision: number, shape: Shape, initialEnd: boolean): Document {
  const annotations = initialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
  const meta = { resourceVersion: String(revision), creationTimestamp: null, ...annotations };
  if (shape === 'partial') return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: meta };
  if (shape === 'object') return { kind: type.kind, apiVersion: groupVersion(type), metadata: meta };
  const listMeta = { resourceVersion: String(revision) };
  return { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata: listMeta, columnDefinitions: [], rows: [] };
}

function partial(object: StoredObject): Document {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: metadata(object) };
}

function metadata({ meta, resourceVersion }: StoredObject): Document {
  return {
    name: meta.name,
    namespace: meta.namespace,
    uid: meta.uid,
    resourceVersion: String(resourceVersion),
    creationTimestamp: formatTime(meta.createdAt),
    deletionTimestamp: meta.deletedAt === undefined ? undefined : formatTime(meta.deletedAt),
    deletionGracePeriodSeconds: meta.gracePeriodSeconds,
    labels: meta.labels,
    annotations: meta.annotations,
  };
}

function table(type: ResourceType, objects: readonly StoredObject[], listMeta: Document, now: EpochMs): Document {
  const name = { name: 'Name', type: 'string', format: 'name', description: '', priority: 0 };
  const columns = type.columns.map((column) => ({ ...column, type: 'string', format: '', description: '' }));
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: listMeta,
    columnDefinitions: [name, ...columns],
    rows: objects.map((object) => ({ cells: [object.meta.name, ...object.cells(now)], object: partial(object) })),
  };
}
