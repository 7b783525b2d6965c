import type { Clock } from '../model/clock.ts';
import type { Logger } from '../telemetry/log.ts';
import { Transitions } from '../telemetry/transitions.ts';
import { objectAt, textAt } from './review-fields.ts';

/** APIServices of the API server. Errors carry the HTTP `status` when there was one. */
export interface ApiServiceClient {
  get(path: string, options: { readonly signal: AbortSignal }): Promise<object>;
  /** A JSON merge patch. */
  patch(path: string, patch: object, options: { readonly signal: AbortSignal }): Promise<object>;
}

export interface CaBundleOptions {
  /** The Service that must stand behind an APIService for it to be touched. */
  readonly service: { readonly namespace: string; readonly name: string };
  /** Names of APIServices, such as `v1beta1.metrics.k8s.io`; those that do not exist are left alone. */
  readonly apiServices: readonly string[];
}

interface Dependencies {
  readonly client: ApiServiceClient;
  readonly clock: Clock;
  readonly log: Logger;
}

const collection = '/apis/apiregistration.k8s.io/v1/apiservices';

/** Writes the bundle that verifies our certificate into `spec.caBundle` of our APIServices, so that they need no `insecureSkipTLSVerify`. */
export class CaBundlePublisher {
  readonly #options: CaBundleOptions;
  readonly #deps: Dependencies;
  readonly #failures: Transitions;

  constructor(options: CaBundleOptions, deps: Dependencies) {
    this.#options = options;
    this.#deps = deps;
    this.#failures = new Transitions(deps.log, deps.clock);
  }

  /**
   * Publishes a bundle (PEM) where it is not published yet. Never rejects; what fails is logged.
   * @returns whether every APIService of ours had it before, so that the API server's copies have it, too.
   */
  async publish(bundle: string, signal: AbortSignal): Promise<boolean> {
    const caBundle = Buffer.from(bundle).toString('base64');
    let settled = true;
    for (const apiService of this.#options.apiServices) {
      if (!(await this.#publishTo(apiService, caBundle, signal))) settled = false;
    }
    return settled;
  }

  async #publishTo(apiService: string, caBundle: string, signal: AbortSignal): Promise<boolean> {
    const { client, log } = this.#deps;
    const path = `${collection}/${apiService}`;
    try {
      const found = await client.get(path, { signal });
      const spec = objectAt(found, 'spec');
      const behind = objectAt(spec, 'service');
      const { namespace, name } = this.#options.service;
      if (textAt(behind, 'namespace') !== namespace || textAt(behind, 'name') !== name) {
        const error = new Error(`its Service is not ${namespace}/${name}`);
        this.#failures.failed(apiService, error, 'CA bundle not published', { apiService });
        return true;
      }
      const settled = textAt(spec, 'caBundle') === caBundle && spec?.['insecureSkipTLSVerify'] !== true;
      if (!settled) {
        const resourceVersion = textAt(objectAt(found, 'metadata'), 'resourceVersion');
        const patch = { metadata: { resourceVersion }, spec: { caBundle, insecureSkipTLSVerify: null } };
        await client.patch(path, patch, { signal });
        log.info('Published the CA bundle', { apiService });
      }
      this.#failures.recovered(apiService, 'CA bundle can be published again', { apiService });
      return settled;
    } catch (error) {
      if (signal.aborted) return false;
      const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
      if (status === 404) return true;
      // Another replica wrote between our reading and writing: the next round sees what.
      if (status !== 409) this.#failures.failed(apiService, error, 'CA bundle not published', { apiService });
      return false;
    }
  }
}
