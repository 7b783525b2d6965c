import { apiGroup, apiVersions, type ApiVersion } from '../../metrics-api/objects.ts';

/** Where a path leads. The names are those of the path; `RequestInfo` has the same. */
export type Route =
  | { readonly to: 'groups' | 'group' | 'version' | 'index' | 'openapi-v2' | 'unknown-resource' | 'unknown-path' }
  | { readonly to: 'resources'; readonly version: ApiVersion }
  | { readonly to: 'list' | 'object'; readonly version: ApiVersion; readonly resource: 'nodes' | 'pods' }
  | { readonly to: 'openapi-v3'; readonly document: string };

const groupPath = `/apis/${apiGroup}`;

/**
 * Finds the route of a decoded path: exact and case-sensitive, slashes at the end tolerated below the API's own prefixes.
 * What is unknown below them is an unknown resource; everything else unknown is an unknown path, which is answered differently.
 */
export function findRoute(path: string): Route {
  if (path === '/apis' || path === '/apis/') return { to: 'groups' };
  if (isBelow(path, groupPath)) return groupRoute(path);
  if (isBelow(path, '/version')) return segments(path).length === 1 ? { to: 'version' } : { to: 'unknown-resource' };
  if (path === '/openapi/v2') return { to: 'openapi-v2' };
  if (path === '/openapi/v3' || path.startsWith('/openapi/v3/'))
    return { to: 'openapi-v3', document: path.slice('/openapi/v3/'.length) };
  return { to: path === '/' || path === '/index.html' ? 'index' : 'unknown-path' };
}

function groupRoute(path: string): Route {
  const [, , versionName, ...rest] = segments(path);
  if (versionName === undefined) return { to: 'group' };
  const version = apiVersions.find((known) => known === versionName);
  if (version === undefined) return { to: 'unknown-resource' };
  if (rest.length === 0) return { to: 'resources', version };
  const namespaced = rest[0] === 'namespaces' && rest.length > 2;
  const [resource, name, ...deeper] = namespaced ? rest.slice(2) : rest;
  if (deeper.length > 0) return { to: 'unknown-resource' };
  if (resource === 'nodes' && !namespaced) return { to: name === undefined ? 'list' : 'object', version, resource };
  if (resource === 'pods' && name === undefined) return { to: 'list', version, resource };
  if (resource === 'pods' && namespaced) return { to: 'object', version, resource };
  return { to: 'unknown-resource' };
}

/** At `prefix` or below it, at a boundary between segments. */
function isBelow(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/');
}

function segments(path: string): string[] {
  return path.replace(/^\/+|\/+$/g, '').split('/');
}
