// A simulated cluster in a process of its own, with nodes that come and go: `cluster-process.ts DIRECTORY OPTIONS`, options as JSON.
// Prints one line when everything is up; ends at SIGTERM. A file `faults.json` in the directory makes kubelets misbehave.
import { join } from 'node:path';
import { SimulatedCluster } from '../../src/sim/cluster.ts';
import { followFaults } from '../../src/sim/fault-file.ts';
import { mixedUsage } from '../../src/sim/node/usage-plan.ts';
import { addWorkloads } from './workloads.ts';

/** What is asked of the cluster. */
export interface ClusterRequest {
  readonly nodes: number;
  readonly podsPerNode: number;
  /** Pods replaced a minute. */
  readonly churnPerMinute: number;
  readonly restartsPerMinute: number;
  /** Nodes that leave a minute; each comes back, empty, a while later. */
  readonly nodeChurnPerMinute: number;
  /** Deployments with a label of their own, ten pods each, for clients that select them. */
  readonly workloads: number;
}

const awayFor = 20_000;

const [directory = '', text = '{}'] = process.argv.slice(2);
const request = JSON.parse(text) as ClusterRequest;
const cluster = await SimulatedCluster.start({ ...request, namespaces: 10, usage: mixedUsage(1) });
addWorkloads(cluster, request.workloads);
await cluster.writeFiles(directory);
const stopFaults = followFaults(cluster, join(directory, 'faults.json'));
const timers = new Set<NodeJS.Timeout>();
if (request.nodeChurnPerMinute > 0) timers.add(setInterval(replaceNode, 60_000 / request.nodeChurnPerMinute));

process.once('SIGTERM', () => {
  for (const timer of timers) clearTimeout(timer);
  stopFaults();
  void cluster.stop().finally(() => process.exit(0));
});
process.stdout.write('simulated cluster is up\n');

/** Takes the last node away, which runs none of the workloads, and brings it back empty. */
function replaceNode(): void {
  const name = cluster.nodeNames.at(-1);
  if (name === undefined || cluster.nodeNames.length < 2) return;
  void cluster.removeNode(name).catch(() => undefined);
  const timer = setTimeout(() => {
    timers.delete(timer);
    void cluster.returnNode(name).catch(() => undefined);
  }, awayFor);
  timers.add(timer);
}
