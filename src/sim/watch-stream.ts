import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../model/clock.ts';
import { milliseconds, type Milliseconds } from '../model/units.ts';
import { StoreRefusal } from './api-status.ts';
import type { ListOptions } from './list-options.ts';
import type { StoredObject, StoreEvent } from './object-store.ts';
import { bookmarkDocument, objectDocument, type Shape } from './projection.ts';
import type { ResourceType } from './resource-type.ts';

export interface WatchSettings {
  readonly clock: Clock;
  /** Pause between bookmarks for watches that asked for them. */
  readonly bookmarkEvery: Milliseconds;
  /** Length of a watch that names none. */
  readonly longest: Milliseconds;
}

/** A reader this far behind is cut off, as the API server does. */
const backlog = 64 * 1_048_576;

/** One client watching one resource: JSON events, a line each, until its time is over. */
export class WatchStream {
  readonly #type: ResourceType;
  readonly #options: ListOptions;
  readonly #shape: Shape;
  readonly #response: ServerResponse;
  readonly #settings: WatchSettings;
  readonly #timers = new Set<Timer>();
  #unsubscribe: (() => void) | undefined;
  #sent = 0;

  constructor(
    type: ResourceType,
    options: ListOptions,
    shape: Shape,
    response: ServerResponse,
    settings: WatchSettings,
  ) {
    this.#type = type;
    this.#options = options;
    this.#shape = shape;
    this.#response = response;
    this.#settings = settings;
  }

  /** Sends what is due at once and stays subscribed. */
  start(): void {
    this.#response.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache, private' });
    this.#response.flushHeaders();
    this.#response.on('close', () => this.#release());
    if (!this.#catchUp()) return;
    this.#unsubscribe = this.#type.store.subscribe((event) => this.#forward(event));
    const { timeoutSeconds, bookmarks } = this.#options;
    const { clock, longest } = this.#settings;
    const length = timeoutSeconds === undefined ? longest : milliseconds(timeoutSeconds * 1000);
    this.#timers.add(clock.after(length, () => this.end()));
    if (bookmarks) this.#scheduleBookmark();
  }

  /** Ends the watch the way the server ends one that ran its time. */
  end(): void {
    this.#release();
    this.#response.end();
  }

  /** Ends the watch with an ERROR event that says its revision is too old. */
  expire(): void {
    const { store } = this.#type;
    const asked = Number(this.#options.resourceVersion) || this.#sent;
    const refusal = new StoreRefusal(410, 'Expired', `too old resource version: ${asked} (${store.oldest})`);
    this.#write('ERROR', refusal.status);
    this.end();
  }

  /** False when the revision asked for is compacted and the watch over. */
  #catchUp(): boolean {
    const { store } = this.#type;
    const { resourceVersion, sendInitialEvents } = this.#options;
    this.#sent = store.revision;
    if (sendInitialEvents || resourceVersion === '' || resourceVersion === '0') {
      for (const object of store.list()) if (this.#options.matches(object)) this.#writeObject('ADDED', object);
      if (sendInitialEvents) this.#write('BOOKMARK', bookmarkDocument(this.#type, this.#sent, this.#shape, true));
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
    const { matches } = this.#options;
    const before = event.previous !== undefined && matches(event.previous);
    const after = event.type !== 'DELETED' && matches(event.object);
    this.#sent = event.object.resourceVersion;
    if (before && after) this.#writeObject('MODIFIED', event.object);
    else if (after) this.#writeObject('ADDED', event.object);
    else if (before) this.#writeObject('DELETED', event.object);
  }

  #scheduleBookmark(): void {
    const { clock, bookmarkEvery } = this.#settings;
    const timer = clock.after(bookmarkEvery, () => {
      this.#timers.delete(timer);
      this.#write('BOOKMARK', bookmarkDocument(this.#type, this.#type.store.revision, this.#shape, false));
      this.#scheduleBookmark();
    });
    this.#timers.add(timer);
  }

  #writeObject(type: string, object: StoredObject): void {
    this.#write(type, objectDocument(this.#type, object, this.#shape, this.#settings.clock.now()));
  }

  #write(type: string, object: unknown): void {
    this.#response.write(`${JSON.stringify({ type, object })}\n`);
    if (this.#response.writableLength > backlog) this.#response.destroy();
  }

  #release(): void {
    this.#unsubscribe?.();
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }
}
