import type { Dispatcher } from 'undici';
import { systemClock, type Clock } from '../model/clock.ts';
import { milliseconds, seconds, type Milliseconds } from '../model/units.ts';
import type { ApiServer } from './api-server.ts';
import { RotatingPool } from './connection-pool.ts';
import { Deadline } from './deadline.ts';
import { connectionError, isReset, KubeError } from './kube-error.ts';
import { readBody, readLines } from './response-body.ts';
import { statusError } from './status-error.ts';

/** Query parameters; undefined ones are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface RequestOptions {
  readonly query?: Query;
  /** Lower-case names; `accept` is `application/json` unless given. */
  readonly headers?: Readonly<Record<string, string>>;
  /** For the whole answer, 30 s unless given; for a stream until its first byte. */
  readonly timeout?: Milliseconds;
  readonly signal?: AbortSignal | undefined;
  /** Cap on the answer, 64 MiB unless given; for a stream on one line's characters, 4 Mi unless given. */
  readonly maxSize?: number;
}

export interface KubeClientOptions {
  readonly clock?: Clock;
  readonly userAgent?: string;
  /** Hears of every request once it is answered, or failed (no status). For streams, of their beginning. */
  readonly onRequest?: (method: string, status: number | undefined, duration: Milliseconds) => void;
}

interface Call extends RequestOptions {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly path: string;
  readonly body?: string;
  /** Sent once more when the connection is closed before an answer, as happens to a kept-alive one. */
  readonly repeatable: boolean;
}

type Answer = Dispatcher.ResponseData;

const defaultTimeout = seconds(30);
const maxBodyBytes = 64 * 1024 * 1024;
const maxLineLength = 4 * 1024 * 1024;
const maxErrorBytes = 1024 * 1024;

/**
 * Requests to the API server over one pool of kept-alive connections. Everything rejects with `KubeError`. A 401 and a failed
 * handshake make the credentials be read anew, and the request is repeated if that changed them.
 */
export class KubeClient {
  readonly #server: ApiServer;
  readonly #pool: RotatingPool;
  readonly #clock: Clock;
  readonly #userAgent: string;
  readonly #onRequest: NonNullable<KubeClientOptions['onRequest']>;

  constructor(
    server: ApiServer,
    { clock = systemClock, userAgent = 'kubetally', onRequest = () => {} }: KubeClientOptions = {},
  ) {
    this.#server = server;
    this.#pool = new RotatingPool(server);
    this.#clock = clock;
    this.#userAgent = userAgent;
    this.#onRequest = onRequest;
  }

  /** The JSON document at `path` (`/api/v1/nodes`). Its shape is the caller's to check; only that it is an object is certain. */
  async get<T extends object>(path: string, options: RequestOptions = {}): Promise<T> {
    return await this.#json<T>({ ...options, method: 'GET', path, repeatable: true });
  }

