import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { unauthorized } from '../../wire/status.ts';
import { anonymous, identityOf, people, type Identity } from '../identity.ts';
import type { TokenIssuer } from '../token-issuer.ts';

/**
 * Who sent a request: a client certificate of the cluster authority, else a bearer token, else nobody in particular.
 * `system:masters` may act as somebody else by `Impersonate-User` and `Impersonate-Group`.
 * @throws StatusError 401 for a certificate or token that is not good
 */
export async function authenticate(request: IncomingMessage, tokens: TokenIssuer): Promise<Identity> {
  const identity = certificateIdentity(request) ?? (await tokenIdentity(request, tokens)) ?? anonymous;
  const [user] = request.headersDistinct['impersonate-user'] ?? [];
  if (user === undefined || !identity.groups.includes('system:masters')) return identity;
  return identityOf(user, request.headersDistinct['impersonate-group'] ?? people[user]);
}

/**
 * Whom a request's client certificate names, if there is one.
 * @throws StatusError 401 for a certificate of another authority
 */
export function certificateIdentity({ socket }: IncomingMessage): Identity | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const { subject } = socket.getPeerCertificate();
  const [name] = [subject?.CN ?? []].flat();
  if (name === undefined) return undefined;
  if (!socket.authorized) throw unauthorized();
  return identityOf(name, [subject.O ?? []].flat());
}

async function tokenIdentity(request: IncomingMessage, tokens: TokenIssuer): Promise<Identity | undefined> {
  const token = bearerToken(request);
  if (token === undefined) return undefined;
  const identity = await tokens.verify(token);
  if (identity === undefined) throw unauthorized();
  return identity;
}

/** The token that a request carries, good or not. */
export function bearerToken({ headers }: IncomingMessage): string | undefined {
  return /^bearer\s+(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1];
}
