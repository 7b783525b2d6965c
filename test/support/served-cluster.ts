import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { serveArguments } from '../../src/commands/sim.ts';
import type { ClusterOptions } from '../../src/sim/cluster-options.ts';
import type { SimulatedCluster } from '../../src/sim/cluster.ts';
import { askApi, startCluster } from './cluster.ts';
import { eventually } from './eventually.ts';
import { runServer } from './running-server.ts';

/** A simulated cluster with `kubetally serve` as its metrics server, in this process, joined by the cluster's aggregation. */
export interface ServedCluster {
  readonly cluster: SimulatedCluster;
  /** Kubeconfigs and certificates of the cluster's users. */
  readonly directory: string;
  readonly port: number;
  /** What the server has logged so far. */
  log(): string;
  /** Ends the server as SIGTERM does; resolves to its exit code. */
  stopServer(): Promise<number>;
}

/** Starts both; they end with the test or suite. Resolves when every node is served. */
export async function serveCluster(
  context: Pick<TestContext, 'after'>,
  options: Partial<ClusterOptions>,
  ...flags: readonly string[]
): Promise<ServedCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'kubetally-test-'));
  context.after(async () => await rm(directory, { recursive: true }));
  const cluster = await startCluster(context, options);
  await cluster.writeFiles(directory);
  const port = await freePort();
  const server = runServer(
    ...serveArguments(directory),
    `--secure-port=${port}`,
    '--metric-resolution=10s',
    '--kubelet-request-timeout=5s',
    ...flags,
  );
  context.after(server.stop);
  cluster.setBackend({ url: `https://127.0.0.1:${port}` });
  const served = async (): Promise<boolean> => {
    const { status, body } = await askApi(cluster, '/apis/metrics.k8s.io/v1/nodes');
    return status === 200 && (JSON.parse(body) as { items: unknown[] }).items.length === cluster.nodeNames.length;
  };
  // On a busy machine reading client-node's many modules takes ten seconds; the bundle has few of them.
  await eventually(served, 'every node to be served', 40_000);
  return { cluster, directory, port, log: server.log, stopServer: server.stop };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  return port;
}
