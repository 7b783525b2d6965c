import type { Clock } from '../model/clock.ts';
import { AuthenticationError } from './authentication-error.ts';
import type { AuthenticationSettings } from './authentication-settings.ts';
import { ClientCertificates } from './client-certificate.ts';
import { connectionOf, type ServerRequest } from './connection.ts';
import { frontProxyUser } from './front-proxy.ts';
import { dropHeaders } from './raw-headers.ts';
import { PeerVerdicts } from './peer-verdicts.ts';
import { anonymous, withAuthenticatedGroup, type UserInfo } from './user.ts';

/** Judges bearer tokens; the token is not empty. Rejects with `AuthenticationError` when it is refused or cannot be judged. */
export interface TokenAuthenticator {
  authenticate(token: string): UserInfo | Promise<UserInfo>;
}

export interface AuthenticationDependencies {
  /** The settings as they are now. */
  readonly settings: () => AuthenticationSettings;
  /** Whether the settings have been read once. */
  readonly settingsLoaded: () => boolean;
  /** Undefined: tokens are no credential. */
  readonly tokens: TokenAuthenticator | undefined;
  /** How many tokens may be judged at once; more are refused. */
  readonly maxTokensInFlight: number;
  readonly clock: Clock;
}

/**
 * Finds out who sent a request, in Kubernetes' order: front-proxy headers, client certificate, bearer token; the first that succeeds wins, an error does not
 * stop the later ones. Anonymous is only who showed no credential at all: a refused one never becomes anonymous.
 */
export class Authentication {
  readonly #deps: AuthenticationDependencies;
  readonly #proxyVerdicts: PeerVerdicts;
  readonly #certificates: ClientCertificates;
  #judging = 0;

  constructor(deps: AuthenticationDependencies) {
    this.#deps = deps;
    this.#proxyVerdicts = new PeerVerdicts(deps.clock);
    this.#certificates = new ClientCertificates(new PeerVerdicts(deps.clock));
  }

  /** False until it is known whose word and whose certificates to believe. */
  get ready(): boolean {
    return this.#deps.settingsLoaded();
  }

  /**
   * The user, at once where a certificate decides it. Throws or rejects with the first `AuthenticationError` when every credential shown was refused.
   * Afterwards the request carries no credential and no identity header any more.
   */
  authenticate(request: ServerRequest): UserInfo | Promise<UserInfo> {
    const settings = this.#deps.settings();
    const token = bearerToken(request.headers.authorization);
    const verdict = this.#byCertificate(request, settings);
    dropHeaders(request, (header) => namesUser(header, settings));
    if ('name' in verdict) return verdict;
    if (token !== '' && this.#deps.tokens !== undefined)
      return this.#byToken(token, this.#deps.tokens, verdict.refusal);
    if (verdict.refusal !== undefined) throw verdict.refusal;
    return anonymous;
  }

  #byCertificate(request: ServerRequest, settings: AuthenticationSettings): UserInfo | { readonly refusal: unknown } {
    const connection = connectionOf(request);
    let refusal: unknown;
    try {
      const user =
        settings.requestHeader &&
        frontProxyUser(connection, request.rawHeaders, settings.requestHeader, this.#proxyVerdicts);
      if (user !== undefined) return withAuthenticatedGroup(user);
    } catch (error) {
      refusal = error;
    }
    try {
      const user = settings.clientAuthorities && this.#certificates.userOf(connection, settings.clientAuthorities);
      if (user !== undefined) return user;
    } catch (error) {
      refusal ??= error;
    }
    return { refusal };
  }

  async #byToken(token: string, tokens: TokenAuthenticator, refusal: unknown): Promise<UserInfo> {
    if (this.#judging >= this.#deps.maxTokensInFlight) {
      throw new AuthenticationError('overloaded', 'too many tokens are being judged');
    }
    this.#judging++;
    try {
      return withAuthenticatedGroup(await tokens.authenticate(token));
    } catch (error) {
      throw refusal ?? error;
    } finally {
      this.#judging--;
    }
  }
}

/** The token of `Authorization: Bearer <token>`; the scheme's case does not matter. Empty when there is none. */
function bearerToken(header: string | undefined): string {
  if (header === undefined) return '';
  const [scheme, token] = header.trim().split(' ', 2);
  return scheme?.toLowerCase() === 'bearer' ? (token ?? '').trim() : '';
}

/** Whether a header could name a user, whoever sent it. */
function namesUser(header: string, { requestHeader }: AuthenticationSettings): boolean {
  if (header === 'authorization' || header.startsWith('x-remote-')) return true;
  if (requestHeader === undefined) return false;
  return (
    requestHeader.usernameHeaders.includes(header) ||
    requestHeader.uidHeaders.includes(header) ||
    requestHeader.groupHeaders.includes(header) ||
    requestHeader.extraHeaderPrefixes.some((prefix) => header.startsWith(prefix))
  );
}
