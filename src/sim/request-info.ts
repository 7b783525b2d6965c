import type { ListOptions } from './list-options.ts';
import type { Attributes } from './rbac.ts';

/** A request's path taken apart as the API server's `RequestInfo` does. */
export type RequestInfo =
  | {
      readonly kind: 'resource';
      readonly group: string;
      readonly version: string;
      readonly namespace: string | undefined;
      readonly plural: string;
      readonly name: string | undefined;
      readonly subresource: string | undefined;
    }
  | { readonly kind: 'path'; readonly path: string };

export function requestInfo(path: string): RequestInfo {
  const segments = path.split('/').slice(1).map(decode);
  const [root, group = '', version = ''] = segments;
  if (root === 'api' && segments.length > 2) return resource('', group, segments.slice(2), path);
  if (root === 'apis' && segments.length > 3) return resource(group, version, segments.slice(3), path);
  return { kind: 'path', path };
}

function resource(group: string, version: string, rest: readonly string[], path: string): RequestInfo {
  const namespaced = rest[0] === 'namespaces' && rest.length > 2 && rest[2] !== '';
  const [plural = '', name, subresource] = namespaced ? rest.slice(2) : rest;
  if (plural === '') return { kind: 'path', path };
  const namespace = namespaced ? rest[1] : undefined;
  const given = name === '' ? undefined : name;
  return { kind: 'resource', group, version, namespace, plural, name: given, subresource };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** What the caller wants, for the authorizer; `options` is given for requests without a name. */
export function attributesOf(info: RequestInfo, method: string, options: ListOptions | undefined): Attributes {
  if (info.kind === 'path') return { verb: method.toLowerCase(), path: info.path };
  const { group, plural, subresource, namespace } = info;
  const name = info.name ?? options?.name;
  return {
    verb: verbOf(method, info.name !== undefined, options?.watch === true),
    group,
    resource: plural,
    ...(subresource === undefined ? {} : { subresource }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
  };
}

/** What methods ask for, of a kubelet and of a named object. */
export const methodVerbs: Readonly<Record<string, string>> = {
  GET: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

function verbOf(method: string, named: boolean, watch: boolean): string {
  if (method === 'GET' || method === 'HEAD') return named ? 'get' : watch ? 'watch' : 'list';
  return method === 'DELETE' && !named ? 'deletecollection' : (methodVerbs[method] ?? '');
}

/** The message and details of a 403. */
export function forbiddenText(username: string, attributes: Attributes): string {
  if ('path' in attributes) return `forbidden: User "${username}" cannot ${attributes.verb} path "${attributes.path}"`;
  const { group, resource, subresource, name, namespace, verb } = attributes;
  const wanted = subresource === undefined ? resource : `${resource}/${subresource}`;
  const full = group === '' ? wanted : `${resource}.${group}`;
  const named = name === undefined ? full : `${full} "${name}"`;
  const scope = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  return `${named} is forbidden: User "${username}" cannot ${verb} resource "${wanted}" in API group "${group}" ${scope}`;
}
