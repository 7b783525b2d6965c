import { sleep, type Clock, type Timer } from '../model/clock.ts';
import { milliseconds, seconds, type Milliseconds } from '../model/units.ts';
import type { Logger } from '../telemetry/log.ts';
import { Transitions } from '../telemetry/transitions.ts';
import { Backoff } from './backoff.ts';
import { KubeError, type KubeErrorCode } from './kube-error.ts';
import { listPages, type ApiReader } from './list-pages.ts';
import { Silence } from './silence.ts';
import { isOlderVersion, parseWatchEvent } from './watch-event.ts';

/** Receives what the API server says exists. What it throws is logged and goes no further. */
export interface ListWatchSink<T> {
  /** The whole set as of one list: what is not in it is gone. */
  replace(objects: readonly T[]): void;
  /** An object is new or changed. */
  upsert(object: T): void;
  /** An object is gone; given as it was last. */
  remove(object: T): void;
}

export interface ListWatchOptions<T> {
  readonly client: ApiReader;
  /** Path of the collection, such as `/api/v1/pods`. */
  readonly path: string;
  /** Asks for `PartialObjectMetadata` instead of whole objects; whole ones are taken all the same. */
  readonly metadataOnly: boolean;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  /** What to keep of an object; undefined leaves it out. */
  readonly project: (object: unknown) => T | undefined;
  readonly sink: ListWatchSink<T>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random?: () => number;
  /** Hears why a watch begins again; may not throw. */
  readonly onRestart?: (reason: RestartReason) => void;
  /** Objects per page of a list, 1000 unless given. */
  readonly pageSize?: number;
}

/** The server ended the watch as it does from time to time, said nothing for long, forgot the version to go on from, or what failed. */
export type RestartReason = 'closed' | 'silent' | 'expired' | KubeErrorCode | 'error';

const partial = (kind: string): string => `application/json;as=${kind};v=v1;g=meta.k8s.io,application/json`;
const pageTimeout = seconds(60);
const maxPageBytes = 256 * 1024 * 1024;
const openTimeout = seconds(30);
/** The server sends a bookmark about every minute, so a longer silence means that it or the connection is dead. */
const silenceLimit = seconds(150);
/** After so many failures in a row the server may be another one than before: only a list tells. */
const failuresUntilList = 5;
/** A watch works once it brought an event or stayed open for this long; the answer's head alone says little. */
const minWatch = seconds(1);

/**
 * Keeps a sink up to date with one resource: lists it, then watches from there, and goes on like that through closed, silent and
 * broken watches, expired versions, garbage and restarts, until `stop`. While the server is away the last known set stays.
 */
export class ListWatch<T> {
  readonly #options: ListWatchOptions<T>;
  readonly #random: () => number;
  readonly #backoff: Backoff;
  readonly #outages: Transitions;
  readonly #stopped = new AbortController();
  #running: Promise<void> | undefined;
  #isRunning = false;
  #synced = false;
  #syncWaiters: ((synced: boolean) => void)[] = [];
  /** Everything up to here has been given to the sink; undefined asks for a list. */
  #resourceVersion: string | undefined;
  #failures = 0;

