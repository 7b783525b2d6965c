import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { apiGroup } from '../../metrics-api/objects.ts';
import type { Clock } from '../../model/clock.ts';
import type { Milliseconds } from '../../model/units.ts';
import { forbidden } from '../../server/forbidden.ts';
import { parseRequestInfo, type RequestInfo } from '../../server/request-info.ts';
import { badRequest, methodNotAllowed, notFound, StatusError, unknownResource } from '../../wire/status.ts';
import type { Aggregator } from './aggregator.ts';
import { ApiDiscovery, reviewResources } from './api-discovery.ts';
import { ApiDocuments } from './api-documents.ts';
import type { ApiFault } from './api-fault.ts';
import { statusOf, StoreRefusal } from './api-status.ts';
import { authenticate } from './authentication.ts';
import { readBody, sendJson } from './http-json.ts';
import type { Identity } from '../identity.ts';
import { listOptions, writeContinue, type ListOptions } from './list-options.ts';
import { keyOf, type StoredObject } from './object-store.ts';
import type { PodRegistry } from './pod-registry.ts';
import { listDocument, objectDocument, shapeOf, type Shape } from './projection.ts';
import type { Authorizer } from './rbac.ts';
import { groupVersion, type ResourceType } from './resource-type.ts';
import { Reviews } from './reviews.ts';
import type { TokenIssuer } from '../token-issuer.ts';
import { WatchStream } from './watch-stream.ts';

export interface ApiRouterOptions {
  readonly types: readonly ResourceType[];
  readonly aggregator: Aggregator;
  readonly authorizer: Authorizer;
  readonly tokens: TokenIssuer;
  readonly pods: PodRegistry;
  readonly clock: Clock;
  readonly bookmarkEvery: Milliseconds;
}

/** A request that is authenticated and authorized. */
interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly info: RequestInfo;
  readonly identity: Identity;
  readonly fault: ApiFault | undefined;
}

/** What happens to a request: authentication, authorization, then a resource, a review, a document or the backend. */
export class ApiRouter {
  readonly #options: ApiRouterOptions;
  readonly #reviews: Reviews;
  readonly #documents: ApiDocuments;
  readonly #watches = new Set<WatchStream>();

  constructor(options: ApiRouterOptions) {
    const { types, aggregator, tokens, authorizer } = options;
    this.#options = options;
    this.#reviews = new Reviews(tokens, authorizer);
    this.#documents = new ApiDocuments(new ApiDiscovery(types, aggregator), aggregator, tokens);
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
      const info = parseRequestInfo(request.method ?? 'GET', request.url ?? '/');
      if (info === undefined) throw badRequest('the request line cannot be read');
      const identity = await authenticate(request, this.#options.tokens);
      if (!this.#options.authorizer.authorize(identity, info).allowed)
        throw forbidden({ name: identity.username, uid: '', groups: identity.groups, extra: {} }, info, '');
      await this.#route({ request, response, info, identity, fault });
    } catch (error) {
      if (response.headersSent) return void response.destroy();
      const status = statusOf(error);
      sendJson(response, status.code, status);
    }
  }

  async #route(exchange: Exchange): Promise<void> {
    const { request, response, info, identity } = exchange;
    const { aggregator } = this.#options;
    if (!info.isResourceRequest) return await this.#documents.serve(request, response, info.path, identity);
    if (info.apiGroup === apiGroup && aggregator.registered) return aggregator.proxy(request, response, identity);
    const type = this.#typeOf(info);
    if (type === undefined) return await this.#review(exchange);
    const shape = shapeOf(request.headers.accept);
    if (shape === undefined)
      throw new StatusError(
        'not-acceptable',
        'only the following media types are accepted: application/json, application/json;stream=watch',
      );
    if (info.subresource !== '') throw methodNotAllowed();
    if (info.verb === 'list') return this.#list(exchange, type, shape, listOptions(info.query));
    if (info.verb === 'watch') return this.#watch(exchange, type, shape, listOptions(info.query));
    const [status, object] = await this.#object(exchange, type);
    sendJson(response, status, objectDocument(type, object, shape, this.#options.clock.now()));
  }

  /** Reads, creates or deletes an object; gives the HTTP status and the object as it is then. */
  async #object({ request, info }: Exchange, type: ResourceType): Promise<readonly [number, StoredObject]> {
    const { pods } = this.#options;
    const { namespace, name, verb } = info;
    const writable = type.plural === 'pods' && namespace !== '';
    if (verb === 'create' && writable) return [201, pods.create(namespace, await readBody(request))];
    const object = type.store.get(type.namespaced ? namespace : undefined, name);
    if (verb !== 'get' && !(verb === 'delete' && writable)) throw methodNotAllowed();
    if (object === undefined) throw notFound(type.plural, type.group, name);
    if (verb === 'get') return [200, object];
    const { gracePeriodSeconds: grace } = await readBody(request);
    return [200, pods.delete(object.meta, typeof grace === 'number' ? grace : undefined)];
  }

  #list({ response, info }: Exchange, type: ResourceType, shape: Shape, options: ListOptions): void {
    const { store } = type;
    const { continueFrom, limit } = options;
    const revision = continueFrom?.revision ?? store.revision;
    if (revision < store.oldest)
      throw new StoreRefusal(
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

  #watch({ response, info, fault }: Exchange, type: ResourceType, shape: Shape, options: ListOptions): void {
    if (fault?.kind === 'watch-gone') throw new StoreRefusal(410, 'Gone', 'too old resource version');
    const { clock, bookmarkEvery } = this.#options;
    const matches: ListOptions['matches'] = (object) => inNamespace(object, info.namespace) && options.matches(object);
    const watch = new WatchStream({ type, list: { ...options, matches }, shape, response, clock, bookmarkEvery });
    this.#watches.add(watch);
    response.on('close', () => this.#watches.delete(watch));
    watch.start();
    if (fault?.kind === 'watch-expired') watch.expire();
  }

  async #review({ request, response, info, identity, fault }: Exchange): Promise<void> {
    const { apiGroup, apiVersion, resource, name, verb } = info;
    const known = reviewResources.some(
      ({ group, version, plural }) => group === apiGroup && version === apiVersion && plural === resource,
    );
    if (!known || name !== '') throw unknownResource();
    if (verb !== 'create') throw methodNotAllowed();
    if (fault?.kind === 'reviews-fail') throw new StatusError('internal-error', 'simulated fault of reviews');
    sendJson(response, 201, await this.#reviews.create(resource, identity, await readBody(request)));
  }

  #typeOf({ apiGroup: group, apiVersion: version, resource }: RequestInfo): ResourceType | undefined {
    const wanted = groupVersion({ group, version });
    return this.#options.types.find((type) => type.plural === resource && groupVersion(type) === wanted);
  }
}

function inNamespace(object: { readonly meta: StoredObject['meta'] }, namespace: string): boolean {
  return namespace === '' || object.meta.namespace === namespace;
}
