import { quote } from '../model/quote.ts';
import { badRequest } from '../wire/status.ts';
import type { AccessAttributes } from './access-attributes.ts';
import { AuthorizationError, type Decision } from './authorization.ts';
import type { ServerRequest } from './connection.ts';
import { forbidden } from './forbidden.ts';
import { dropHeaders, extraOf, firstValueOf, valuesOf } from './raw-headers.ts';
import { serviceAccountGroups, splitServiceAccount } from './service-account.ts';
import { anonymous, authenticatedGroup, unauthenticatedGroup, withGroup, type UserInfo } from './user.ts';

/**
 * Takes the impersonation headers off a request: whom its sender wants to act as, nothing added yet. Undefined when there are none.
 * @throws {StatusError} 400 when they name no user.
 */
export function takeImpersonation(request: ServerRequest): UserInfo | undefined {
  const { rawHeaders } = request;
  const wanted: UserInfo = {
    name: firstValueOf(rawHeaders, 'impersonate-user'),
    uid: firstValueOf(rawHeaders, 'impersonate-uid'),
    groups: valuesOf(rawHeaders, 'impersonate-group'),
    extra: extraOf(rawHeaders, ['impersonate-extra-']),
  };
  dropHeaders(request, (header) => header.startsWith('impersonate-'));
  if (wanted.name !== '') return wanted;
  if (wanted.uid === '' && wanted.groups.length === 0 && Object.keys(wanted.extra).length === 0) return undefined;
  throw badRequest(`requested ${goSyntax(wanted)} without impersonating a user name`);
}

/**
 * The user that `requestor` acts as from now on, once it is known that it may impersonate the name, the uid, every group and every extra value
 * (`k8s.io/apiserver/pkg/endpoints/filters/impersonation`, the verb `impersonate`). One question after the other; the first refusal ends it.
 * @throws {StatusError} 403, also when nobody can be asked.
 */
export async function impersonate(
  requestor: UserInfo,
  wanted: UserInfo,
  authorize: (user: UserInfo, attributes: AccessAttributes) => Decision | Promise<Decision>,
): Promise<UserInfo> {
  for (const attributes of questions(wanted)) {
    const { verdict, reason } = await decide(authorize, requestor, attributes);
    if (verdict !== 'allowed') throw forbidden(requestor, attributes, reason);
  }
  return completed(wanted);
}

async function decide(
  authorize: (user: UserInfo, attributes: AccessAttributes) => Decision | Promise<Decision>,
  requestor: UserInfo,
  attributes: AccessAttributes,
): Promise<Decision> {
  try {
    return await authorize(requestor, attributes);
  } catch (error) {
    if (error instanceof AuthorizationError) return { verdict: 'no-opinion', reason: error.message };
    throw error;
  }
}

function* questions({ name, uid, groups, extra }: UserInfo): Generator<AccessAttributes> {
  const account = splitServiceAccount(name);
  if (account === undefined) yield question({ resource: 'users', name });
  else yield question({ resource: 'serviceaccounts', ...account });
  if (uid !== '') yield question({ apiGroup: 'authentication.k8s.io', resource: 'uids', name: uid });
  for (const group of groups) yield question({ resource: 'groups', name: group });
  for (const subresource of Object.keys(extra)) {
    for (const value of extra[subresource] ?? [])
      yield question({ apiGroup: 'authentication.k8s.io', resource: 'userextras', subresource, name: value });
  }
}

function question(about: Pick<AccessAttributes, 'resource' | 'name'> & Partial<AccessAttributes>): AccessAttributes {
  return {
    isResourceRequest: true,
    verb: 'impersonate',
    path: '',
    apiGroup: '',
    apiVersion: 'v1',
    namespace: '',
    subresource: '',
    labelSelector: '',
    fieldSelector: '',
    ...about,
  };
}

/** With the groups that nobody has to ask for: those of a service account when none are given, and that of the authenticated or of the others. */
function completed(wanted: UserInfo): UserInfo {
  const account = splitServiceAccount(wanted.name);
  const groups =
    wanted.groups.length === 0 && account !== undefined ? serviceAccountGroups(account.namespace) : wanted.groups;
  const user = { ...wanted, groups };
  if (user.name === anonymous.name) return withGroup(user, unauthenticatedGroup);
  return groups.includes(unauthenticatedGroup) ? user : withGroup(user, authenticatedGroup);
}

/** The text that Kubernetes answers with shows a Go value. */
function goSyntax({ name, uid, groups, extra }: UserInfo): string {
  const list = (values: readonly string[]): string => `[]string{${values.map(quote).join(', ')}}`;
  const keys = Object.keys(extra).sort();
  const pairs = keys.map((key) => `${quote(key)}:${list(extra[key] ?? [])}`).join(', ');
  return (
    `&user.DefaultInfo{Name:${quote(name)}, UID:${quote(uid)}, Groups:${groups.length === 0 ? '[]string(nil)' : list(groups)}, ` +
    `Extra:map[string][]string${keys.length === 0 ? '(nil)' : `{${pairs}}`}}`
  );
}
