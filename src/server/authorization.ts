import { createHash } from 'node:crypto';
import type { LRUCache } from 'lru-cache';
import { KubetallyError, messageChain } from '../model/errors.ts';
import type { Milliseconds } from '../model/units.ts';
import { Transitions } from '../telemetry/transitions.ts';
import type { AccessAttributes } from './access-attributes.ts';
import { accessReviewSpec, clientChosenLength, type AccessReviewSpec } from './access-review.ts';
import { Reviewer, type ReviewDependencies } from './review-client.ts';
import { isTrueAt, objectAt, textAt } from './review-fields.ts';
import { mastersGroup, type UserInfo } from './user.ts';
import { createVerdictCache } from './verdict-cache.ts';

/** `unavailable`: the API server could not be asked whether the user may. */
export class AuthorizationError extends KubetallyError<'unavailable'> {}

/** `no-opinion`: nobody allowed it, and nobody denied it expressly either; it is refused as well. */
export type Verdict = 'allowed' | 'denied' | 'no-opinion';

export interface Decision {
  readonly verdict: Verdict;
  /** The reviewer's words; empty when it gave none. */
  readonly reason: string;
}

export interface AuthorizationOptions {
  /** Paths open to everybody: exact, or with a trailing `*` for a prefix; a leading slash may be left out. */
  readonly alwaysAllowPaths: readonly string[];
  /** How long an allowing verdict is remembered; 0 means not at all. */
  readonly allowedTtl: Milliseconds;
  /** How long any other verdict is remembered; 0 means not at all. */
  readonly deniedTtl: Milliseconds;
  readonly cacheSize: number;
}

const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
/** Of what the client chose; longer questions are asked every time. */
const maxCachedLength = 10_000;
const allowedAtOnce: Decision = { verdict: 'allowed', reason: '' };

/**
 * Decides what a user may do, in Kubernetes' order: members of `system:masters` everything, anybody the always-allowed paths, the rest by the API server's
 * SubjectAccessReview. Verdicts are remembered under a hash of the whole question; failures to ask are not.
 */
export class Authorization {
  readonly #options: AuthorizationOptions;
  readonly #deps: ReviewDependencies;
  readonly #reviewer: Reviewer;
  readonly #outages: Transitions;
  readonly #exactPaths: ReadonlySet<string>;
  readonly #pathPrefixes: readonly string[];
  readonly #decisions: LRUCache<string, Decision, AccessReviewSpec>;

  constructor(options: AuthorizationOptions, deps: ReviewDependencies) {
    this.#options = options;
    this.#deps = deps;
    this.#reviewer = new Reviewer(path, deps);
    this.#outages = new Transitions(deps.log, deps.clock);
    const paths = options.alwaysAllowPaths.map((allowed) => (allowed.startsWith('/') ? allowed : `/${allowed}`));
    this.#exactPaths = new Set(paths.filter((allowed) => !allowed.endsWith('*')));
    this.#pathPrefixes = paths.filter((allowed) => allowed.endsWith('*')).map((allowed) => allowed.slice(0, -1));
    this.#decisions = createVerdictCache<Decision, AccessReviewSpec>({
      size: options.cacheSize,
      clock: deps.clock,
      ask: async (spec) => await this.#review(spec),
      lifetime: (decision) => this.#lifetime(decision),
    });
  }

  /** The decision, at once where nobody has to be asked. Rejects with `AuthorizationError`. */
  authorize(user: UserInfo, info: AccessAttributes): Decision | Promise<Decision> {
    if (user.groups.includes(mastersGroup)) return allowedAtOnce;
    if (!info.isResourceRequest && this.#isOpen(info.path)) return allowedAtOnce;
    const spec = accessReviewSpec(user, info);
    if (clientChosenLength(user, info) > maxCachedLength) return this.#review(spec);
    const key = createHash('sha256').update(JSON.stringify(spec)).digest('base64');
    const known = this.#decisions.get(key);
    this.#deps.onCache?.(known !== undefined);
    return known ?? this.#ask(key, spec);
  }

  /** Every verdict is asked for again. */
  forgetVerdicts(): void {
    this.#decisions.clear();
  }

  #isOpen(requested: string): boolean {
    return this.#exactPaths.has(requested) || this.#pathPrefixes.some((prefix) => requested.startsWith(prefix));
  }

  async #ask(key: string, spec: AccessReviewSpec): Promise<Decision> {
    const decision = (await this.#decisions.fetch(key, { context: spec })) ?? (await this.#review(spec));
    // To lru-cache a lifetime of 0 means for ever.
    if (this.#lifetime(decision) <= 0) this.#decisions.delete(key);
    return decision;
  }

  #lifetime(decision: Decision): number {
    return decision.verdict === 'allowed' ? this.#options.allowedTtl : this.#options.deniedTtl;
  }

  async #review(spec: AccessReviewSpec): Promise<Decision> {
    const body = { kind: 'SubjectAccessReview', apiVersion: 'authorization.k8s.io/v1', metadata: {}, spec };
    let answer: unknown;
    try {
      answer = await this.#reviewer.post(body);
    } catch (cause) {
      this.#outages.failed(path, cause, 'SubjectAccessReview failed');
      throw new AuthorizationError('unavailable', messageChain(cause), { cause });
    }
    this.#outages.recovered(path, 'SubjectAccessReview works again');
    const status = objectAt(answer, 'status');
    if (status === undefined) {
      throw new AuthorizationError('unavailable', 'SubjectAccessReview answered without a status');
    }
    return { verdict: verdictOf(status), reason: textAt(status, 'reason') };
  }
}

function verdictOf(status: object): Verdict {
  if (isTrueAt(status, 'denied')) return 'denied';
  return isTrueAt(status, 'allowed') ? 'allowed' : 'no-opinion';
}
