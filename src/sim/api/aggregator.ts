import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { apiGroup } from '../../metrics-api/objects.ts';
import type { Clock, Timer } from '../../model/clock.ts';
import { messageChain } from '../../model/errors.ts';
import { milliseconds } from '../../model/units.ts';
import type { CertifiedKey } from '../../pki/authority.ts';
import { aggregatorUser, fetchGroup, type GroupDiscovery } from './aggregated-group.ts';
import { Backend, identityHeaders, type BackendAddress, type BackendReply } from './backend.ts';
import type { Identity } from '../identity.ts';

export interface AggregatorOptions {
  readonly clock: Clock;
  /** The front proxy's client certificate. */
  readonly client: CertifiedKey;
  /** Versions of metrics.k8s.io that have an APIService. */
  readonly versions: readonly string[];
}

/** The condition `Available` of the APIServices. */
export interface Availability {
  readonly available: boolean;
  readonly reason: 'Passed' | 'ServiceNotFound' | 'FailedDiscoveryCheck';
  readonly message: string;
}

const checkDeadline = 5000;
const calmPause = 30_000;
const anxiousPause = 500;

/** Headers that belong to one connection. */
const hopByHop = new Set('connection keep-alive proxy-connection te trailer transfer-encoding upgrade'.split(' '));

/** The aggregation layer of an API server for the one group metrics.k8s.io. */
export class Aggregator {
  readonly #options: AggregatorOptions;
  readonly #listeners = new Set<(availability: Availability) => void>();
  #backend: Backend | undefined;
  #availability: Availability = notFound;
  #group: GroupDiscovery | undefined;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: AggregatorOptions) {
    this.#options = options;
  }

  get versions(): readonly string[] {
    return this.#options.versions;
  }

  /** Whether an APIService is registered at all. */
  get registered(): boolean {
    return this.#backend !== undefined;
  }

  get availability(): Availability {
    return this.#availability;
  }

  /** What the backend last said of its group; kept, and stale, while it does not answer. */
  get group(): GroupDiscovery | undefined {
    return this.#group;
  }

  /** Registers, replaces or (undefined) removes the backend and checks it soon. */
  setBackend(address: BackendAddress | undefined): void {
    this.#backend?.close();
    this.#backend = address === undefined ? undefined : new Backend(address, this.#options.client);
    this.#group = undefined;
    this.#settle(address === undefined ? notFound : failed('not checked yet'));
    this.#schedule(0);
  }

  /** Calls `listener` whenever the availability changes. */
  onChange(listener: (availability: Availability) => void): void {
    this.#listeners.add(listener);
  }

  /** Checks the backend now: five parallel requests of which one must succeed, then its discovery document. */
  async check(): Promise<void> {
    const backend = this.#backend;
    if (backend === undefined) return;
    const [version = 'v1beta1'] = this.#options.versions.toReversed();
    const path = `/apis/${apiGroup}/${version}`;
    const attempt = async (): Promise<BackendReply> => {
      const reply = await backend.fetch(path, aggregatorUser, checkDeadline);
      if (reply.status >= 200 && reply.status < 300) return reply;
      throw new Error(`bad status from https://${backend.host}${path}: ${reply.status}`);
    };
    try {
      await Promise.any(Array.from({ length: 5 }, attempt));
      const group = await fetchGroup(backend, this.#options.versions, this.#group);
      if (backend !== this.#backend) return;
      this.#group = group;
      this.#settle({ available: true, reason: 'Passed', message: 'all checks passed' });
    } catch (error) {
      if (backend !== this.#backend) return;
      const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
      this.#settle(failed(`failing or missing response from https://${backend.host}${path}: ${messageChain(first)}`));
    }
  }

  /** Passes a request that is authenticated and authorized on to the backend. */
  proxy(request: IncomingMessage, response: ServerResponse, identity: Identity): void {
    const backend = this.#backend;
    if (backend === undefined || !this.#availability.available) return refuse(response, 503, 'service unavailable');
    this.#forward(backend, request, response, forwardedHeaders(request, identity, backend.host), false);
  }

  /** Fetches a document of the backend for the API server itself; undefined when there is none to ask. */
  async fetch(path: string, identity: Identity, accept: string): Promise<BackendReply | undefined> {
    if (!this.#availability.available) return undefined;
    return await this.#backend?.fetch(path, identity, 60_000, { Accept: accept });
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#backend?.close();
  }

  #forward(
    backend: Backend,
    request: IncomingMessage,
    response: ServerResponse,
    headers: OutgoingHttpHeaders,
    again: boolean,
  ): void {
    const { method = 'GET', url = '/' } = request;
    const outgoing = backend.open(method, url, headers);
    response.on('close', () => outgoing.destroy());
    outgoing.on('response', (reply) => {
      const { statusCode = 502 } = reply;
      if (statusCode >= 300 && statusCode < 400 && statusCode !== 304 && !url.startsWith('/openapi/'))
        return refuse(response, 502, 'the backend attempted to redirect this request, which is not permitted');
      response.writeHead(statusCode, replyHeaders(reply));
      reply.on('error', () => response.destroy());
      reply.pipe(response);
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      if (response.headersSent || response.destroyed) return response.destroy();
      // A pooled connection may have died unnoticed; Go's transport repeats such a GET once, too.
      if (!again && outgoing.reusedSocket && method === 'GET')
        return this.#forward(backend, request, response, headers, true);
      refuse(response, 503, `error trying to reach service: ${error.message}`);
    });
    if (method === 'GET' || method === 'HEAD') outgoing.end();
    else request.pipe(outgoing);
  }

  #settle(availability: Availability): void {
    const before = this.#availability;
    this.#availability = availability;
    if (before.available === availability.available && before.message === availability.message) return;
    for (const listener of this.#listeners) listener(availability);
  }

  #schedule(delay: number): void {
    this.#timer?.cancel();
    if (this.#stopped) return;
    this.#timer = this.#options.clock.after(milliseconds(delay), () => void this.#round());
  }

  async #round(): Promise<void> {
    const backend = this.#backend;
    if (backend === undefined) return;
    await this.check();
    if (backend !== this.#backend) return;
    this.#schedule(this.#availability.available ? calmPause : anxiousPause);
  }
}

const notFound: Availability = {
  available: false,
  reason: 'ServiceNotFound',
  message: 'service/kubetally in "kube-system" is not present',
};

function failed(message: string): Availability {
  return { available: false, reason: 'FailedDiscoveryCheck', message };
}

function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff' });
  response.end(`${text}\n`);
}

/** Headers for the backend: the client's own, without credentials and claims of identity, and with ours. */
function forwardedHeaders(request: IncomingMessage, identity: Identity, host: string): OutgoingHttpHeaders {
  const headers: Record<string, string | string[]> = {};
  for (const [name, values = []] of Object.entries(request.headersDistinct))
    if (!hopByHop.has(name) && !/^(?:x-remote-|impersonate-|authorization$|host$)/.test(name)) headers[name] = values;
  return {
    ...headers,
    host,
    ...identityHeaders(identity),
    'X-Forwarded-For': request.socket.remoteAddress ?? '127.0.0.1',
    'X-Forwarded-Host': request.headers.host ?? '',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Uri': request.url ?? '/',
  };
}

function replyHeaders(reply: IncomingMessage): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  for (const [name, values] of Object.entries(reply.headersDistinct))
    if (!hopByHop.has(name) && !name.startsWith('access-control-')) headers[name] = values;
  return headers;
}
