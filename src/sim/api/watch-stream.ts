import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../../model/clock.ts';
import { seconds, type Milliseconds } from '../../model/units.ts';
import { StoreRefusal } from './api-status.ts';
import type { ListOptions } from './list-options.ts';
import type { StoredObject, StoreEvent } from './object-store.ts';
import { bookmarkDocument, objectDocument, type Shape } from './projection.ts';
import type { ResourceType } from './resource-type.ts';

export interface WatchStreamOptions {
  readonly type: ResourceType;
  readonly list: ListOptions;
  readonly shape: Shape;
  readonly response: ServerResponse;
  readonly clock: Clock;
  /** Pause between bookmarks for watches that asked for them. */
  readonly bookmarkEvery: Milliseconds;
}

/** Length of a watch that names none. */
const longest = 1800;
/** A reader this far behind is cut off, as the API server does. */
const backlog = 64 * 1_048_576;

/** One client watching one resource: JSON events, a line each, until its time is over. */
export class WatchStream {
  readonly #options: WatchStreamOptions;
  readonly #timers = new Set<Timer>();
  #unsubscribe: (() => void) | undefined;
  #sent = 0;

  constructor(options: WatchStreamOptions) {
    this.#options = options;
  }

  /** Sends what is due at once and stays subscribed. */
  start(): void {
    const { type, list, response, clock } = this.#options;
    response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache, private' });
    response.flushHeaders();
    response.on('close', () => this.#release());
    if (!this.#catchUp()) return;
    this.#unsubscribe = type.store.subscribe((event) => this.#forward(event));
    this.#timers.add(clock.after(seconds(list.timeoutSeconds ?? longest), () => this.end()));
    if (list.bookmarks) this.#scheduleBookmark();
  }

  /** Ends the watch the way the server ends one that ran its time. */
  end(): void {
    this.#release();
    this.#options.response.end();
  }

  /** Ends the watch with an ERROR event that says its revision is too old. */
  expire(): void {
    const { store } = this.#options.type;
    const asked = Number(this.#options.list.resourceVersion) || this.#sent;
    const refusal = new StoreRefusal(410, 'Expired', `too old resource version: ${asked} (${store.oldest})`);
    this.#write('ERROR', refusal.status);
    this.end();
  }

  /** False when the revision asked for is compacted and the watch over. */
  #catchUp(): boolean {
    const { type, list, shape } = this.#options;
    const { store } = type;
    const { resourceVersion, sendInitialEvents, matches } = list;
    this.#sent = store.revision;
    if (sendInitialEvents || resourceVersion === '' || resourceVersion === '0') {
      for (const object of store.list()) if (matches(object)) this.#writeObject('ADDED', object);
      if (sendInitialEvents) this.#write('BOOKMARK', bookmarkDocument(type, this.#sent, shape, true));
      return true;
    }
    const missed = store.since(Number(resourceVersion));
    if (missed === undefined) {
      this.expire();
      return false;
    }
    for (const event of missed) this.#forward(event);
    return true;
  }

  /** An object that begins or ceases to match is added or deleted for this watcher. */
  #forward(event: StoreEvent): void {
    const { matches } = this.#options.list;
    const before = event.previous !== undefined && matches(event.previous);
    const after = event.type !== 'DELETED' && matches(event.object);
    this.#sent = event.object.resourceVersion;
    if (before && after) this.#writeObject('MODIFIED', event.object);
    else if (after) this.#writeObject('ADDED', event.object);
    else if (before) this.#writeObject('DELETED', event.object);
  }

  #scheduleBookmark(): void {
    const { type, shape, clock, bookmarkEvery } = this.#options;
    const timer = clock.after(bookmarkEvery, () => {
      this.#timers.delete(timer);
      this.#write('BOOKMARK', bookmarkDocument(type, type.store.revision, shape, false));
      this.#scheduleBookmark();
    });
    this.#timers.add(timer);
  }

  #writeObject(type: string, object: StoredObject): void {
    const { type: resource, shape, clock } = this.#options;
    this.#write(type, objectDocument(resource, object, shape, clock.now()));
  }

  #write(type: string, object: unknown): void {
    const { response } = this.#options;
    response.write(`${JSON.stringify({ type, object })}\n`);
    if (response.writableLength > backlog) response.destroy();
  }

  #release(): void {
    this.#unsubscribe?.();
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
