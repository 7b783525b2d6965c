import { exactField } from '../kube/selectors/field-selector.ts';
import { trimCharacter } from '../model/trim.ts';
import type { AccessAttributes } from './access-attributes.ts';
import { decodeListOptions } from './list-options.ts';
import { firstValue, isTrue, parseRequestTarget, type Query } from './request-target.ts';

/**
 * What a request is about, decided once and used for authorization and for serving alike.
 * Absent parts are the empty string. The rules are those of k8s.io/apiserver's `RequestInfoFactory`.
 */
export interface RequestInfo extends AccessAttributes {
  /** The method as sent, upper case. */
  readonly method: string;
  readonly query: Query;
}

/** Undefined when the request line cannot be read; see `parseRequestTarget` for the answer that is due. */
export function parseRequestInfo(method: string, target: string): RequestInfo | undefined {
  const parsed = parseRequestTarget(target);
  if (parsed === undefined) return undefined;
  const { path, query } = parsed;
  const parts = trimCharacter(path, '/').split('/');
  const groupless = parts[0] === 'api';
  if ((!groupless && parts[0] !== 'apis') || parts.length < (groupless ? 3 : 4))
    return pathRequest(method, path, query);
  const apiGroup = groupless ? '' : (parts[1] ?? '');
  const [apiVersion = '', ...rest] = parts.slice(groupless ? 1 : 2);
  return resourceRequest(method, path, query, apiGroup, apiVersion, rest);
}

function pathRequest(method: string, path: string, query: Query): RequestInfo {
  return {
    method,
    path,
    query,
    isResourceRequest: false,
    verb: method.toLowerCase(),
    apiGroup: '',
    apiVersion: '',
    namespace: '',
    resource: '',
    subresource: '',
    name: '',
    labelSelector: '',
    fieldSelector: '',
  };
}

const methodVerbs: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** `parts` are those after the version, at least one. */
function resourceRequest(
  method: string,
  path: string,
  query: Query,
  apiGroup: string,
  apiVersion: string,
  parts: readonly string[],
): RequestInfo {
  let verb = Object.hasOwn(methodVerbs, method) ? (methodVerbs[method] ?? '') : '';
  let rest = parts;
  let selectable = true;
  const [first] = parts;
  // `/watch/...` and `/proxy/...` name the verb in the path.
  if ((first === 'watch' || first === 'proxy') && parts.length > 1) {
    verb = first;
    rest = parts.slice(1);
    selectable = false;
  }
  let namespace = '';
  if (rest[0] === 'namespaces' && rest.length > 1) {
    namespace = rest[1] ?? '';
    // `status` and `finalize` are subresources of the namespace itself.
    if (rest.length > 2 && rest[2] !== 'status' && rest[2] !== 'finalize') rest = rest.slice(2);
  }
  const [resource = '', ownName = '', subresource = ''] = rest;
  let name = ownName;
  if (name === '' && verb === 'get') {
    verb = isTrue(firstValue(query, 'watch')) ? 'watch' : 'list';
    name = selectedName(query);
  }
  if (name === '' && verb === 'delete') verb = 'deletecollection';
  const selects = selectable && (verb === 'list' || verb === 'watch' || verb === 'deletecollection');
  return {
    method,
    path,
    query,
    isResourceRequest: true,
    verb,
    apiGroup,
    apiVersion,
    namespace,
    resource,
    subresource: verb === 'proxy' ? '' : subresource,
    name,
    labelSelector: selects ? (firstValue(query, 'labelSelector') ?? '') : '',
    fieldSelector: selects ? (firstValue(query, 'fieldSelector') ?? '') : '',
  };
}

/** The object that `fieldSelector=metadata.name=x` narrows a collection to, when `x` can be a path segment. */
function selectedName(query: Query): string {
  if (!query.has('fieldSelector')) return '';
  try {
    const name = exactField(decodeListOptions(query).fieldSelector, 'metadata.name') ?? '';
    return name === '.' || name === '..' || /[/%]/.test(name) ? '' : name;
  } catch {
    // The list itself will refuse such options; until then the request is one for the whole collection.
    return '';
  }
}
