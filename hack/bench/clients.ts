import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { pause } from '../e2e/wait.ts';
import type { Seen } from './client-process.ts';
import type { Simulation } from './simulation.ts';

/** What clients saw: latencies in milliseconds. */
export interface Latencies {
  readonly selector: readonly number[];
  /** Of those that no other machine disturbed. */
  readonly calmSelector: readonly number[];
  readonly allPods: readonly number[];
  /** Answers other than 200, and requests without an answer. */
  readonly failures: number;
}

const program = new URL('client-process.ts', import.meta.url).pathname;

/**
 * Clients of a busy cluster: an autoscaler that lists the pods of each workload every 15 s, and a dashboard that lists all pods every 2 s. Each is a process of its
 * own: one that reads 50 MB cannot tell when a small answer came.
 */
export class Clients {
  readonly #autoscaler: Client;
  readonly #dashboard: Client;

  constructor(url: string, simulation: Simulation) {
    this.#autoscaler = new Client('autoscaler', url, simulation);
    this.#dashboard = new Client('dashboard', url, simulation);
  }

  /** Lets them ask for so many milliseconds, and wait for the answers under way then. Tells what they saw; throws an Error when one has ended. */
  async ask(milliseconds: number): Promise<Latencies> {
    const both = [this.#autoscaler, this.#dashboard];
    for (const client of both) client.ask();
    await pause(milliseconds);
    const [selector, allPods] = await Promise.all([this.#autoscaler.rest(), this.#dashboard.rest()]);
    return {
      selector: selector.latencies,
      calmSelector: selector.calm,
      allPods: allPods.latencies,
      failures: selector.failures + allPods.failures,
    };
  }

  stop(): void {
    this.#autoscaler.stop();
    this.#dashboard.stop();
  }
}

class Client {
  readonly #process: ChildProcess;
  /** Rejects when the process ends. */
  readonly #ended: Promise<never>;

  constructor(role: string, url: string, { directory, request }: Simulation) {
    this.#process = fork(program, [role, url, directory, String(request.workloads)], { execArgv: ['--import', 'tsx'] });
    this.#ended = once(this.#process, 'exit').then(([code]) => {
      throw new Error(`the client "${role}" ended with ${String(code)}`);
    });
    // It ends when it is told to as well.
    this.#ended.catch(() => undefined);
  }

  ask(): void {
    // Of one that has ended, `rest` tells.
    if (this.#process.connected) this.#process.send('ask');
  }

  async rest(): Promise<Seen> {
    if (!this.#process.connected) return await this.#ended;
    const answer = once(this.#process, 'message') as Promise<[Seen]>;
    this.#process.send('rest');
    const [seen] = await Promise.race([answer, this.#ended]);
    return seen;
  }

  stop(): void {
    if (this.#process.connected) this.#process.disconnect();
  }
}
