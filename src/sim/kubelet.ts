import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import { sleep, type Clock } from '../model/clock.ts';
import { identityOf, type Identity } from './identity.ts';
import { KubeletDocuments, type DocumentKind } from './kubelet-documents.ts';
import type { KubeletFault } from './kubelet-fault.ts';
import type { Attributes } from './rbac.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { SummaryWriters } from './summary-document.ts';

/** How the kubelet asks the API server about its callers. */
export interface KubeletAccess {
  authenticate(token: string): Promise<Identity | undefined>;
  authorize(identity: Identity, attributes: Attributes): boolean;
}

export interface KubeletOptions {
  readonly node: SimulatedNode;
  readonly clock: Clock;
  readonly access: KubeletAccess;
  readonly writers: SummaryWriters;
}

const jsonType = 'application/json';
const textType = 'text/plain; charset=utf-8';
const metricsType = 'text/plain; version=0.0.4; charset=utf-8';
const verbs: Readonly<Record<string, string>> = {
  GET: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** The HTTP side of one simulated kubelet. */
export class Kubelet {
  readonly node: SimulatedNode;
  readonly #clock: Clock;
  readonly #access: KubeletAccess;
  readonly #documents: KubeletDocuments;
  readonly #requests = new Map<string, number>();
  #fault: KubeletFault | undefined;

  constructor(options: KubeletOptions) {
    this.node = options.node;
    this.#clock = options.clock;
    this.#access = options.access;
    this.#documents = new KubeletDocuments(options.node, options.writers);
  }

  get fault(): KubeletFault | undefined {
    return this.#fault;
  }

  set fault(fault: KubeletFault | undefined) {
    this.#fault = fault;
  }

  /** How many requests came for each path, query left out. */
  get requests(): ReadonlyMap<string, number> {
    return this.#requests;
  }

  /** Answers one request; never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'https://kubelet');
    this.#requests.set(url.pathname, (this.#requests.get(url.pathname) ?? 0) + 1);
    response.setHeader('Date', new Date(this.#clock.now()).toUTCString());
    // An explicit Connection header keeps Node from advertising its idle limit, which a kubelet does not do.
    response.setHeader('Connection', 'keep-alive');
    const identity = await this.#authenticate(request);
    if (identity === undefined) return send(response, 401, textType, 'Unauthorized');
    const refusal = this.#refusal(identity, request.method ?? 'GET', url.pathname);
    if (refusal !== undefined) return send(response, 403, textType, refusal);
    const document = documentAsked(url);
    if (document === undefined) {
      if (url.pathname === '/healthz') return send(response, 200, textType, 'ok');
      return send(response, 404, textType, '404 page not found\n');
    }
    if (request.method !== 'GET' && request.method !== 'POST')
      return send(response, 405, textType, '405: Method Not Allowed');
    return await this.#answer(document, request, response);
  }

  async #answer(document: DocumentKind, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fault = this.#fault;
    const type = document === 'resource' ? metricsType : jsonType;
    const body = (): Buffer => this.#documents.body(document, this.#clock.now());
    switch (fault?.kind) {
      case 'hang':
        return;
      case 'reset':
        return void request.socket.destroy();
      case 'status':
        return send(response, fault.status, textType, 'Internal Error: simulated fault');
      case 'garbage':
        return send(response, 200, type, '{"node":{"cpu":NaN');
      case 'truncate':
        return truncate(response, type, body());
      case 'drip':
        return await this.#drip(response, type, body(), fault.every);
      case 'huge':
        return await flood(response, type, fault.size);
      case 'slow':
        await sleep(this.#clock, fault.delay);
        return send(response, 200, type, body());
      case 'no-summary':
        if (document !== 'resource') return send(response, 404, textType, '404 page not found\n');
        return send(response, 200, type, body());
      case undefined:
      case 'refuse':
      case 'wrong-certificate':
      case 'forbidden':
      case 'forbidden-summary':
        return send(response, 200, type, body());
    }
  }

  async #drip(
    response: ServerResponse,
    type: string,
    body: Buffer,
    every: Extract<KubeletFault, { kind: 'drip' }>['every'],
  ): Promise<void> {
    response.writeHead(200, { 'Content-Type': type, 'Content-Length': body.length });
    for (let sent = 0; sent < body.length && !response.destroyed; sent += 16) {
      response.write(body.subarray(sent, sent + 16));
      await sleep(this.#clock, every);
    }
    response.end();
  }

  async #authenticate(request: IncomingMessage): Promise<Identity | undefined> {
    const { socket } = request;
    if (socket instanceof TLSSocket && socket.authorized) {
      const { subject } = socket.getPeerCertificate();
      const [name] = [subject.CN].flat();
      if (name !== undefined) return identityOf(name, [subject.O ?? []].flat());
    }
    const [, token] = /^bearer\s+(\S+)\s*$/i.exec(request.headers.authorization ?? '') ?? [];
    return token === undefined ? undefined : await this.#access.authenticate(token);
  }

  /** The text of a 403, or undefined when the caller may ask. */
  #refusal(identity: Identity, method: string, path: string): string | undefined {
    const subresource = subresourceOf(path);
    const verb = verbs[method] ?? '';
    const resource = { verb, group: '', resource: 'nodes', subresource, name: this.node.name };
    const kind = this.#fault?.kind;
    const denied = kind === 'forbidden' || (kind === 'forbidden-summary' && subresource === 'stats');
    if (!denied && this.#access.authorize(identity, resource)) return undefined;
    return `Forbidden (user=${identity.username}, verb=${verb}, resource=nodes, subresource(s)=[${subresource}])`;
  }
}

/** The subresource of `nodes` that the kubelet asks about for a path. */
function subresourceOf(path: string): string {
  if (path.startsWith('/stats/')) return 'stats';
  if (path === '/metrics' || path.startsWith('/metrics/')) return 'metrics';
  if (path === '/healthz' || path.startsWith('/healthz/')) return 'healthz';
  return 'proxy';
}

/** The brief summary is recognised only by exactly one `only_cpu_and_memory=true`. */
function documentAsked(url: URL): DocumentKind | undefined {
  if (url.pathname === '/metrics/resource') return 'resource';
  if (url.pathname !== '/stats/summary') return undefined;
  const values = url.searchParams.getAll('only_cpu_and_memory');
  return values.length === 1 && values[0] === 'true' ? 'summary' : 'full-summary';
}

function send(response: ServerResponse, status: number, type: string, body: string | Buffer): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

function truncate(response: ServerResponse, type: string, body: Buffer): void {
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': body.length });
  response.write(body.subarray(0, body.length >> 1), () => response.destroy());
}

/** Writes `size` bytes of a list that never ends, as fast as the reader takes them. */
async function flood(response: ServerResponse, type: string, size: number): Promise<void> {
  const chunk = Buffer.alloc(65_536, '{"podRef":{"name":"flood"}},');
  response.writeHead(200, { 'Content-Type': type });
  response.write('{"node":{},"pods":[');
  for (let sent = 0; sent < size && !response.destroyed; sent += chunk.length) {
    if (response.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        response.off('drain', done);
        response.off('close', done);
        resolve();
      };
      response.once('drain', done);
      response.once('close', done);
    });
  }
  response.end();
}