  /** Posts an object that the server does not store (TokenReview, SubjectAccessReview), or one with a name, so that it may be sent twice. */
  async create<T extends object>(path: string, object: object, options: RequestOptions = {}): Promise<T> {
    const headers = { 'content-type': 'application/json', ...options.headers };
    return await this.#json<T>({
      ...options,
      headers,
      method: 'POST',
      path,
      body: JSON.stringify(object),
      repeatable: true,
    });
  }

  /** Replaces the object at `path`; one whose `metadata.resourceVersion` is not the stored one's is refused with 409. Never sent twice. */
  async replace<T extends object>(path: string, object: object, options: RequestOptions = {}): Promise<T> {
    const headers = { 'content-type': 'application/json', ...options.headers };
    return await this.#json<T>({
      ...options,
      headers,
      method: 'PUT',
      path,
      body: JSON.stringify(object),
      repeatable: false,
    });
  }

  /** A JSON merge patch (RFC 7386), unless `content-type` says otherwise. Never sent twice. */
  async patch<T extends object>(path: string, patch: object, options: RequestOptions = {}): Promise<T> {
    const headers = { 'content-type': 'application/merge-patch+json', ...options.headers };
    return await this.#json<T>({
      ...options,
      headers,
      method: 'PATCH',
      path,
      body: JSON.stringify(patch),
      repeatable: false,
    });
  }

  /**
   * Opens a stream of lines, such as a watch; resolves when the server has accepted it. It ends when the server ends it, throws
   * `KubeError` when the connection breaks, and holds its connection until it is read to the end, left, or aborted by `signal`.
   */
  async stream(path: string, options: RequestOptions = {}): Promise<AsyncIterable<string>> {
    const call: Call = { ...options, method: 'GET', path, repeatable: true };
    const what = this.#describe(call);
    const deadline = new Deadline(this.#clock, options.timeout ?? defaultTimeout, options.signal);
    try {
      const { body } = await this.#send(call, deadline);
      deadline.stopTimer();
      return lines(body, options.maxSize ?? maxLineLength, what, deadline);
    } catch (error) {
      deadline.clear();
      throw failure(error, what, deadline, options.timeout);
    }
  }

  /** Closes all connections, and ends a credential plugin under way; requests and streams fail. */
  async close(): Promise<void> {
    this.#server.credentials.close();
    await this.#pool.close();
  }

  async #json<T>(call: Call): Promise<T> {
    const what = this.#describe(call);
    const deadline = new Deadline(this.#clock, call.timeout ?? defaultTimeout, call.signal);
    try {
      const { body } = await this.#send(call, deadline);
      return parseObject(await readBody(body, call.maxSize ?? maxBodyBytes, what), what) as T;
    } catch (error) {
      throw failure(error, what, deadline, call.timeout);
    } finally {
      deadline.clear();
    }
  }

  /** An answer of status 2xx; anything else is thrown. */
  async #send(call: Call, deadline: Deadline): Promise<Answer> {
    const { credentials } = this.#server;
    // Not the deadline's signal: a plugin that is late says so itself.
    const authorization = await credentials.authorizationHeader(call.signal);
    const pool = this.#pool.get();
    try {
      return await this.#sendOnce(call, authorization, deadline);
    } catch (error) {
      const failed = connectionError(error, this.#describe(call));
      if (deadline.signal.aborted || (failed.status !== 401 && failed.code !== 'tls')) throw error;
      await credentials.refresh();
      const renewed = await credentials.authorizationHeader(call.signal);
      if (renewed === authorization && this.#pool.get() === pool) throw error;
      return await this.#sendOnce(call, renewed, deadline);
    }
  }

  async #sendOnce(call: Call, authorization: string | undefined, deadline: Deadline): Promise<Answer> {
    const { url, credentials } = this.#server;
    const request = {
      origin: url.origin,
      path: requestPath(url, call.path, call.query),
      method: call.method,
      headers: {
        accept: 'application/json',
        'user-agent': this.#userAgent,
        ...(authorization !== undefined && { authorization }),
        ...credentials.impersonation(),
        ...call.headers,
      },
      signal: deadline.signal,
      ...(call.body !== undefined && { body: call.body }),
    };
    let answer: Answer;
    try {
      answer = await this.#request(request);
    } catch (error) {
      if (!call.repeatable || !isReset(error) || deadline.signal.aborted) throw error;
      answer = await this.#request(request);
    }
    if (answer.statusCode >= 200 && answer.statusCode < 300) return answer;
    const what = this.#describe(call);
    throw statusError(answer.statusCode, answer.headers, await readBody(answer.body, maxErrorBytes, what), what);
  }

  async #request(request: Dispatcher.RequestOptions): Promise<Answer> {
    const start = this.#clock.monotonic();
    let status: number | undefined;
    try {
      const answer = await this.#pool.get().request(request);
      status = answer.statusCode;
      return answer;
    } finally {
      this.#onRequest(request.method, status, milliseconds(this.#clock.monotonic() - start));
    }
  }

  #describe({ method, path }: Call): string {
    const { url } = this.#server;
    return `${method} ${url.origin}${requestPath(url, path)}`;
  }
}

/** `stream`'s lines, with failures as `KubeError` and the deadline let go in the end. */
async function* lines(
  body: Answer['body'],
  maxLength: number,
  what: string,
  deadline: Deadline,
): AsyncGenerator<string> {
  try {
    yield* readLines(body, maxLength, what);
  } catch (error) {
    throw failure(error, what, deadline);
  } finally {
    deadline.clear();
    body.destroy();
  }
}

function failure(thrown: unknown, what: string, deadline: Deadline, timeout: Milliseconds = defaultTimeout): KubeError {
  if (deadline.expired)
    return new KubeError('timeout', `${what}: no answer within ${timeout / 1000} s`, { cause: thrown });
  if (deadline.signal.aborted) return new KubeError('aborted', `${what}: aborted`, { cause: thrown });
  return connectionError(thrown, what);
}

function requestPath(url: URL, path: string, query: Query = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) parameters.set(name, String(value));
  const text = parameters.toString();
  return `${url.pathname.replace(/\/$/, '')}${path}${text === '' ? '' : `?${text}`}`;
}

function parseObject(text: string, what: string): object {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new KubeError('malformed', `${what}: the answer is not JSON`, { cause: error });
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new KubeError('malformed', `${what}: the answer is not a JSON object`);
  return document;
}
