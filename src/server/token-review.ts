import { createHmac } from 'node:crypto';
import type { LRUCache } from 'lru-cache';
import { messageChain } from '../model/errors.ts';
import type { EpochMs, Milliseconds } from '../model/units.ts';
import { Transitions } from '../telemetry/transitions.ts';
import { AuthenticationError } from './authentication-error.ts';
import type { TokenAuthenticator } from './authentication.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import { Reviewer, type ReviewDependencies } from './review-client.ts';
import { isTrueAt, objectAt, textAt, textsAt } from './review-fields.ts';
import { inspectToken } from './token-inspection.ts';
import { extraMap, type UserInfo } from './user.ts';
import { createVerdictCache } from './verdict-cache.ts';

export interface TokenReviewOptions {
  /** Of which a token must name one; empty leaves it to the API server. */
  readonly audiences: readonly string[];
  /** How long a verdict is remembered, either way; 0 means not at all. */
  readonly cacheTtl: Milliseconds;
  readonly cacheSize: number;
}

export interface TokenReviewDependencies extends ReviewDependencies {
  /** Undefined: no token is verified here, all go to TokenReview. */
  readonly issuerKeys: IssuerKeys | undefined;
  /** Key of the hash under which tokens are remembered, 32 random bytes. */
  readonly hashKey: Uint8Array;
}

interface Verdict {
  readonly user: UserInfo | undefined;
  readonly refusal: string;
  /** Of the token itself; no verdict is used after it. */
  readonly expiresAt: EpochMs | undefined;
}

interface Question {
  readonly token: string;
  readonly expiresAt: EpochMs | undefined;
}

const path = '/apis/authentication.k8s.io/v1/tokenreviews';

/**
 * Bearer tokens, judged by the API server's TokenReview. What a token says about itself is read first, so that most bad ones cost no round trip. Both
 * verdicts are remembered for a short time, never beyond the token's own end, under a keyed hash; failures to ask are not remembered.
 */
export class TokenReviewer implements TokenAuthenticator {
  readonly #options: TokenReviewOptions;
  readonly #deps: TokenReviewDependencies;
  readonly #reviewer: Reviewer;
  readonly #outages: Transitions;
  readonly #verdicts: LRUCache<string, Verdict, Question>;

  constructor(options: TokenReviewOptions, deps: TokenReviewDependencies) {
    this.#options = options;
    this.#deps = deps;
    this.#reviewer = new Reviewer(path, deps);
    this.#outages = new Transitions(deps.log, deps.clock);
    this.#verdicts = createVerdictCache<Verdict, Question>({
      size: options.cacheSize,
      clock: deps.clock,
      ask: async (question) => await this.#review(question),
      lifetime: (verdict) => Math.max(1, this.#lifetime(verdict)),
    });
  }

  async authenticate(token: string): Promise<UserInfo> {
    const verdict = await this.#verdict(token);
    if (verdict.user === undefined) throw new AuthenticationError('token', verdict.refusal);
    return verdict.user;
  }

  /** Every verdict is asked for again. */
  forgetVerdicts(): void {
    this.#verdicts.clear();
  }

  async #verdict(token: string): Promise<Verdict> {
    const now = this.#deps.clock.now();
    const key = createHmac('sha256', this.#deps.hashKey).update(token).digest('base64');
    const known = this.#verdicts.get(key);
    const hit = known !== undefined && (known.expiresAt === undefined || now < known.expiresAt);
    this.#deps.onCache?.(hit);
    if (hit) return known;
    const claims = inspectToken(token, now);
    if (claims !== undefined) await this.#deps.issuerKeys?.check(token, claims.issuer);
    const question: Question = { token, expiresAt: claims?.expiresAt };
    if (this.#options.cacheTtl <= 0) return await this.#review(question);
    return (await this.#verdicts.fetch(key, { context: question })) ?? (await this.#review(question));
  }

  #lifetime({ expiresAt }: Verdict): number {
    const { cacheTtl } = this.#options;
    return expiresAt === undefined ? cacheTtl : Math.min(cacheTtl, expiresAt - this.#deps.clock.now());
  }

  async #review({ token, expiresAt }: Question): Promise<Verdict> {
    const { audiences } = this.#options;
    const spec = audiences.length === 0 ? { token } : { token, audiences };
    const body = { kind: 'TokenReview', apiVersion: 'authentication.k8s.io/v1', metadata: {}, spec };
    let answer: unknown;
    try {
      answer = await this.#reviewer.post(body);
    } catch (cause) {
      this.#outages.failed(path, cause, 'TokenReview failed');
      throw new AuthenticationError('unavailable', `TokenReview failed: ${messageChain(cause)}`, { cause });
    }
    this.#outages.recovered(path, 'TokenReview works again');
    const status = objectAt(answer, 'status');
    if (status === undefined) throw new AuthenticationError('unavailable', 'TokenReview answered without a status');
    if (!isTrueAt(status, 'authenticated')) {
      return { user: undefined, refusal: textAt(status, 'error') || 'the token was refused', expiresAt };
    }
    if (audiences.length > 0 && !textsAt(status, 'audiences').some((audience) => audiences.includes(audience))) {
      return { user: undefined, refusal: 'the token is for another audience', expiresAt };
    }
    return { user: readUser(objectAt(status, 'user')), refusal: '', expiresAt };
  }
}

function readUser(user: Readonly<Record<string, unknown>> | undefined): UserInfo {
  const name = textAt(user, 'username');
  if (name === '') throw new AuthenticationError('unavailable', 'TokenReview answered without a user name');
  const extra = extraMap();
  const given = objectAt(user, 'extra') ?? {};
  for (const key of Object.keys(given)) extra[key] = [...textsAt(given, key)];
  return { name, uid: textAt(user, 'uid'), groups: textsAt(user, 'groups'), extra };
}
