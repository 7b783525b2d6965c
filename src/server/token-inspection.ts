import { decodeJwt, decodeProtectedHeader } from 'jose';
import { messageChain } from '../model/errors.ts';
import { epochMs, type EpochMs } from '../model/units.ts';
import { AuthenticationError } from './authentication-error.ts';
import { textAt } from './review-fields.ts';

/** What a token says about itself; none of it is proved. */
export interface TokenClaims {
  readonly issuer: string;
  /** `exp`; undefined when the token does not expire. */
  readonly expiresAt: EpochMs | undefined;
}

/** Longer ones are no token of Kubernetes. */
const maxTokenLength = 64 * 1024;
/** Printable ASCII: RFC 6750's alphabet, and room for what authenticating webhooks made up. */
const tokenText = /^[\x21-\x7e]+$/;
/** How far the issuer's clock may be ahead of ours. */
const notBeforeTolerance = 60_000;
const unsecured = new Set(['none', '']);

/**
 * Reads a token before it costs a round trip. Undefined when it is no JWT: then only TokenReview can judge it.
 * Throws `AuthenticationError` `token` when it is malformed, unsigned, expired or not yet valid.
 */
export function inspectToken(token: string, now: EpochMs): TokenClaims | undefined {
  if (token.length > maxTokenLength) throw refuse('the token is too long');
  if (!tokenText.test(token)) throw refuse('the token has characters that no token has');
  if (!looksLikeJwt(token)) return undefined;
  const { algorithm, claims } = decode(token);
  if (unsecured.has(algorithm.toLowerCase())) throw refuse('the token is not signed');
  const expiresAt = instant(claims['exp'], 'exp');
  if (expiresAt !== undefined && now >= expiresAt) throw refuse('the token has expired');
  const notBefore = instant(claims['nbf'], 'nbf');
  if (notBefore !== undefined && now + notBeforeTolerance < notBefore) throw refuse('the token is not valid yet');
  return { issuer: textAt(claims, 'iss'), expiresAt };
}

/** The first part is a JSON object, or at least begins like one. An encrypted token (JWE) says nothing that we could read. */
function looksLikeJwt(token: string): boolean {
  const [header = '', ...rest] = token.split('.');
  try {
    const fields: unknown = JSON.parse(Buffer.from(header, 'base64url').toString());
    return typeof fields === 'object' && fields !== null && !('enc' in fields);
  } catch {
    // `{"` in base64url.
    return header.startsWith('eyJ') && rest.length === 2;
  }
}

function decode(token: string): { algorithm: string; claims: Readonly<Record<string, unknown>> } {
  try {
    const { alg } = decodeProtectedHeader(token);
    return { algorithm: typeof alg === 'string' ? alg : '', claims: decodeJwt(token) };
  } catch (cause) {
    throw refuse(`the token is malformed: ${messageChain(cause)}`, cause);
  }
}

/** RFC 7519's NumericDate: seconds since the epoch. */
function instant(value: unknown, claim: string): EpochMs | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !Number.isFinite(value)) throw refuse(`the token's ${claim} is not a number`);
  return epochMs(value * 1000);
}

function refuse(message: string, cause?: unknown): AuthenticationError {
  return new AuthenticationError('token', message, { cause });
}
