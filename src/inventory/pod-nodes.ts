import type { Clock } from '../model/clock.ts';
import { messageChain } from '../model/errors.ts';
import { seconds, type MonotonicMs } from '../model/units.ts';
import type { Logger } from '../telemetry/log.ts';
import { asRecord, text } from './metadata.ts';

/** What finding a pod's node needs of the API client. */
export interface ObjectReader {
  get<T extends object>(path: string, options: { readonly timeout: ReturnType<typeof seconds> }): Promise<T>;
}

export interface PodNodesOptions {
  readonly client: ObjectReader;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Requests per second in the long run (10) and at once (20). */
  readonly rate?: number;
  readonly burst?: number;
}

const timeout = seconds(5);

/** Tells on which node a pod runs. Pod metadata does not, so it costs a request; a token bucket bounds them when many pods start. */
export class PodNodes {
  readonly #options: PodNodesOptions;
  readonly #rate: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: MonotonicMs;

  constructor(options: PodNodesOptions) {
    this.#options = options;
    this.#rate = options.rate ?? 10;
    this.#burst = options.burst ?? 20;
    this.#tokens = this.#burst;
    this.#filledAt = options.clock.monotonic();
  }

  /** `spec.nodeName` of the pod; undefined when it has none, cannot be read, or too many were asked for of late. Never rejects. */
  async locate(namespace: string, name: string): Promise<string | undefined> {
    if (!this.#take()) return undefined;
    const { client, logger } = this.#options;
    try {
      const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
      const pod = await client.get(path, { timeout });
      return text(asRecord(asRecord(pod)['spec'])['nodeName']);
    } catch (error) {
      logger.verbose(4, 'Cannot tell where a pod runs', { pod: `${namespace}/${name}`, err: messageChain(error) });
      return undefined;
    }
  }

  #take(): boolean {
    const now = this.#options.clock.monotonic();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filledAt) / 1000) * this.#rate);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
