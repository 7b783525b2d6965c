import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify, SignJWT, type JSONWebKeySet, type JWK } from 'jose';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../model/clock.ts';
import { identityOf, people, type Identity } from './identity.ts';
import { randomUid, seededRandom, textSeed } from './seeded-random.ts';

/** The issuer and the audience of the simulated cluster's service-account tokens. */
export const issuer = 'https://kubernetes.default.svc';

type Key = Parameters<SignJWT['sign']>[0];

/** Issues and checks bearer tokens shaped like those of Kubernetes' service accounts (ES256). */
export class TokenIssuer {
  readonly #clock: Clock;
  readonly #key: Key;
  readonly #jwk: JWK;
  readonly #refused = new Set<string>();
  /** Good tokens with their end, in ms: kubelets see the same few again and again. */
  readonly #known = new LRUCache<string, { readonly identity: Identity; readonly end: number }>({ max: 1000 });

  private constructor(clock: Clock, key: Key, jwk: JWK) {
    this.#clock = clock;
    this.#key = key;
    this.#jwk = jwk;
  }

  static async create(clock: Clock): Promise<TokenIssuer> {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: 'sim-1', use: 'sig', alg: 'ES256' };
    return new TokenIssuer(clock, privateKey, jwk);
  }

  /** The document at `/openid/v1/jwks`. */
  get keys(): JSONWebKeySet {
    return { keys: [this.#jwk] };
  }

  /** A token for a user or service account, valid for `lifetime` seconds from now; a negative one has expired already. */
  async issue(username: string, lifetime = 365 * 86_400): Promise<string> {
    const now = Math.floor(this.#clock.now() / 1000);
    const [, kind, namespace, name] = username.split(':');
    const uid = randomUid(seededRandom(textSeed(username)));
    const account = kind === 'serviceaccount' ? { 'kubernetes.io': { namespace, serviceaccount: { name, uid } } } : {};
    const expires = now + lifetime;
    const issued = Math.min(now, expires - 1);
    return await new SignJWT({ ...account, jti: randomUid(seededRandom(textSeed(`${username}${expires}`))) })
      .setProtectedHeader({ alg: 'ES256', kid: 'sim-1' })
      .setIssuer(issuer)
      .setAudience(issuer)
      .setSubject(username)
      .setIssuedAt(issued)
      .setNotBefore(issued)
      .setExpirationTime(expires)
      .sign(this.#key);
  }

  /** Makes a token worthless, as deleting its service account does. */
  revoke(token: string): void {
    this.#refused.add(token);
  }

  /** Whose token it is, or undefined when it is not valid now. */
  async verify(token: string): Promise<Identity | undefined> {
    if (this.#refused.has(token)) return undefined;
    const known = this.#known.get(token);
    if (known !== undefined) return this.#clock.now() < known.end ? known.identity : undefined;
    try {
      const currentDate = new Date(this.#clock.now());
      const keys = createLocalJWKSet(this.keys);
      const { payload } = await jwtVerify(token, keys, { issuer, audience: issuer, currentDate });
      const { sub, exp } = payload;
      if (sub === undefined || exp === undefined) return undefined;
      const identity = identityOf(sub, people[sub]);
      this.#known.set(token, { identity, end: exp * 1000 });
      return identity;
    } catch {
      return undefined;
    }
  }
}
