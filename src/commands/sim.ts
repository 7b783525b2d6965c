import { isIP } from 'node:net';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { quote } from '../model/quote.ts';
import { OptionError } from '../options/errors.ts';
import type { Flag } from '../options/flag.ts';
import { httpsUrl, string } from '../options/flag-values.ts';
import { parseFlags } from '../options/parse-flags.ts';
import { usageText } from '../options/usage.ts';
import { SimulatedCluster } from '../sim/cluster.ts';
import { followFaults } from '../sim/fault-file.ts';
import { writeError } from './command-io.ts';
import { clusterFlags, clusterOptions, directoryFlag, simHelpFlag } from './sim-flags.ts';
import { workDirectory } from './work-directory.ts';

/** Where a command writes what people read. */
export interface Streams {
  readonly stdout: Writable;
  readonly stderr: Writable;
}

const section = 'Aggregation and fault flags';
const exampleBackend = 'https://127.0.0.1:10443';
const backend: Flag<string> = {
  name: 'backend',
  section,
  kind: httpsUrl,
  default: '',
  help: `URL of the server to aggregate as metrics.k8s.io, for example ${exampleBackend}. Its certificate is not verified.`,
};
const faults: Flag<string> = {
  name: 'faults',
  section,
  kind: string,
  default: '',
  help: 'JSON file that says which kubelets misbehave, by node number; read again whenever it changes, and may appear later. Example: {"hang":[0],"reset":[1],"status":{"2":500},"truncate":[3],"slowMs":{"4":5000},"garbage":[5]}',
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
    const [extra] = parsed.arguments;
    if (extra !== undefined)
      throw new OptionError('unknown-flag', `unknown argument ${quote(extra)} for "kubetally sim"`);
    const directory = await workDirectory(parsed.value(directoryFlag));
    try {
      const url = parsed.value(backend);
      const aggregated = url === '' ? {} : { backend: { url } };
      const cluster = await SimulatedCluster.start({ ...clusterOptions(parsed, clusterFlags), ...aggregated });
      const stopFaults = followFaults(cluster, parsed.value(faults), (problem) =>
        streams.stderr.write(`Warning: --faults: ${problem}\n`),
      );
      try {
        await cluster.writeFiles(directory.path);
        streams.stdout.write(instructions(cluster, directory.path, url));
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
    writeError(streams.stderr, error);
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

/** @param backendUrl where kubetally is expected; empty when nothing is aggregated. */
function instructions(cluster: SimulatedCluster, directory: string, backendUrl: string): string {
  const admin = join(directory, 'admin.kubeconfig');
  const { hostname, port } = new URL(backendUrl || exampleBackend);
  const host = hostname.replace(/^\[|\]$/g, '');
  const address = isIP(host) === 0 ? '127.0.0.1' : host;
  return [
    `Simulated cluster: ${cluster.nodeNames.length} nodes, ${cluster.pods.size} pods, API server at ${cluster.apiServer.url}`,
    `Files (kubeconfigs of admin, viewer, nobody and kubetally; certificates): ${directory}`,
    '',
    'Look at it:',
    `  kubectl --kubeconfig ${admin} get pods -A`,
    'Run kubetally against it:',
    `  kubetally serve --bind-address=${address} --secure-port=${port || 443} ${serveArguments(directory).join(' ')}`,
    ...(backendUrl === ''
      ? [`For kubectl top, start the simulation with --backend=${exampleBackend}.`]
      : ['Then:', `  kubectl --kubeconfig ${admin} top nodes`]),
    '',
    'Ctrl-C stops it.',
    '',
  ].join('\n');
}
