import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { KubeClient } from '../kube/client.ts';
import { loadApiServer } from '../kube/config.ts';
import { sleep, systemClock } from '../model/clock.ts';
import { milliseconds } from '../model/units.ts';
import type { Flag } from '../options/flag.ts';
import { parseFlags } from '../options/parse-flags.ts';
import { usageText } from '../options/usage.ts';
import { SimulatedCluster } from '../sim/cluster.ts';
import { silentLogger } from '../telemetry/log.ts';
import { Child } from './child-process.ts';
import { writeError } from './command-io.ts';
import { metricsTable, Progress, served } from './demo-view.ts';
import { clusterOptions, directoryFlag, simHelpFlag, smallClusterFlags } from './sim-flags.ts';
import { aborted, serveArguments, type Streams } from './sim.ts';
import { workDirectory } from './work-directory.ts';

const flags: readonly Flag<unknown>[] = [...smallClusterFlags, directoryFlag, simHelpFlag];
const patience = 60_000;
const podPatience = 3_000;
const pollEvery = milliseconds(200);

/**
 * `kubetally demo [flags] [-- COMMAND ARGS...]`: a simulated cluster and kubetally as its metrics server. Without a
 * command it prints what is served and stays up until `signal` aborts; with one it runs that with KUBECONFIG set.
 * Whatever happens, no process and no temporary file is left behind.
 * @param program the command line that starts kubetally, before its arguments
 * @returns the command's exit code (127 when it cannot be started), 0 after the abort, 1 for any failure
 */
export async function runDemo(
  args: readonly string[],
  streams: Streams,
  signal: AbortSignal,
  program: readonly string[],
): Promise<number> {
  try {
    const parsed = parseFlags(flags, args);
    if (parsed.value(simHelpFlag)) {
      const summary = 'Runs a simulated cluster and kubetally in it; a command after -- is run with KUBECONFIG set.';
      streams.stdout.write(usageText('kubetally demo', summary, flags));
      return 0;
    }
    const directory = await workDirectory(parsed.value(directoryFlag));
    try {
      const cluster = await SimulatedCluster.start(clusterOptions(parsed, smallClusterFlags));
      try {
        await cluster.writeFiles(directory.path);
        const kubeconfig = join(directory.path, 'admin.kubeconfig');
        const client = new KubeClient(await loadApiServer({ kubeconfig, clock: systemClock, logger: silentLogger }));
        const demo = new Demo({ cluster, client, directory: directory.path, kubeconfig, streams, signal, program });
        return await demo.run(parsed.arguments);
      } finally {
        await cluster.stop();
      }
    } finally {
      await directory.dispose();
    }
  } catch (error) {
    writeError(streams.stderr, error);
    return 1;
  }
}

interface DemoParts {
  readonly cluster: SimulatedCluster;
  /** Asks the simulated API server. */
  readonly client: KubeClient;
  readonly directory: string;
  readonly kubeconfig: string;
  readonly streams: Streams;
  readonly signal: AbortSignal;
  readonly program: readonly string[];
}

class Demo {
  readonly #parts: DemoParts;

  constructor(parts: DemoParts) {
    this.#parts = parts;
  }

  async run(command: readonly string[]): Promise<number> {
    const { cluster, client, directory, signal, program } = this.#parts;
    const port = await freePort();
    const serve = [...program, 'serve', '--bind-address=127.0.0.1', `--secure-port=${port}`];
    const server = new Child([...serve, ...serveArguments(directory)], process.env, ['ignore', 'ignore', 'pipe']);
    try {
      cluster.setBackend({ url: `https://127.0.0.1:${port}` });
      if (!(await this.#untilServed(server))) return signal.aborted ? 0 : this.#report(server);
      if (command.length > 0) return await this.#runCommand(command);
      await this.#present();
      await Promise.race([aborted(signal), server.exit]);
      // An interrupt from the keyboard reaches both processes, and the other may be the first to go.
      if (!signal.aborted) await sleep(systemClock, milliseconds(500), signal);
      return signal.aborted ? 0 : this.#report(server);
    } finally {
      await client.close();
      await server.stop();
    }
  }

  /**
   * True once every node is served, with its pods or a little later: an idle container has no usage before its second sample, half a minute on.
   * False when the server ended, the signal aborted, or a minute passed without any metrics.
   */
  async #untilServed(server: Child): Promise<boolean> {
    const { cluster, client, streams, signal } = this.#parts;
    const { nodeNames, pods } = cluster;
    const progress = new Progress(streams.stderr);
    const end = systemClock.monotonic() + patience;
    let complete: number | undefined;
    for (;;) {
      const now = await served(client);
      progress.show(`${now.nodes} of ${nodeNames.length} nodes and ${now.pods} of ${pods.size} pods have metrics`);
      const late = systemClock.monotonic() >= end;
      if (now.nodes >= nodeNames.length) complete ??= systemClock.monotonic();
      const done =
        complete !== undefined && (now.pods >= pods.size || systemClock.monotonic() - complete >= podPatience);
      if (done || late || server.ended || signal.aborted) {
        progress.end();
        return done || (late && now.nodes > 0);
      }
      await Promise.race([sleep(systemClock, pollEvery, signal), server.exit]);
    }
  }

  async #present(): Promise<void> {
    const { client, kubeconfig, streams } = this.#parts;
    const nodes = await metricsTable(client, 'nodes', 20);
    const pods = await metricsTable(client, 'pods', 20);
    const hints = [
      'Point kubectl at it:',
      `  export KUBECONFIG=${kubeconfig}`,
      '  kubectl top nodes',
      '  kubectl top pods -A',
      '',
      'Ctrl-C stops everything.',
    ];
    streams.stdout.write(`\n${nodes}\n${pods}\n${hints.join('\n')}\n`);
  }

  async #runCommand(command: readonly string[]): Promise<number> {
    const { directory, kubeconfig, streams, signal } = this.#parts;
    const env = {
      ...process.env,
      KUBECONFIG: kubeconfig,
      // kubectl would otherwise leave a cache for this cluster in the home directory.
      KUBECACHEDIR: join(directory, 'kubectl-cache'),
    };
    const child = new Child(command, env, 'inherit');
    const stop = (): void => void child.stop();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    const { code, failure } = await child.exit;
    signal.removeEventListener('abort', stop);
    if (failure !== undefined) streams.stderr.write(`Error: cannot run ${command[0]}: ${failure.message}\n`);
    return code;
  }

  #report(server: Child): number {
    const what = server.ended ? 'kubetally ended unexpectedly' : 'kubetally serves no metrics after a minute';
    this.#parts.streams.stderr.write(`Error: ${what}\n${server.lastWords}\n`);
    return 1;
  }
}

/** A port of loopback that nobody listens on at the moment. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return port;
}
