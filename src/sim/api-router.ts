import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../model/clock.ts';
import { messageChain } from '../model/errors.ts';
import { milliseconds, type Milliseconds } from '../model/units.ts';
import { metricsGroup } from './aggregated-group.ts';
import type { Aggregator } from './aggregator.ts';
import { ApiDiscovery, reviewResources } from './api-discovery.ts';
import { ApiDocuments } from './api-documents.ts';
import type { ApiFault } from './api-fault.ts';
import { ApiFailure, noResource, notFound, statusDocument } from './api-status.ts';
import { authenticate } from './authentication.ts';
import { readBody, sendJson } from './http-json.ts';
import type { Identity } from './identity.ts';
import { listOptions, writeContinue, type ListOptions } from './list-options.ts';
import { keyOf, type StoredObject } from './object-store.ts';
import type { PodRegistry } from './pod-registry.ts';
import { listDocument, objectDocument, shapeOf, type Shape } from './projection.ts';
import type { Authorizer } from './rbac.ts';
import { attributesOf, forbiddenText, requestInfo, type RequestInfo } from './request-info.ts';
import { groupVersion, type ResourceType } from './resource-type.ts';
import { Reviews, type ReviewCounts } from './reviews.ts';
import type { TokenIssuer } from './token-issuer.ts';
import { WatchStream } from './watch-stream.ts';

export interface ApiRouterOptions {
  readonly types: readonly ResourceType[];
  readonly aggregator: Aggregator;
  readonly authorizer: Authorizer;
  readonly tokens: TokenIssuer;
  readonly pods: PodRegistry;
  readonly clock: Clock;
  readonly bookmarkEvery?: Milliseconds;
}

type ResourceRequest = Extract<RequestInfo, { kind: 'resource' }>;

/** What happens to a request: authentication, authorization, then a resource, a review, a document or the backend. */
export class ApiRouter {
  readonly #options: ApiRouterOptions;
  readonly #reviews: Reviews;
  readonly #documents: ApiDocuments;
  readonly #watches = new Set<WatchStream>();
  readonly #requests = new Map<string, number>();
  readonly #bookmarkEvery: Milliseconds;

  constructor(options: ApiRouterOptions) {
    this.#options = options;
    this.#reviews = new Reviews(options.tokens, options.authorizer);
    const discovery = new ApiDiscovery(options.types, options.aggregator);
    this.#documents = new ApiDocuments(discovery, options.aggregator, options.tokens);
    this.#bookmarkEvery = options.bookmarkEvery ?? milliseconds(10_000);
  }

  get requests(): ReadonlyMap<string, number> {
    return this.#requests;
  }

  get reviewCounts(): ReviewCounts {
    return this.#reviews.counts;
  }