  constructor(options: ListWatchOptions<T>) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#backoff = new Backoff(milliseconds(500), seconds(30), this.#random);
    this.#outages = new Transitions(options.logger, options.clock);
  }

  /** Started and not ended: also while the server is away. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Resolves to true after the first complete list, or to false when stopped before it. */
  async whenSynced(): Promise<boolean> {
    if (this.#synced || this.#stopped.signal.aborted) return this.#synced;
    return await new Promise((resolve) => this.#syncWaiters.push(resolve));
  }

  start(): void {
    if (this.#running !== undefined) return;
    this.#isRunning = true;
    this.#running = this.#run().finally(() => (this.#isRunning = false));
  }

  /** Ends the watch; resolves when nothing will be given to the sink any more. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#settleWaiters(false);
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      let delay: Milliseconds | undefined;
      try {
        this.#resourceVersion ??= await this.#list();
        await this.#watch(this.#resourceVersion);
      } catch (error) {
        if (signal.aborted) break;
        delay = this.#failed(error);
      }
      if (delay !== undefined) await sleep(this.#options.clock, delay, signal);
    }
  }

  async #list(): Promise<string> {
    const { client, path, metadataOnly, logger, pageSize = 1000 } = this.#options;
    const { objects, resourceVersion, skipped } = await listPages(
      client,
      {
        path,
        query: this.#selectors(),
        accept: metadataOnly ? partial('PartialObjectMetadataList') : 'application/json',
        limit: pageSize,
        timeout: pageTimeout,
        maxSize: maxPageBytes,
        signal: this.#stopped.signal,
      },
      (object) => this.#project(object),
    );
    if (this.#stopped.signal.aborted) return resourceVersion;
    if (skipped > 0) logger.warning('Left out objects that cannot be read', { path, count: skipped });
    this.#give((sink) => sink.replace(objects));
    this.#synced = true;
    logger.verbose(2, 'Listed', { path, count: objects.length, resourceVersion });
    this.#settleWaiters(true);
    return resourceVersion;
  }

  /** Watches until the server ends it; throws when it did so at once, without having sent anything. */
  async #watch(from: string): Promise<void> {
    const { client, path, metadataOnly, clock, logger } = this.#options;
    const silence = new Silence(clock, silenceLimit, this.#stopped.signal);
    let works = false;
    let steady: Timer | undefined;
    const working = (): void => {
      works = true;
      steady?.cancel();
      this.#outages.recovered(path, 'Watching the API server again', { path });
    };
    try {
      const lines = await client.stream(path, {
        query: {
          ...this.#selectors(),
          watch: true,
          allowWatchBookmarks: true,
          resourceVersion: from,
          // Spread, so that watches of many clients do not end together; client-go does the same.
          timeoutSeconds: Math.round(300 * (1 + this.#random())),
        },
        headers: { accept: metadataOnly ? partial('PartialObjectMetadata') : 'application/json' },
        timeout: openTimeout,
        signal: silence.signal,
      });
      silence.restart();
      steady = clock.after(minWatch, working);
      for await (const line of lines) {
        if (this.#stopped.signal.aborted) break;
        silence.restart();
        this.#apply(line);
        this.#backoff.reset();
        this.#failures = 0;
        if (!works) working();
      }
    } catch (error) {
      if (!silence.broken) throw error;
      logger.info('Watch went silent, opening a new one', { path, seconds: silenceLimit / 1000 });
    } finally {
      steady?.cancel();
      silence.end();
    }
    if (this.#stopped.signal.aborted) return;
    if (!works) throw new KubeError('unreachable', `watch of ${path}: the server ended it at once, without an event`);
    this.#options.onRestart?.(silence.broken ? 'silent' : 'closed');
  }

  #apply(line: string): void {
    const { path } = this.#options;
    const { type, object: raw, resourceVersion } = parseWatchEvent(line, `watch of ${path}`);
    const older = resourceVersion !== undefined && isOlderVersion(resourceVersion, this.#resourceVersion ?? '');
    // A deletion should carry its own version, but some servers leave the object's last one in it.
    if (older && type !== 'DELETED')
      throw new KubeError('malformed', `watch of ${path}: resource versions went back, the server has a new past`);
    if (type !== 'BOOKMARK') {
      const object = this.#project(raw);
      if (object !== undefined) this.#give((sink) => (type === 'DELETED' ? sink.remove(object) : sink.upsert(object)));
    }
    if (!older) this.#resourceVersion = resourceVersion ?? this.#resourceVersion;
  }

  /** Notes the failure, decides between resuming and listing anew, and says how long to wait before. */
  #failed(error: unknown): Milliseconds {
    const { path, logger } = this.#options;
    const kubeError = error instanceof KubeError ? error : undefined;
    const expired = kubeError?.expired === true;
    const lost = expired || kubeError?.code === 'malformed' || kubeError?.code === 'too_large';
    if (lost || ++this.#failures % failuresUntilList === 0) this.#resourceVersion = undefined;
    this.#options.onRestart?.(expired ? 'expired' : (kubeError?.code ?? 'error'));
    const wait = Math.min(kubeError?.retryAfterSeconds ?? 0, 60) * 1000;
    const delay = milliseconds(Math.max(this.#backoff.next(), wait));
    if (expired) logger.verbose(1, 'Watch expired, listing anew', { path });
    else
      this.#outages.failed(path, error, 'Watching the API server failed, trying again', {
        path,
        milliseconds: Math.round(delay),
      });
    return delay;
  }

  #project(object: unknown): T | undefined {
    try {
      return this.#options.project(object);
    } catch (error) {
      this.#options.logger.error(error, 'An object cannot be read', { path: this.#options.path });
      return undefined;
    }
  }

  #give(action: (sink: ListWatchSink<T>) => void): void {
    try {
      action(this.#options.sink);
    } catch (error) {
      this.#options.logger.error(error, 'Handling a change failed', { path: this.#options.path });
    }
  }

  #selectors(): Readonly<Record<string, string | undefined>> {
    // An empty selector selects everything, and so does none.
    const { labelSelector = '', fieldSelector = '' } = this.#options;
    return { labelSelector: labelSelector || undefined, fieldSelector: fieldSelector || undefined };
  }

  #settleWaiters(synced: boolean): void {
    const waiters = this.#syncWaiters;
    this.#syncWaiters = [];
    for (const waiter of waiters) waiter(synced);
  }
}
