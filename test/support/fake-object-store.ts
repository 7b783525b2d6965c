import type { FakeApiServer, FakeRequest } from './fake-api-server.ts';
import { failure, json, type Answer } from './fake-api-server.ts';

export interface StoredObject {
  readonly metadata: { readonly name: string; readonly resourceVersion?: string };
  readonly spec?: Record<string, unknown>;
  readonly data?: Record<string, string>;
}

/** Objects behind a fake API server, written with optimistic concurrency as in a real one: get, create, replace and merge-patch. */
export class FakeObjectStore {
  readonly #server: FakeApiServer;
  readonly #objects = new Map<string, StoredObject>();
  #revision = 100;
  /** Every write that was let through, as `PUT /path`. */
  readonly writes: string[] = [];
  /** Called before a write is looked at: the moment when another client is faster. */
  beforeWrite: (request: FakeRequest) => void = () => undefined;

  constructor(server: FakeApiServer) {
    this.#server = server;
  }

  /** Takes requests for one collection and for these names in it. */
  serve(collection: string, ...names: string[]): this {
    this.#server.on(collection, this.#create);
    for (const name of names) this.#server.on(`${collection}/${name}`, this.#one);
    return this;
  }

  object(path: string): StoredObject | undefined {
    return this.#objects.get(path);
  }

  put(path: string, object: StoredObject): void {
    const metadata = { ...object.metadata, resourceVersion: String(++this.#revision) };
    this.#objects.set(path, { ...object, metadata });
  }

  remove(path: string): void {
    this.#objects.delete(path);
  }

  readonly #create: Answer = (request, response) => {
    this.beforeWrite(request);
    const object = JSON.parse(request.body) as StoredObject;
    const path = `${request.path}/${object.metadata.name}`;
    if (this.#objects.has(path)) return failure(409, 'AlreadyExists', `${path} already exists`)(request, response);
    this.#write(request, path, object)(request, response);
  };

  readonly #one: Answer = (request, response) => {
    const { method, path } = request;
    if (method !== 'GET') this.beforeWrite(request);
    const stored = this.#objects.get(path);
    if (stored === undefined) return failure(404, 'NotFound', `${path} not found`)(request, response);
    if (method === 'GET') return json(stored)(request, response);
    const sent = JSON.parse(request.body) as StoredObject;
    if (sent.metadata.resourceVersion !== stored.metadata.resourceVersion)
      return failure(409, 'Conflict', 'the object has been modified')(request, response);
    const next = method === 'PUT' ? sent : { ...stored, spec: merged(stored.spec, sent.spec) };
    this.#write(request, path, next)(request, response);
  };

  #write({ method }: FakeRequest, path: string, object: StoredObject): Answer {
    this.put(path, object);
    this.writes.push(`${method} ${path}`);
    return json(this.#objects.get(path));
  }
}

function merged(before: Record<string, unknown> = {}, patch: Record<string, unknown> = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries({ ...before, ...patch }).filter(([, value]) => value !== null));
}
