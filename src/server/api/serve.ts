import type { Answer } from '../../wire/body.ts';
import { unknownResource } from '../../wire/status.ts';
import type { ApiRequest } from './api-request.ts';
import { serveGroup, serveGroups, serveResources } from './discovery.ts';
import { serveIndex, unknownPath } from './index-list.ts';
import { serveOpenApiV2, serveOpenApiV3, type OpenApiDocuments } from './openapi.ts';
import { serveResource, type ResourceDependencies } from './resources.ts';
import { findRoute } from './route.ts';
import { serveVersion, type VersionInfo } from './version.ts';

export interface ApiDependencies extends ResourceDependencies {
  readonly openApi: OpenApiDocuments;
  readonly version: VersionInfo;
  /** `host:port` under which clients may reach this server directly. */
  readonly serverAddress: () => string;
  /** The paths of health checks, for the list of paths. */
  readonly healthPaths: readonly string[];
}

/**
 * The whole API as a function of the request, without input or output of its own.
 * @throws {KubetallyError} to be answered with a Status
 */
export function serveApi(request: ApiRequest, deps: ApiDependencies): Answer {
  const route = findRoute(request.info.path);
  switch (route.to) {
    case 'list':
    case 'object':
      return serveResource({ to: route.to, version: route.version, resource: route.resource }, request, deps);
    case 'resources':
      return serveResources(request, route.version);
    case 'group':
      return serveGroup(request);
    case 'groups':
      return serveGroups(request, deps.serverAddress());
    case 'version':
      return serveVersion(request, deps.version);
    case 'openapi-v2':
      return serveOpenApiV2(request, deps.openApi);
    case 'openapi-v3':
      return serveOpenApiV3(request, deps.openApi, route.document) ?? unknownPath(deps.healthPaths);
    case 'index':
      return serveIndex(deps.healthPaths);
    case 'unknown-resource':
      throw unknownResource();
    case 'unknown-path':
      break;
  }
  return unknownPath(deps.healthPaths);
}
