import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { pause } from '../e2e/wait.ts';
import type { Seen } from './client-process.ts';
import type { Simulation } from './simulation.ts';

/** What clients saw: latencies in milliseconds. */
export interface Latencies {
  readonly selector: readonly number[];
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
  readonly #autoscaler: ChildProcess;
  readonly #dashboard: ChildProcess;

  constructor(url: string, simulation: Simulation) {
    const start = (role: string): ChildProcess =>
      fork(program, [role, url, simulation.directory, String(simulation.request.workloads)], {
        execArgv: ['--import', 'tsx'],
      });
    this.#autoscaler = start('autoscaler');
    this.#dashboard = start('dashboard');
  }

  /** Lets them ask for so many milliseconds, and wait for the answers under way then. Tells what they saw. */
  async ask(milliseconds: number): Promise<Latencies> {
    const both = [this.#autoscaler, this.#dashboard];
    for (const client of both) client.send('ask');
    await pause(milliseconds);
    const [selector, allPods] = await Promise.all([seenBy(this.#autoscaler), seenBy(this.#dashboard)]);
    return {
      selector: selector.latencies,
      allPods: allPods.latencies,
      failures: selector.failures + allPods.failures,
    };
  }

  stop(): void {
    this.#autoscaler.disconnect();
    this.#dashboard.disconnect();
  }
}

/** @throws Error when it has ended */
async function seenBy(client: ChildProcess): Promise<Seen> {
  const ended = once(client, 'exit').then(([code]) => {
    throw new Error(`a client ended with ${String(code)}`);
  });
  if (!client.connected) return await ended;
  client.send('rest');
  const [seen] = (await Promise.race([once(client, 'message'), ended])) as [Seen];
  return seen;
}
