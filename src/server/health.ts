import type { Logger } from '../telemetry/log.ts';
import type { Query } from './request-target.ts';

export type HealthEndpoint = 'healthz' | 'livez' | 'readyz';

export const healthEndpoints: readonly HealthEndpoint[] = ['healthz', 'livez', 'readyz'];

/** One named condition behind the health endpoints. */
export interface HealthCheck {
  readonly name: string;
  readonly endpoints: readonly HealthEndpoint[];
  /** Why the condition does not hold; undefined when it does. Must not block. */
  check(): Error | undefined;
}

/** A plain text answer. */
export interface TextAnswer {
  readonly status: 200 | 500;
  readonly body: string;
}

/** Always holds: that it answers at all is the point. */
export const pingCheck: HealthCheck = { name: 'ping', endpoints: healthEndpoints, check: () => undefined };

/** Fails `readyz` from the moment the server is told to stop. */
export function shutdownCheck(isStopping: () => boolean): HealthCheck {
  return {
    name: 'shutdown',
    endpoints: ['readyz'],
    check: () => (isStopping() ? new Error('process is shutting down') : undefined),
  };
}

/** The answers of `/healthz`, `/livez` and `/readyz`, in the formats of `k8s.io/apiserver/pkg/server/healthz`. */
export class Health {
  readonly #checks: ReadonlyMap<HealthEndpoint, readonly HealthCheck[]>;
  readonly #log: Logger;
  /** What failed last time, so that only changes are logged. */
  readonly #failing = new Map<HealthEndpoint, string>();

  /** Checks are printed in the order given. */
  constructor(checks: readonly HealthCheck[], log: Logger) {
    this.#log = log;
    this.#checks = new Map(
      healthEndpoints.map((endpoint) => [endpoint, checks.filter((check) => check.endpoints.includes(endpoint))]),
    );
  }

  /** Every path answered here, for the list of paths. */
  get paths(): readonly string[] {
    return healthEndpoints.flatMap((endpoint) => [
      `/${endpoint}`,
      ...this.#checksOf(endpoint).map(({ name }) => `/${endpoint}/${name}`),
    ]);
  }

  /** The answer to a decoded path; undefined when it is none of ours. */
  answer(path: string, query: Query): TextAnswer | undefined {
    const endpoint = healthEndpoints.find((name) => path === `/${name}` || path.startsWith(`/${name}/`));
    if (endpoint === undefined) return undefined;
    const rest = path.slice(endpoint.length + 2);
    if (rest === '') return this.#all(endpoint, query);
    const check = this.#checksOf(endpoint).find(({ name }) => name === rest);
    if (check === undefined) return undefined;
    const error = run(check);
    if (error === undefined) return { status: 200, body: 'ok' };
    return { status: 500, body: `internal server error: ${error.message}\n` };
  }

  #all(endpoint: HealthEndpoint, query: Query): TextAnswer {
    const unmatched = new Set(query.get('exclude'));
    const failures: string[] = [];
    let lines = '';
    for (const check of this.#checksOf(endpoint)) {
      if (query.get('exclude')?.includes(check.name) === true) {
        unmatched.delete(check.name);
        lines += `[+]${check.name} excluded: ok\n`;
        continue;
      }
      const error = run(check);
      if (error === undefined) {
        lines += `[+]${check.name} ok\n`;
      } else {
        // Anybody may ask; only the log says why.
        lines += `[-]${check.name} failed: reason withheld\n`;
        failures.push(`${check.name}: ${error.message}`);
      }
    }
    if (unmatched.size > 0) {
      const names = [...unmatched].sort().map((name) => JSON.stringify(name));
      lines += `warn: some health checks cannot be excluded: no matches for ${names.join(',')}\n`;
    }
    // What one caller leaves out says nothing about the server.
    if (!query.has('exclude')) this.#note(endpoint, failures.join(', '));
    if (failures.length > 0) return { status: 500, body: `${lines}${endpoint} check failed\n` };
    return { status: 200, body: query.has('verbose') ? `${lines}${endpoint} check passed\n` : 'ok' };
  }

  #note(endpoint: HealthEndpoint, failures: string): void {
    const before = this.#failing.get(endpoint) ?? '';
    if (before === failures) return;
    this.#failing.set(endpoint, failures);
    if (failures !== '') this.#log.info('Health check failed', { endpoint, failures });
    else this.#log.info('Health check passes again', { endpoint });
  }

  #checksOf(endpoint: HealthEndpoint): readonly HealthCheck[] {
    return this.#checks.get(endpoint) ?? [];
  }
}

function run(check: HealthCheck): Error | undefined {
  try {
    return check.check();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
