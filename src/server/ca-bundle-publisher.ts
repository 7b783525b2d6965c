import type { Clock, Timer } from '../model/clock.ts';
import { seconds } from '../model/units.ts';
import type { Logger } from '../telemetry/log.ts';
import { Transitions } from '../telemetry/transitions.ts';
import { objectAt, textAt } from './review-fields.ts';

/** APIServices of the API server. Errors carry the HTTP `status` when there was one. */
export interface ApiServiceClient {
  get(path: string): Promise<object>;
  /** A JSON merge patch. */
  patch(path: string, patch: object): Promise<object>;
}

export interface CaBundleOptions {
  /** The Service that must stand behind an APIService for it to be touched. */
  readonly service: { readonly namespace: string; readonly name: string };
  /** Names of APIServices, such as `v1beta1.metrics.k8s.io`; those that do not exist are left alone. */
  readonly apiServices: readonly string[];
}

interface Dependencies {
  readonly client: ApiServiceClient;
  /** The bundle (PEM) as it is now. */
  readonly bundle: () => string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

const collection = '/apis/apiregistration.k8s.io/v1/apiservices';
const period = seconds(300);

/** Keeps `spec.caBundle` of our APIServices equal to the bundle that verifies our certificate, so that they need no `insecureSkipTLSVerify`. */
export class CaBundlePublisher {
  readonly #options: CaBundleOptions;
  readonly #deps: Dependencies;
  readonly #failures: Transitions;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: CaBundleOptions, deps: Dependencies) {
    this.#options = options;
    this.#deps = deps;
    this.#failures = new Transitions(deps.log, deps.clock);
  }

  /** Publishes now and every five minutes. Never rejects. */
  async start(): Promise<void> {
    const bundle = this.#deps.bundle();
    if (bundle !== undefined) {
      for (const name of this.#options.apiServices) await this.#publish(name, Buffer.from(bundle).toString('base64'));
    }
    if (!this.#stopped) this.#timer = this.#deps.clock.after(period, () => void this.start());
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #publish(apiService: string, caBundle: string): Promise<void> {
    const { client, log } = this.#deps;
    const path = `${collection}/${apiService}`;
    try {
      const spec = objectAt(await client.get(path), 'spec');
      const behind = objectAt(spec, 'service');
      const { namespace, name } = this.#options.service;
      if (textAt(behind, 'namespace') !== namespace || textAt(behind, 'name') !== name) {
        throw new Error(`it belongs to another Service than ${namespace}/${name}`);
      }
      if (textAt(spec, 'caBundle') !== caBundle || spec?.['insecureSkipTLSVerify'] === true) {
        await client.patch(path, { spec: { caBundle, insecureSkipTLSVerify: null } });
        log.info('Published the CA bundle', { apiService });
      }
      this.#failures.recovered(apiService, 'CA bundle can be published again', { apiService });
    } catch (error) {
      if (typeof error === 'object' && error !== null && 'status' in error && error.status === 404) return;
      this.#failures.failed(apiService, error, 'CA bundle cannot be published', { apiService });
    }
  }
}
