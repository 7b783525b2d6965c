import { METHODS } from 'node:http';
import { Router, type RouterMiddleware } from '@koa/router';
import type { Context, Middleware } from 'koa';
import { apiGroup, apiVersions } from '../metrics-api/objects.ts';
import { trimCharacter } from '../model/trim.ts';
import { unknownResource } from '../wire/status.ts';
import { serveGroup, serveGroups, serveResources } from './api/discovery.ts';
import { answerWith, type Endpoint } from './api/endpoint.ts';
import { serveIndex, unknownPath } from './api/index-list.ts';
import { serveOpenApiV2, serveOpenApiV3, serveOpenApiV3Root, type OpenApiDocuments } from './api/openapi.ts';
import { serveResource, type ResourceDependencies } from './api/resources.ts';
import { serveVersion, type VersionInfo } from './api/version.ts';
import { healthEndpoints, type Health } from './health.ts';
import { serveHealth, serveMetrics, type MetricsPage } from './plain-routes.ts';
import { stateOf } from './request-state.ts';

export interface RouterDependencies extends ResourceDependencies {
  readonly openApi: OpenApiDocuments;
  readonly version: VersionInfo;
  /** `host:port` under which clients may reach this server directly. */
  readonly serverAddress: () => string;
  readonly health: Health;
  readonly metricsPage: () => MetricsPage | Promise<MetricsPage>;
}

const group = `/apis/${apiGroup}`;

/**
 * Every path that is served, the most asked for first: of several that match, the first answers. What is unknown below the group and `/version` is an unknown
 * resource, everything else unknown is an unknown path, which is answered differently. Every method leads to the handler, which refuses those it does not take.
 */
function declareRoutes(deps: RouterDependencies): Router {
  const { health, openApi } = deps;
  const router = new Router({ sensitive: true, strict: true });
  const on = (path: string | readonly string[] | RegExp, handler: Middleware): void => {
    router.all(typeof path === 'object' && !(path instanceof RegExp) ? [...path] : path, handler as RouterMiddleware);
  };
  const serve = (path: string | readonly string[] | RegExp, endpoint: Endpoint): void => on(path, answerWith(endpoint));

  for (const version of apiVersions) {
    const base = `${group}/${version}`;
    const resource = (to: 'list' | 'object', name: 'nodes' | 'pods'): Endpoint => {
      const route = { to, version, resource: name };
      return (request) => serveResource(route, request, deps);
    };
    // An empty namespace means all of them, to authorization and to lists alike.
    serve([`${base}/pods`, `${base}/namespaces/:namespace/pods`, `${base}/namespaces//pods`], resource('list', 'pods'));
    serve([`${base}/namespaces/:namespace/pods/:name`], resource('object', 'pods'));
    serve(`${base}/nodes`, resource('list', 'nodes'));
    serve(`${base}/nodes/:name`, resource('object', 'nodes'));
    serve(base, (request) => serveResources(request, version));
  }
  serve(group, serveGroup);
  serve([`${group}/*unknown`, '/version/*unknown'], refuseUnknownResource);
  serve(['/apis', '/apis/'], (request) => serveGroups(request, deps.serverAddress()));
  for (const endpoint of healthEndpoints) on(`/${endpoint}{/*check}`, serveHealth(health));
  on('/metrics', serveMetrics(deps.metricsPage));
  serve('/openapi/v2', (request) => serveOpenApiV2(request, openApi));
  serve(['/openapi/v3', '/openapi/v3/'], (request) => serveOpenApiV3Root(request, openApi));
  serve('/openapi/v3/*document', (request) => serveOpenApiV3(request, openApi) ?? unknownPath(health.paths));
  serve('/version', (request) => serveVersion(request, deps.version));
  serve(['/', '/index.html'], () => serveIndex(health.paths));
  serve(/[^]*/, () => unknownPath(health.paths));
  return router;
}

/**
 * The routes as middleware. Paths only choose the handler, and the path matched is that of the `RequestInfo` that was authorized: nothing reads the URL again, and
 * handlers take names from the `RequestInfo`, not from the router's parameters.
 */
export function routes(deps: RouterDependencies): Middleware {
  const dispatch = declareRoutes(deps).routes() as unknown as Middleware;
  return function route(ctx, next) {
    const { path, method } = stateOf(ctx).requestInfo;
    override(ctx, 'path', routedPath(path));
    // HTTP/2 carries any method. To the router one that Node does not know is like another that no handler takes.
    if (!knownMethods.has(method)) override(ctx, 'method', 'TRACE');
    return dispatch(ctx, next);
  };
}

const knownMethods: ReadonlySet<string> = new Set(METHODS);

/** Koa's own getter parses the URL, which throws for some that are no URL. */
function override(ctx: Context, property: 'path' | 'method', value: string): void {
  Object.defineProperty(ctx, property, { value });
}

/** Below the prefixes of Kubernetes' REST router slashes at the end do not count; all other paths are exact. */
function routedPath(path: string): string {
  return path.startsWith(group) || path.startsWith('/version') ? `/${trimCharacter(path, '/')}` : path;
}

function refuseUnknownResource(): never {
  throw unknownResource();
}
