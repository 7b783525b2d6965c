import { Http2Client } from './http2-client.ts';
import type { Simulation } from './simulation.ts';
import { workloads } from './workloads.ts';

/** Latencies in milliseconds that clients saw. */
export interface Latencies {
  readonly selector: readonly number[];
  readonly allPods: readonly number[];
  /** Answers other than 200, and requests without an answer. */
  readonly failures: number;
}

const group = '/apis/metrics.k8s.io/v1beta1';
const autoscalerPeriod = 15_000;
const dashboardPeriod = 2_000;
const protobuf = { accept: 'application/vnd.kubernetes.protobuf, */*' };
const json = { accept: 'application/json' };

/**
 * Clients of a busy cluster, until `stop`: an autoscaler that lists the pods of each workload every 15 s, evenly spread, on one connection, and a dashboard that
 * lists all pods every 2 s on another. Each asks on time whether or not the last answer has come, but the dashboard waits for its own.
 */
export class Clients {
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #autoscaler: Http2Client;
  readonly #dashboard: Http2Client;
  readonly #selector: number[] = [];
  readonly #allPods: number[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #failures = 0;

  constructor(url: string, simulation: Simulation) {
    this.#autoscaler = new Http2Client(url, simulation.admin);
    this.#dashboard = new Http2Client(url, simulation.admin);
    const all = workloads(simulation.request.workloads);
    let next = 0;
    let busy = false;
    if (all.length > 0)
      this.#every(autoscalerPeriod / all.length, () => {
        const { namespace, app } = all[next++ % all.length] ?? { namespace: '', app: '' };
        const path = `${group}/namespaces/${namespace}/pods?labelSelector=app%3D${app}`;
        void this.#ask(this.#autoscaler, path, protobuf, this.#selector);
      });
    this.#every(dashboardPeriod, () => {
      if (busy) return;
      busy = true;
      void this.#ask(this.#dashboard, `${group}/pods`, json, this.#allPods).finally(() => (busy = false));
    });
  }

  /** Asks no more, waits for the answers under way, and tells what was seen. */
  async stop(): Promise<Latencies> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.all(this.#underWay);
    this.#autoscaler.close();
    this.#dashboard.close();
    return { selector: this.#selector, allPods: this.#allPods, failures: this.#failures };
  }

  #every(period: number, act: () => void): void {
    this.#timers.push(setInterval(act, period));
  }

  async #ask(
    client: Http2Client,
    path: string,
    headers: Readonly<Record<string, string>>,
    latencies: number[],
  ): Promise<void> {
    const begun = performance.now();
    const asking = client.get(path, headers).then(
      ({ status }) => {
        latencies.push(performance.now() - begun);
        if (status !== 200) this.#failures++;
      },
      () => void this.#failures++,
    );
    this.#underWay.add(asking);
    await asking;
    this.#underWay.delete(asking);
  }
}
