import { isReset } from '../kube/kube-error.ts';
import { unlessAborted } from '../model/abort.ts';
import { sleep, type Clock } from '../model/clock.ts';
import { milliseconds, monotonicMs, seconds, type MonotonicMs } from '../model/units.ts';
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
/** For a review and its repeats together. */
const patience = seconds(10);
/** While the API server is away, the time between two reviews that find out whether it is back. */
const outagePause = seconds(1);

/**
 * Posts reviews of one kind to the API server. What may pass is repeated as Kubernetes does (`k8s.io/apiserver/pkg/util/webhook`): connections that were
 * reset, 429, 500, 504 and answers with `Retry-After`; five attempts, 500 ms apart and 1.5 times longer each, within 10 s in all.
 *
 * Once a review has failed and none was answered since it began, the API server counts as away: one review per second is sent, once, and the others fail at
 * once with what is known, so that requests do not pile up waiting for the same disappointment.
 */
export class Reviewer {
  readonly #deps: ReviewDependencies;
  readonly #path: string;
  #outage: { readonly error: unknown; askAgainAt: MonotonicMs } | undefined;
  #answeredAt = monotonicMs(Number.NEGATIVE_INFINITY);

  constructor(path: string, deps: ReviewDependencies) {
    this.#path = path;
    this.#deps = deps;
  }

  /** The object in the answer. Rejects with the last error. */
  async post(body: object): Promise<unknown> {
    const { clock } = this.#deps;
    const start = clock.monotonic();
    const outage = this.#outage;
    if (outage !== undefined) {
      if (start < outage.askAgainAt) throw outage.error;
      outage.askAgainAt = monotonicMs(start + outagePause);
    }
    try {
      const answer = await this.#postAgain(body, outage === undefined ? attempts : 1);
      this.#noteAnswer();
      return answer;
    } catch (error) {
      if (!tellsOfOutage(error)) this.#noteAnswer();
      else if (this.#answeredAt < start)
        this.#outage = { error, askAgainAt: monotonicMs(clock.monotonic() + outagePause) };
      throw error;
    }
  }

  #noteAnswer(): void {
    this.#answeredAt = this.#deps.clock.monotonic();
    this.#outage = undefined;
  }

  async #postAgain(body: object, times: number): Promise<unknown> {
    const { clock, random, reviews } = this.#deps;
    const controller = new AbortController();
    const timer = clock.after(patience, () => controller.abort(new Error('the API server did not answer in 10s')));
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          return await unlessAborted(reviews.create(this.#path, body, controller.signal), controller.signal);
        } catch (error) {
          if (attempt >= times || !mayPass(error)) throw error;
          const delay = firstDelay * delayFactor ** (attempt - 1) * (1 + jitter * random());
          await sleep(clock, milliseconds(delay), controller.signal);
          if (controller.signal.aborted) throw error;
        }
      }
    } finally {
      timer.cancel();
    }
  }
}

function mayPass(thrown: unknown): boolean {
  const { status, retryAfterSeconds } = answerIn(thrown);
  if (typeof retryAfterSeconds === 'number' || status === 429 || status === 500 || status === 504) return true;
  return isReset(thrown);
}

/** No answer, or one that says no more than that the API server cannot answer now. */
function tellsOfOutage(thrown: unknown): boolean {
  const { status } = answerIn(thrown);
  return typeof status !== 'number' || status === 429 || status >= 500;
}

function answerIn(thrown: unknown): { readonly status?: unknown; readonly retryAfterSeconds?: unknown } {
  return typeof thrown === 'object' && thrown !== null ? thrown : {};
}
