import type { SimulatedCluster } from '../../src/sim/cluster.ts';
import { smallUsage } from '../../src/sim/node/pod-factory.ts';
import { epochMs } from '../../src/model/units.ts';

const podsEach = 10;
const age = 3_600_000;

/** A Deployment as autoscalers see it: a namespace and a label. */
export interface Workload {
  readonly namespace: string;
  readonly app: string;
}

/** The first `count` workloads. */
export function workloads(count: number): readonly Workload[] {
  return Array.from({ length: count }, (_, number) => ({ namespace: `team-${number % 10}`, app: `scaled-${number}` }));
}

/** Adds the pods of so many workloads, running for an hour, on the first nodes: those that are replaced come from the end. */
export function addWorkloads(cluster: SimulatedCluster, count: number): void {
  const nodes = cluster.nodeNames.slice(0, Math.ceil(cluster.nodeNames.length * 0.8));
  let turn = 0;
  for (const [number, { namespace, app }] of workloads(count).entries())
    for (let pod = 0; pod < podsEach; pod++) {
      const uid = `00000000-0000-4000-b000-${String(number).padStart(6, '0')}${String(pod).padStart(6, '0')}`;
      const plan = {
        namespace,
        name: `${app}-${pod}`,
        uid,
        kubeletUid: uid,
        labels: { app, tier: 'scaled' },
        annotations: {},
        nodeName: nodes[turn++ % nodes.length] ?? '',
        containers: [{ name: 'main', role: 'main' as const, usage: smallUsage }],
      };
      cluster.pods.adopt(plan, epochMs(Date.now() - age));
    }
}
