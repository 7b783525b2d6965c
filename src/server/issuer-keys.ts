import { createLocalJWKSet, errors, jwtVerify, type JSONWebKeySet, type LocalJWKSet } from 'jose';
import { unlessAborted } from '../model/abort.ts';
import type { Clock } from '../model/clock.ts';
import { messageChain } from '../model/errors.ts';
import { seconds, type MonotonicMs } from '../model/units.ts';
import type { Logger } from '../telemetry/log.ts';
import { AuthenticationError } from './authentication-error.ts';
import { objectAt, textAt } from './review-fields.ts';

/** The API server's discovery of its own token issuer (role `system:service-account-issuer-discovery`). */
export interface IssuerDiscovery {
  /** Gets the JSON at a path. */
  get(path: string, signal: AbortSignal): Promise<unknown>;
}

export interface IssuerKeysDependencies {
  readonly discovery: IssuerDiscovery;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Issuer {
  readonly name: string;
  readonly keys: LocalJWKSet;
}

const configurationPath = '/.well-known/openid-configuration';
const keysPath = '/openid/v1/jwks';
/** Keys are asked for again after this time, so that retired ones are forgotten. */
const keyLifetime = seconds(300);
/** Between two attempts to get keys, however many tokens name an unknown one. */
const refetchPause = seconds(10);
const callTimeout = seconds(5);
/** Every algorithm with a private key that Kubernetes or an OIDC provider signs with. */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** What is wrong with a token, not with a key. */
const faults = [
  errors.JWSSignatureVerificationFailed,
  errors.JOSEAlgNotAllowed,
  errors.JWSInvalid,
  errors.JWTInvalid,
  errors.JWTExpired,
  errors.JWTClaimValidationFailed,
];

/**
 * Verifies tokens that claim to come from the cluster's own issuer against the keys that the API server publishes. It only refuses: a token that
 * verifies may have been revoked since, which TokenReview knows.
 */
export class IssuerKeys {
  readonly #deps: IssuerKeysDependencies;
  #issuer: Issuer | undefined;
  #askedAt: MonotonicMs | undefined;
  #asking: Promise<void> | undefined;
  #problem = '';

  constructor(deps: IssuerKeysDependencies) {
    this.#deps = deps;
  }

  /**
   * Rejects with `AuthenticationError` `token` when the issuer is the cluster's and the signature is not. Resolves for tokens of other issuers, and
   * when the keys cannot be had or do not decide.
   */
  async check(token: string, claimedIssuer: string): Promise<void> {
    // Newer keys can be waited for once a token names one of them.
    if (this.#issuer === undefined) await this.#refresh(refetchPause);
    else void this.#refresh(keyLifetime);
    if (this.#issuer?.name !== claimedIssuer) return;
    if ((await this.#verify(token, this.#issuer)) !== 'unknown key') return;
    const asked = this.#askedAt;
    await this.#refresh(refetchPause);
    if (this.#issuer.name !== claimedIssuer || this.#askedAt === asked) return;
    if ((await this.#verify(token, this.#issuer)) === 'unknown key')
      throw forged('it names a key the issuer does not have');
  }

  async #verify(token: string, issuer: Issuer): Promise<'verified' | 'unknown key' | 'undecided'> {
    try {
      await jwtVerify(token, issuer.keys, {
        algorithms,
        currentDate: new Date(this.#deps.clock.now()),
        clockTolerance: 60,
      });
      return 'verified';
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey) return 'unknown key';
      if (faults.some((fault) => error instanceof fault)) throw forged(messageChain(error), error);
      // Several keys match, or the one that does is of a kind that cannot be used here.
      return 'undecided';
    }
  }

  /** Gets issuer and keys unless that was tried less than `age` ago. Never rejects. */
  async #refresh(age: number): Promise<void> {
    const now = this.#deps.clock.monotonic();
    if (this.#askedAt !== undefined && now - this.#askedAt < age && this.#asking === undefined) return;
    this.#asking ??= this.#ask().finally(() => (this.#asking = undefined));
    await this.#asking;
  }

  async #ask(): Promise<void> {
    this.#askedAt = this.#deps.clock.monotonic();
    try {
      const name = textAt(await this.#get(configurationPath), 'issuer');
      const document = await this.#get(keysPath);
      if (name === '' || objectAt({ document }, 'document') === undefined) throw new Error('the answer has no issuer');
      this.#issuer = { name, keys: createLocalJWKSet(document as JSONWebKeySet) };
      this.#problem = '';
    } catch (error) {
      const problem = messageChain(error);
      if (problem === this.#problem) return;
      this.#problem = problem;
      this.#deps.log.verbose(1, 'Cannot get the keys of the token issuer, tokens are left to TokenReview', { problem });
    }
  }

  async #get(path: string): Promise<unknown> {
    const controller = new AbortController();
    const timer = this.#deps.clock.after(callTimeout, () =>
      controller.abort(new Error(`${path} was not answered in 5s`)),
    );
    try {
      return await unlessAborted(this.#deps.discovery.get(path, controller.signal), controller.signal);
    } finally {
      timer.cancel();
    }
  }
}

function forged(why: string, cause?: unknown): AuthenticationError {
  return new AuthenticationError('token', `the token is not from the cluster's issuer: ${why}`, { cause });
}
