import type { Flag } from '../options/flag.ts';
import { choice, floatBetween, integer, string } from '../options/flag-values.ts';
import type { ParsedFlags } from '../options/parse-flags.ts';
import { helpFlag } from '../options/usage.ts';
import type { ClusterOptions } from '../sim/cluster-options.ts';
import { mixedUsage, steadyUsage } from '../sim/node/usage-plan.ts';

const section = 'Simulated cluster flags';
const count = (name: string, least: number, most: number, value: number, help: string): Flag<number> => ({
  name,
  section,
  kind: integer(least, most),
  default: value,
  help,
});
const share = (name: string, help: string): Flag<number> => ({
  name,
  section,
  kind: floatBetween(0, 1),
  default: 0,
  help,
});
const rate = (name: string, help: string): Flag<number> => ({
  name,
  section,
  kind: floatBetween(0, 1_000_000),
  default: 0,
  help,
});

const nodes = count('nodes', 0, 20_000, 10, 'How many nodes there are.');
const pods = count('pods', 0, 500, 30, 'How many pods each node runs.');
const containers = count('containers', 1, 20, 1, 'How many containers each pod has.');
const namespaces = count(
  'namespaces',
  1,
  1000,
  10,
  'Over how many namespaces (team-0, team-1, ...) the pods are spread.',
);
const staticPods = count('static-pods', 0, 20, 0, 'How many static pods each node runs besides.');
const seed = count('seed', 0, 0xffff_ffff, 1, 'The same seed makes the same cluster with the same usage.');
const sidecars = share('sidecars', 'Part of the pods, 0 to 1, that have a native sidecar.');
const initContainers = share('init-containers', 'Part of new pods, 0 to 1, that run an init container first.');
const churn = rate('churn', 'How many pods are replaced a minute, in the whole cluster.');
const restarts = rate('restarts', 'How many containers restart a minute, in the whole cluster.');
const provider: Flag<'cadvisor' | 'cri'> = {
  name: 'provider',
  section,
  kind: choice(['cadvisor', 'cri']),
  default: 'cadvisor',
  help: "Where kubelets have their numbers from: cAdvisor's cache, or the runtime over CRI at the moment of the request.",
};
const usage: Flag<'mixed' | 'steady'> = {
  name: 'usage',
  section,
  kind: choice(['mixed', 'steady']),
  default: 'mixed',
  help: 'What containers use: a mixture of constant, waving, spiking and idle ones, or all of them constant.',
};

/** Where files go. */
export const directoryFlag: Flag<string> = {
  name: 'dir',
  section,
  kind: string,
  default: '',
  defaultText: 'a temporary directory',
  help: 'Directory for kubeconfigs and certificates. It is kept; a temporary one is removed at the end.',
};

/** The flags that shape a simulated cluster. */
export const clusterFlags: readonly Flag<unknown>[] = [
  nodes,
  pods,
  containers,
  namespaces,
  staticPods,
  sidecars,
  initContainers,
  churn,
  restarts,
  provider,
  usage,
  seed,
];

export const simHelpFlag = helpFlag(section);

/** The same flags with fewer nodes and pods, for showing them on one screen. */
export const smallClusterFlags: readonly Flag<unknown>[] = clusterFlags.map((flag) =>
  flag === nodes ? { ...nodes, default: 5 } : flag === pods ? { ...pods, default: 8 } : flag,
);

/** What the command line says of the cluster, by the names of `table`. */
export function clusterOptions(parsed: ParsedFlags, table: readonly Flag<unknown>[]): Partial<ClusterOptions> {
  const value = <T>(flag: Flag<T>): T =>
    parsed.value((table.find(({ name }) => name === flag.name) ?? flag) as Flag<T>);
  return {
    nodes: value(nodes),
    podsPerNode: value(pods),
    containersPerPod: value(containers),
    namespaces: value(namespaces),
    staticPodsPerNode: value(staticPods),
    sidecarShare: value(sidecars),
    initShare: value(initContainers),
    churnPerMinute: value(churn),
    restartsPerMinute: value(restarts),
    provider: value(provider),
    usage: value(usage) === 'steady' ? steadyUsage : mixedUsage(value(seed)),
    seed: value(seed),
  };
}
