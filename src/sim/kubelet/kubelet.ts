import type { IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import { sleep, type Clock } from '../../model/clock.ts';
import { bearerToken, certificateIdentity } from '../api/authentication.ts';
import type { AsciiPage } from './ascii-page.ts';
import { answerInDrops, answerWithHalf, answerWithoutEnd } from './faulty-answers.ts';
import type { KubeletFault } from './kubelet-fault.ts';
import type { Identity } from '../identity.ts';
import { resourceAttributes, type Attributes } from '../api/rbac.ts';
import { resourceDocument } from './resource-document.ts';
import { mix, seededRandom, type Random } from '../seeded-random.ts';
import type { SimulatedNode } from '../node/simulated-node.ts';
import type { SummaryDocument } from './summary-document.ts';

/** How the kubelet asks the API server about its callers. */
export interface KubeletAccess {
  authenticate(token: string): Promise<Identity | undefined>;
  authorize(identity: Identity, attributes: Attributes): boolean;
}

export interface KubeletOptions {
  readonly node: SimulatedNode;
  readonly clock: Clock;
  readonly access: KubeletAccess;
  /** May be shared by many kubelets. */
  readonly summaries: SummaryDocument;
}

type DocumentKind = 'summary' | 'full-summary' | 'resource';

const verbs: Readonly<Record<string, string>> = {
  GET: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};
const jsonType = 'application/json';
const textType = 'text/plain; charset=utf-8';
const metricsType = 'text/plain; version=0.0.4; charset=utf-8';

/** The HTTP side of one simulated kubelet. */
export class Kubelet {
  readonly node: SimulatedNode;
  /** How it misbehaves from now on. */
  fault: KubeletFault | undefined;
  /** How many came so far. */
  requests = 0;
  readonly #clock: Clock;
  readonly #access: KubeletAccess;
  readonly #summaries: SummaryDocument;
  readonly #random: Random;

  constructor({ node, clock, access, summaries }: KubeletOptions) {
    this.node = node;
    this.#clock = clock;
    this.#access = access;
    this.#summaries = summaries;
    this.#random = seededRandom(mix(node.birth.seed, node.birth.number, 3));
  }

  /** Answers one request; never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/' } = request;
    const [path = '/', query = ''] = url.split('?', 2);
    this.requests++;
    response.setHeader('Date', new Date(this.#clock.now()).toUTCString());
    // An explicit Connection header keeps Node from advertising its idle limit, which a kubelet does not do.
    response.setHeader('Connection', 'keep-alive');
    const identity = await this.#authenticate(request);
    if (identity === undefined) return send(response, 401, textType, 'Unauthorized');
    const refusal = this.#refusal(identity, method, path);
    if (refusal !== undefined) return send(response, 403, textType, refusal);
    const document = documentAsked(path, query);
    if (document === undefined) {
      if (path === '/healthz') return send(response, 200, textType, 'ok');
      return send(response, 404, textType, '404 page not found\n');
    }
    if (method !== 'GET' && method !== 'POST') return send(response, 405, textType, '405: Method Not Allowed');
    return await this.#answer(document, request, response);
  }

  async #answer(document: DocumentKind, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { fault } = this;
    const type = document === 'resource' ? metricsType : jsonType;
    switch (fault?.kind) {
      case 'hang':
        return;
      case 'reset':
        return void request.socket.destroy();
      case 'status':
        return send(response, fault.status, textType, 'Internal Error: simulated fault');
      case 'garbage':
        return send(response, 200, type, '{"node":{"cpu":NaN');
      case 'empty':
        return send(
          response,
          200,
          type,
          document === 'resource' ? '' : JSON.stringify({ node: { nodeName: this.node.name }, pods: [] }),
        );
      case 'truncate':
        return answerWithHalf(response, type, this.#body(document));
      case 'drip':
        return await answerInDrops(response, type, this.#body(document), this.#clock, fault.every);
      case 'huge':
        return await answerWithoutEnd(response, type, fault.size);
      case 'no-summary':
        if (document !== 'resource') return send(response, 404, textType, '404 page not found\n');
        break;
      case 'slow':
        await sleep(this.#clock, fault.delay);
        break;
      case undefined:
      case 'refuse':
      case 'wrong-certificate':
      case 'forbidden':
      case 'forbidden-summary':
        break;
    }
    if (document === 'resource') return send(response, 200, type, this.#body(document));
    const page = this.#summary(document);
    send(response, 200, type, page.content, () => this.#summaries.reuse(page));
  }

  #body(document: DocumentKind): Buffer {
    if (document !== 'resource') return this.#summary(document).content;
    return Buffer.from(resourceDocument(this.node, this.#clock.now()));
  }

  #summary(document: DocumentKind): AsciiPage {
    const request = { node: this.node, now: this.#clock.now(), random: this.#random };
    return this.#summaries.write({ ...request, cpuAndMemoryOnly: document === 'summary' });
  }

  async #authenticate(request: IncomingMessage): Promise<Identity | undefined> {
    const { socket } = request;
    if (socket instanceof TLSSocket && socket.authorized) return certificateIdentity(request);
    const token = bearerToken(request);
    return token === undefined ? undefined : await this.#access.authenticate(token);
  }

  /** The text of a 403, or undefined when the caller may ask. */
  #refusal(identity: Identity, method: string, path: string): string | undefined {
    const subresource = subresourceOf(path);
    const verb = verbs[method] ?? '';
    const attributes = resourceAttributes({ verb, resource: 'nodes', subresource, name: this.node.name });
    const kind = this.fault?.kind;
    const denied = kind === 'forbidden' || (kind === 'forbidden-summary' && subresource === 'stats');
    if (!denied && this.#access.authorize(identity, attributes)) return undefined;
    return `Forbidden (user=${identity.username}, verb=${verb}, resource=nodes, subresource(s)=[${subresource}])`;
  }
}

/** The subresource of `nodes` that the kubelet asks about for a path. */
function subresourceOf(path: string): string {
  const [, root = ''] = path.split('/', 2);
  return root === 'stats' || root === 'metrics' || root === 'healthz' ? root : 'proxy';
}

/** The brief summary is recognised only by exactly one `only_cpu_and_memory=true`. */
function documentAsked(path: string, query: string): DocumentKind | undefined {
  if (path === '/metrics/resource') return 'resource';
  if (path !== '/stats/summary') return undefined;
  const values = new URLSearchParams(query).getAll('only_cpu_and_memory');
  return values.length === 1 && values[0] === 'true' ? 'summary' : 'full-summary';
}

/** Head and body leave in one write. `sent` is called when the system has taken them. */
function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Buffer,
  sent: () => void = () => {},
): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) });
  response.end(body, sent);
}
