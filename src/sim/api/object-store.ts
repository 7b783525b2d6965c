import type { EpochMs } from '../../model/units.ts';

/** `metadata` as far as the simulated API server keeps it. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly createdAt: EpochMs;
  readonly deletedAt?: EpochMs;
  readonly gracePeriodSeconds?: number;
}

/** An object at one revision; never changed once stored. */
export interface KubeObject {
  readonly meta: ObjectMeta;
  /** What field selectors other than name and namespace can ask for. */
  readonly fields: Readonly<Record<string, string>>;
  /** Everything beside `kind`, `apiVersion` and `metadata`; made when somebody reads it. */
  readonly content: () => Readonly<Record<string, unknown>>;
  /** Cells of its line in a Table, without the name. */
  readonly cells: (now: EpochMs) => readonly (string | number)[];
}

export interface StoredObject extends KubeObject {
  readonly resourceVersion: number;
}

/** A change: `previous` is absent for an object added, `object` of a deletion is its last state at the deletion's revision. */
export interface StoreEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: StoredObject;
  readonly previous: StoredObject | undefined;
}

/** Counts changes; one for the whole API server, as etcd's revision. */
export interface Revisions {
  current: number;
}

/** The objects of one resource and their latest changes. */
export class ObjectStore {
  readonly #revisions: Revisions;
  readonly #capacity: number;
  readonly #objects = new Map<string, StoredObject>();
  readonly #listeners = new Set<(event: StoreEvent) => void>();
  #sorted: string[] | undefined;
  #events: StoreEvent[] = [];
  /** Watches and continued lists from revisions before this one are too old. */
  #oldest: number;

  /** Remembers at least `capacity` changes for watches that resume. */
  constructor(revisions: Revisions, capacity = 5000) {
    this.#revisions = revisions;
    this.#capacity = capacity;
    this.#oldest = revisions.current;
  }

  get revision(): number {
    return this.#revisions.current;
  }

  get oldest(): number {
    return this.#oldest;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(namespace: string | undefined, name: string): StoredObject | undefined {
    return this.#objects.get(keyOf(namespace, name));
  }

  /** Adds or replaces. */
  put(object: KubeObject): StoredObject {
    const key = keyOf(object.meta.namespace, object.meta.name);
    const previous = this.#objects.get(key);
    const stored = { ...object, resourceVersion: ++this.#revisions.current };
    this.#objects.set(key, stored);
    if (previous === undefined) this.#insert(key);
    this.#publish({ type: previous === undefined ? 'ADDED' : 'MODIFIED', object: stored, previous });
    return stored;
  }

  delete(namespace: string | undefined, name: string): void {
    const key = keyOf(namespace, name);
    const previous = this.#objects.get(key);
    if (previous === undefined) return;
    this.#objects.delete(key);
    this.#remove(key);
    const object = { ...previous, resourceVersion: ++this.#revisions.current };
    this.#publish({ type: 'DELETED', object, previous });
  }

  /** Objects in order of namespace and name, after the one that `after` names. */
  *list(after?: string): Generator<StoredObject> {
    this.#sorted ??= [...this.#objects.keys()].sort();
    const keys = this.#sorted;
    for (let i = after === undefined ? 0 : position(keys, `${after}\0`); i < keys.length; i++) {
      const object = this.#objects.get(keys[i] ?? '');
      if (object !== undefined) yield object;
    }
  }

  /** Changes later than a revision, oldest first; undefined when some of them are forgotten. */
  since(revision: number): readonly StoreEvent[] | undefined {
    if (revision < this.#oldest) return undefined;
    return this.#events.filter((event) => event.object.resourceVersion > revision);
  }

  /** Forgets all changes up to now, as etcd's compaction does. */
  compact(): void {
    this.#events = [];
    this.#oldest = this.#revisions.current;
  }

  /** Calls `listener` with every later change; the function returned ends it. */
  subscribe(listener: (event: StoreEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #publish(event: StoreEvent): void {
    this.#events.push(event);
    if (this.#events.length >= 2 * this.#capacity) {
      const forgotten = this.#events.splice(0, this.#events.length - this.#capacity);
      this.#oldest = forgotten.at(-1)?.object.resourceVersion ?? this.#oldest;
    }
    for (const listener of this.#listeners) listener(event);
  }

  #insert(key: string): void {
    const keys = this.#sorted;
    if (keys === undefined) return;
    // While many objects are loaded, one sort at the next list is cheaper than an insertion each.
    if (keys.length < 2) this.#sorted = undefined;
    else keys.splice(position(keys, key), 0, key);
  }

  #remove(key: string): void {
    const index = this.#sorted === undefined ? -1 : position(this.#sorted, key);
    if (this.#sorted?.[index] === key) this.#sorted.splice(index, 1);
  }
}

/** Namespace and name as one sortable text. */
export function keyOf(namespace: string | undefined, name: string): string {
  return `${namespace ?? ''}/${name}`;
}

/** The first index whose key is not before `key`. */
function position(keys: readonly string[], key: string): number {
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