  /** Ends all watches with the ERROR event of a revision that is too old. */
  expireWatches(): void {
    for (const watch of this.#watches) watch.expire();
  }

  endWatches(): void {
    for (const watch of this.#watches) watch.end();
  }

  /** Answers one request; never rejects. */
  async handle(request: IncomingMessage, response: ServerResponse, fault: ApiFault | undefined): Promise<void> {
    response.setHeader('Audit-Id', request.headers['audit-id'] ?? randomUUID());
    response.setHeader('Cache-Control', 'no-cache, private');
    try {
      await this.#route(request, response, fault);
    } catch (error) {
      if (response.headersSent) return void response.destroy();
      const failure = error instanceof ApiFailure ? error : new ApiFailure(500, 'InternalError', messageChain(error));
      sendJson(response, failure.status.code, statusDocument(failure.status));
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse, fault: ApiFault | undefined): Promise<void> {
    const url = new URL(request.url ?? '/', 'https://kubernetes');
    const { method = 'GET' } = request;
    this.#count(`${method} ${url.pathname}`);
    const info = requestInfo(url.pathname);
    const identity = await authenticate(request, this.#options.tokens);
    const lists = info.kind === 'resource' && info.name === undefined && info.group !== metricsGroup;
    const options = lists ? listOptions(url.searchParams) : undefined;
    this.#authorize(identity, info, method, options);
    if (info.kind === 'path') return await this.#documents.serve(request, response, url, identity);
    if (info.group === metricsGroup && this.#options.aggregator.registered)
      return this.#options.aggregator.proxy(request, response, identity, request.url ?? '/');
    const type = this.#typeOf(info);
    if (type === undefined) return await this.#review(request, response, info, identity, fault);
    const shape = shapeOf(request.headers.accept);
    if (shape === undefined)
      throw new ApiFailure(
        406,
        'NotAcceptable',
        'only the following media types are accepted: application/json, application/json;stream=watch',
      );
    return await this.#resource(request, response, info, type, shape, options, fault);
  }

  async #resource(
    request: IncomingMessage,
    response: ServerResponse,
    info: ResourceRequest,
    type: ResourceType,
    shape: Shape,
    options: ListOptions | undefined,
    fault: ApiFault | undefined,
  ): Promise<void> {
    const now = this.#options.clock.now();
    const send = (status: number, object: StoredObject): void =>
      sendJson(response, status, objectDocument(type, object, shape, now));
    const { method = 'GET' } = request;
    if (method === 'GET' && options !== undefined)
      return options.watch
        ? this.#watch(response, info, type, shape, options, fault)
        : this.#list(response, info, type, shape, options);
    if (method === 'GET' && info.subresource === undefined) return send(200, this.#object(type, info));
    if (type.plural === 'pods' && info.subresource === undefined) {
      if (method === 'POST' && info.namespace !== undefined)
        return send(201, this.#options.pods.create(info.namespace, await readBody(request)));
      if (method === 'DELETE') {
        const { meta } = this.#object(type, info);
        const body = await readBody(request);
        const grace = body['gracePeriodSeconds'];
        return send(200, this.#options.pods.delete(meta, typeof grace === 'number' ? grace : undefined));
      }
    }
    throw new ApiFailure(
      405,
      'MethodNotAllowed',
      'the server does not allow this method on the requested resource',
      {},
    );
  }

  #list(response: ServerResponse, info: ResourceRequest, type: ResourceType, shape: Shape, options: ListOptions): void {
    const { store } = type;
    const { continueFrom, limit } = options;
    const revision = continueFrom?.revision ?? store.revision;
    if (revision < store.oldest)
      throw new ApiFailure(
        410,
        'Expired',
        'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
      );
    const page: StoredObject[] = [];
    let more: string | undefined;
    for (const object of store.list(continueFrom?.key)) {
      if (!inNamespace(object, info.namespace) || !options.matches(object)) continue;
      const last = page.at(-1);
      if (limit > 0 && page.length === limit && last !== undefined) {
        more = writeContinue(revision, keyOf(last.meta.namespace, last.meta.name));
        break;
      }
      page.push(object);
    }
    const listMeta = { resourceVersion: String(revision), ...(more === undefined ? {} : { continue: more }) };
    sendJson(response, 200, listDocument(type, page, listMeta, shape, this.#options.clock.now()));
  }

  #watch(
    response: ServerResponse,
    info: ResourceRequest,
    type: ResourceType,
    shape: Shape,
    options: ListOptions,
    fault: ApiFault | undefined,
  ): void {
    if (fault?.kind === 'watch-gone') throw new ApiFailure(410, 'Gone', 'too old resource version');
    const matches = (object: StoredObject): boolean => inNamespace(object, info.namespace) && options.matches(object);
    const scoped = { ...options, matches: matches as ListOptions['matches'] };
    const watch = new WatchStream(type, scoped, shape, response, {
      clock: this.#options.clock,
      bookmarkEvery: this.#bookmarkEvery,
      longest: milliseconds(1_800_000),
    });
    this.#watches.add(watch);
    response.on('close', () => this.#watches.delete(watch));
    watch.start();
    if (fault?.kind === 'watch-expired') watch.expire();
  }

  async #review(
    request: IncomingMessage,
    response: ServerResponse,
    info: ResourceRequest,
    identity: Identity,
    fault: ApiFault | undefined,
  ): Promise<void> {
    const known = reviewResources.some(
      ({ group, version, plural }) => group === info.group && version === info.version && plural === info.plural,
    );
    if (!known || info.name !== undefined) throw noResource();
    if (request.method !== 'POST')
      throw new ApiFailure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');
    if (fault?.kind === 'reviews-fail') throw new ApiFailure(500, 'InternalError', 'simulated fault of reviews');
    const review = await this.#reviews.create(info.plural, identity, await readBody(request));
    if (review === undefined) throw noResource();
    sendJson(response, 201, review);
  }

  #authorize(identity: Identity, info: RequestInfo, method: string, options: ListOptions | undefined): void {
    const attributes = attributesOf(info, method, options);
    if (this.#options.authorizer.authorize(identity, attributes).allowed) return;
    const details =
      info.kind === 'path'
        ? {}
        : { name: info.name, group: info.group === '' ? undefined : info.group, kind: info.plural };
    throw new ApiFailure(403, 'Forbidden', forbiddenText(identity.username, attributes), details);
  }

  #typeOf(info: ResourceRequest): ResourceType | undefined {
    const wanted = groupVersion(info);
    return this.#options.types.find((type) => type.plural === info.plural && groupVersion(type) === wanted);
  }

  #object(type: ResourceType, info: ResourceRequest): StoredObject {
    const { name = '' } = info;
    const object = type.store.get(type.namespaced ? info.namespace : undefined, name);
    if (object === undefined) throw notFound(type.plural, type.group, name);
    return object;
  }

  #count(key: string): void {
    if (this.#requests.size < 10_000 || this.#requests.has(key))
      this.#requests.set(key, (this.#requests.get(key) ?? 0) + 1);
  }
}

function inNamespace(object: StoredObject, namespace: string | undefined): boolean {
  return namespace === undefined || object.meta.namespace === namespace;
}
