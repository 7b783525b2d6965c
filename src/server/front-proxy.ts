import type { RequestHeaderSettings } from './authentication-settings.ts';
import { AuthenticationError } from './authentication-error.ts';
import type { Connection } from './connection.ts';
import { extraOf, firstValueOf, valuesOf, type RawHeaders } from './raw-headers.ts';
import type { PeerVerdicts } from './peer-verdicts.ts';
import type { UserInfo } from './user.ts';

/**
 * Reads the user that a front proxy names in request headers, as `k8s.io/apiserver/pkg/authentication/request/headerrequest` does. Undefined when the
 * connection shows no certificate or no user is named. Throws `AuthenticationError` when the certificate is not the proxy's.
 */
export function frontProxyUser(
  connection: Connection,
  rawHeaders: RawHeaders,
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

function namedUser(rawHeaders: RawHeaders, settings: RequestHeaderSettings): UserInfo | undefined {
  const name = firstOf(rawHeaders, settings.usernameHeaders);
  if (name === '') return undefined;
  const groups = settings.groupHeaders.flatMap((header) => valuesOf(rawHeaders, header));
  const extra = extraOf(rawHeaders, settings.extraHeaderPrefixes);
  return { name, uid: firstOf(rawHeaders, settings.uidHeaders), groups, extra };
}

/** The first value of the first header that has one which is not empty. */
function firstOf(rawHeaders: RawHeaders, headers: readonly string[]): string {
  for (const header of headers) {
    const value = firstValueOf(rawHeaders, header);
    if (value !== '') return value;
  }
  return '';
}
