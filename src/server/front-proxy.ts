import type { RequestHeaderSettings } from './authentication-settings.ts';
import { AuthenticationError } from './authentication-error.ts';
import type { Connection } from './connection.ts';
import type { PeerVerdicts } from './peer-verdicts.ts';
import { extraMap, type UserInfo } from './user.ts';

/**
 * Reads the user that a front proxy names in request headers, as `k8s.io/apiserver/pkg/authentication/request/headerrequest` does. Undefined when the
 * connection shows no certificate or no user is named. Throws `AuthenticationError` when the certificate is not the proxy's.
 * @param rawHeaders names and values in turn, one pair per header line: values are never joined or split.
 */
export function frontProxyUser(
  connection: Connection,
  rawHeaders: readonly string[],
  settings: RequestHeaderSettings,
  verdicts: PeerVerdicts,
): UserInfo | undefined {
  const { peer } = connection;
  if (peer === undefined) return undefined;
  const { commonName } = verdicts.verify(peer, settings.authorities);
  if (settings.allowedNames.length > 0 && !settings.allowedNames.includes(commonName)) {
    throw new AuthenticationError('certificate', `x509: subject with cn=${commonName} is not in the allowed list`);
  }
  return namedUser(rawHeaders, settings);
}

function namedUser(rawHeaders: readonly string[], settings: RequestHeaderSettings): UserInfo | undefined {
  const name = firstValue(rawHeaders, settings.usernameHeaders);
  if (name === '') return undefined;
  const groups = settings.groupHeaders.flatMap((header) => valuesOf(rawHeaders, header));
  return { name, uid: firstValue(rawHeaders, settings.uidHeaders), groups, extra: extraOf(rawHeaders, settings) };
}

function extraOf(rawHeaders: readonly string[], settings: RequestHeaderSettings): UserInfo['extra'] {
  const extra = extraMap();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const header = (rawHeaders[at] ?? '').toLowerCase();
    for (const prefix of settings.extraHeaderPrefixes) {
      if (!header.startsWith(prefix)) continue;
      (extra[unescapeKey(header.slice(prefix.length))] ??= []).push(rawHeaders[at + 1] ?? '');
    }
  }
  return extra;
}

/** The first value of the first header that has one which is not empty. */
function firstValue(rawHeaders: readonly string[], headers: readonly string[]): string {
  for (const header of headers) {
    const value = valuesOf(rawHeaders, header)[0] ?? '';
    if (value !== '') return value;
  }
  return '';
}

function valuesOf(rawHeaders: readonly string[], header: string): string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === header) values.push(rawHeaders[at + 1] ?? '');
  }
  return values;
}

/** Keys are percent-encoded, for they may hold what a header name may not; one that cannot be decoded stays as it is. */
function unescapeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
