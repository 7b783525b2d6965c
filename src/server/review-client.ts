import { sleep, type Clock } from '../model/clock.ts';
import { asError } from '../model/errors.ts';
import { milliseconds, seconds } from '../model/units.ts';
import type { Logger } from '../telemetry/log.ts';

/** The API server as the reviews need it. */
export interface ReviewClient {
  /**
   * Posts an object and gives the one in the answer. Rejects with an error that carries `status` when the API server answered with one, and
   * `retryAfterSeconds` when it asked to wait.
   */
  create(path: string, body: object, signal: AbortSignal): Promise<unknown>;
}

export interface ReviewDependencies {
  readonly reviews: ReviewClient;
  readonly clock: Clock;
  /** 0 inclusive to 1 exclusive; spreads retries. */
  readonly random: () => number;
  readonly log: Logger;
  /** Hears of every question to the cache of verdicts, whether it knew the answer. */
  readonly onCache?: (hit: boolean) => void;
}

const attempts = 5;
const firstDelay = 500;
const delayFactor = 1.5;
const jitter = 0.2;
const callTimeout = seconds(10);

/**
 * Posts a review and retries what may pass: connection errors, 429, 500, 504 and answers with `Retry-After`; five attempts of 10 s,
 * 500 ms apart and 1.5 times longer each (`k8s.io/apiserver/pkg/util/webhook`). Rejects with the last error.
 */
export async function postReview(deps: ReviewDependencies, path: string, body: object): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await postOnce(deps, path, body);
    } catch (error) {
      if (attempt === attempts || !mayPass(error)) throw error;
    }
    const delay = firstDelay * delayFactor ** (attempt - 1) * (1 + jitter * deps.random());
    await sleep(deps.clock, milliseconds(delay));
  }
}

async function postOnce({ reviews, clock }: ReviewDependencies, path: string, body: object): Promise<unknown> {
  const controller = new AbortController();
  const timeout = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(asError(controller.signal.reason)), { once: true });
  });
  const timer = clock.after(callTimeout, () => controller.abort(new Error('the API server did not answer in 10s')));
  try {
    return await Promise.race([reviews.create(path, body, controller.signal), timeout]);
  } finally {
    timer.cancel();
  }
}

function mayPass(thrown: unknown): boolean {
  const { status, retryAfterSeconds } = thrown as { readonly status?: unknown; readonly retryAfterSeconds?: unknown };
  if (typeof retryAfterSeconds === 'number' || typeof status !== 'number') return true;
  return status === 429 || status === 500 || status === 504;
}
