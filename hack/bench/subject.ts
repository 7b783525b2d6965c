import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Daemon } from '../e2e/daemon.ts';
import { freePorts } from '../e2e/free-ports.ts';
import { HttpsClient } from '../e2e/https-client.ts';
import { pause, until } from '../e2e/wait.ts';
import { asInImage } from './as-in-image.ts';
import { readExposition, type Exposition } from './exposition.ts';
import { processUsage, type ProcessUsage } from './process-usage.ts';
import type { Simulation } from './simulation.ts';

/** A program under measurement, seen from outside. */
export class Subject {
  readonly name: string;
  readonly url: string;
  readonly #daemon: Daemon;

  constructor(name: string, url: string, daemon: Daemon) {
    this.name = name;
    this.url = url;
    this.#daemon = daemon;
  }

  get pid(): number {
    return this.#daemon.pid ?? 0;
  }

  get log(): string {
    return this.#daemon.log;
  }

  /** @throws Error with its last words when it has ended */
  get usage(): ProcessUsage {
    this.assertRunning();
    return processUsage(this.pid);
  }

  assertRunning(): void {
    const { exitCode, lastWords } = this.#daemon;
    if (exitCode !== undefined) throw new Error(`${this.name} ended with ${exitCode}:\n${lastWords}`);
  }

  async stop(): Promise<void> {
    await this.#daemon.stop();
  }
}

/** A metrics server, ours or the other, and its administrator. */
export class MetricsServer extends Subject {
  readonly admin: HttpsClient;

  constructor(name: string, url: string, daemon: Daemon, admin: HttpsClient) {
    super(name, url, daemon);
    this.admin = admin;
  }

  /** How many nodes or pods it has metrics of; 0 while it does not answer. */
  async served(plural: 'nodes' | 'pods'): Promise<number> {
    try {
      const { items } = await this.admin.read<{ readonly items: readonly unknown[] }>(
        `/apis/metrics.k8s.io/v1beta1/${plural}`,
      );
      return items.length;
    } catch {
      return 0;
    }
  }

  async metrics(): Promise<Exposition> {
    return readExposition((await this.admin.ask('/metrics')).body);
  }

  /** Rejects when it ends, or has not stored usage of so many nodes and containers within so many milliseconds. */
  async untilStored(nodes: number, containers: number, limit: number): Promise<void> {
    await until(limit, `${this.name} has usage of ${nodes} nodes and ${containers} containers`, async () => {
      this.assertRunning();
      // Reading its metrics costs a large server something, too.
      await pause(1000);
      const metrics = await this.metrics();
      const stored = (type: string): number => metrics.get(`metrics_server_storage_points{type="${type}"}`) ?? 0;
      if (stored('node') < nodes || stored('container') < containers)
        throw new Error(`so far of ${stored('node')} and ${stored('container')}`);
    });
  }
}

/** The names under which figures of both are filed. */
export type ServerName = 'kubetally' | 'metrics-server';

/**
 * Starts a metrics server in a simulated cluster; it need not answer yet.
 * @param program command line without flags
 */
export async function startServer(
  name: ServerName,
  program: readonly string[],
  simulation: Simulation,
  resolution: number,
): Promise<MetricsServer> {
  const [port = 0] = await freePorts(1);
  const command = [...program, ...simulation.serverFlags(port, resolution, `${name}-${port}`)];
  const url = `https://127.0.0.1:${port}`;
  const admin = new HttpsClient({ url, client: simulation.admin });
  return new MetricsServer(name, url, new Daemon(name, command, simulation.path(`${name}-${port}.log`)), admin);
}

/** The program that fetches and parses, and does nothing else. */
export async function startScrapeFloor(simulation: Simulation, resolution: number): Promise<Subject> {
  const targets = join(simulation.directory, 'targets.json');
  const kubelets = await simulation.kubelets();
  const [, token = ''] = /token: (\S+)/.exec(simulation.file('kubetally.kubeconfig')) ?? [];
  const ca = simulation.file('kubelet-ca.crt');
  await writeFile(targets, JSON.stringify({ kubelets, token, ca, resolution }), { mode: 0o600 });
  const command = [...asInImage(floor('floor-scrape.mjs')), targets];
  return new Subject('floor', '', new Daemon('scrape floor', command, simulation.path('floor-scrape.log')));
}

/** The program that answers ready bytes, as `floor-serve.mjs` describes them in `answers`, a file. */
export async function startServeFloor(simulation: Simulation, answers: string): Promise<Subject> {
  const [port = 0] = await freePorts(1);
  const command = [...asInImage(floor('floor-serve.mjs')), String(port), simulation.directory, answers];
  const log = simulation.path('floor-serve.log');
  return new Subject('floor', `https://127.0.0.1:${port}`, new Daemon('serve floor', command, log));
}

function floor(file: string): string {
  return new URL(file, import.meta.url).pathname;
}
