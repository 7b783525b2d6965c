import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { messageChain } from '../model/errors.ts';
import type { Flag } from '../options/flag.ts';
import { string } from '../options/flag-values.ts';
import { parseFlags } from '../options/parse-flags.ts';
import { usageText } from '../options/usage.ts';
import { SimulatedCluster } from '../sim/cluster.ts';
import { followFaults } from '../sim/fault-file.ts';
import { clusterFlags, clusterOptions, directoryFlag, simHelpFlag } from './sim-flags.ts';
import { workDirectory } from './work-directory.ts';

/** Where a command writes what people read. */
export interface Streams {
  readonly stdout: Writable;
  readonly stderr: Writable;
}

const section = 'Aggregation and fault flags';
const backend: Flag<string> = {
  name: 'backend',
  section,
  kind: string,
  default: '',
  help: 'URL of the server to aggregate as metrics.k8s.io, for example https://127.0.0.1:10443. Its certificate is not verified.',
};
const faults: Flag<string> = {
  name: 'faults',
  section,
  kind: string,
  default: '',
  help: 'JSON file that says which kubelets misbehave, by node number; read again whenever it changes. Example: {"hang":[0],"reset":[1],"status":{"2":500},"truncate":[3],"slowMs":{"4":5000},"garbage":[5]}',
};
const flags: readonly Flag<unknown>[] = [...clusterFlags, directoryFlag, backend, faults, simHelpFlag];

/**
 * `kubetally sim`: a simulated cluster that stays up until `signal` aborts.
 * @returns the exit code: 0 after the abort, 1 for a bad command line or when the cluster cannot start
 */
export async function runSim(args: readonly string[], streams: Streams, signal: AbortSignal): Promise<number> {
  try {
    const parsed = parseFlags(flags, args);
    if (parsed.value(simHelpFlag)) {
      streams.stdout.write(usageText('kubetally sim', 'Runs a simulated cluster on loopback.', flags));
      return 0;
    }
    const directory = await workDirectory(parsed.value(directoryFlag));
    try {
      const url = parsed.value(backend);
      const aggregated = url === '' ? {} : { backend: { url: new URL(url).href } };
      const cluster = await SimulatedCluster.start({ ...clusterOptions(parsed, clusterFlags), ...aggregated });
      const stopFaults = followFaults(cluster, parsed.value(faults));
      try {
        await cluster.writeFiles(directory.path);
        streams.stdout.write(instructions(cluster, directory.path));
        await aborted(signal);
      } finally {
        stopFaults();
        await cluster.stop();
      }
      return 0;
    } finally {
      await directory.dispose();
    }
  } catch (error) {
    streams.stderr.write(`Error: ${messageChain(error)}\n`);
    return 1;
  }
}

/** Resolves when the signal aborts. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/** The flags with which kubetally serves a simulated cluster whose files are in `directory`. */
export function serveArguments(directory: string): string[] {
  return [
    `--kubeconfig=${join(directory, 'kubetally.kubeconfig')}`,
    `--kubelet-certificate-authority=${join(directory, 'kubelet-ca.crt')}`,
    '--kubelet-use-node-status-port',
    '--kubelet-preferred-address-types=InternalIP',
    '--metric-resolution=15s',
    `--cert-dir=${join(directory, 'serving')}`,
  ];
}

function instructions(cluster: SimulatedCluster, directory: string): string {
  const admin = join(directory, 'admin.kubeconfig');
  return [
    `Simulated cluster: ${cluster.nodeNames.length} nodes, ${cluster.pods.size} pods, API server at ${cluster.apiServer.url}`,
    `Files (kubeconfigs of admin, viewer, nobody and kubetally; certificates): ${directory}`,
    '',
    'Look at it:',
    `  kubectl --kubeconfig ${admin} get pods -A`,
    'Run kubetally against it:',
    `  kubetally serve --bind-address=127.0.0.1 --secure-port=10443 ${serveArguments(directory).join(' ')}`,
    'For kubectl top, start the simulation with --backend=https://127.0.0.1:10443.',
    '',
    'Ctrl-C stops it.',
    '',
  ].join('\n');
}
