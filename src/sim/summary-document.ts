import { epochMs, type EpochMs } from '../model/units.ts';
import { fieldsText } from './indented-json.ts';
import { shuffle, type Random } from './seeded-random.ts';
import type { SimulatedContainer } from './simulated-container.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { SimulatedPod } from './simulated-pod.ts';
import { containerExtras, nodeExtras, podExtras } from './summary-extras.ts';
import { SecondTexts, UsageWriter } from './summary-usage.ts';

/** Depths at which usage stands in a summary. */
export interface SummaryWriters {
  readonly node: UsageWriter;
  readonly system: UsageWriter;
  readonly pod: UsageWriter;
  readonly container: UsageWriter;
}

/** @param psi whether `cpu` and `memory` carry pressure stall information, as kubelets of 1.36 send it */
export function summaryWriters(psi: boolean): SummaryWriters {
  const writer = (depth: number): UsageWriter => new UsageWriter(' '.repeat(depth), psi);
  return { node: writer(2), system: writer(4), pod: writer(3), container: writer(5) };
}

export interface SummaryRequest {
  readonly node: SimulatedNode;
  readonly now: EpochMs;
  /** `?only_cpu_and_memory=true`. */
  readonly cpuAndMemoryOnly: boolean;
  readonly writers: SummaryWriters;
  /** Orders pods and containers, which a kubelet holds in maps. */
  readonly random: Random;
}

/**
 * The body of `GET /stats/summary` (`Summary` of `k8s.io/kubelet/pkg/apis/stats/v1alpha1`), indented by one space: times
 * in whole seconds, pods and containers in random order, `pods` null on an empty node every now and then.
 */
export function summaryDocument(request: SummaryRequest): string {
  const times = new SecondTexts();
  const pods = shuffle([...request.node.pods], request.random).flatMap((pod) => podStats(pod, request, times));
  const none = request.random() < 0.5 ? 'null' : '[]';
  const list = pods.length === 0 ? none : `[\n${pods.join(',\n')}\n ]`;
  return `{\n "node": ${nodeStats(request, times)},\n "pods": ${list}\n}`;
}

function nodeStats({ node, now, cpuAndMemoryOnly, writers }: SummaryRequest, times: SecondTexts): string {
  const { bootedAt, name, memory, cpus } = node.birth;
  const cgroupStart = times.text(epochMs(bootedAt + 3000));
  const start = cpuAndMemoryOnly ? cgroupStart : times.text(bootedAt);
  const system = writers.system.text(node.podsSample(now), times, memory);
  const root = writers.node.text(node.rootSample(now), times, memory);
  const extras = cpuAndMemoryOnly ? '' : fieldsText(nodeExtras(now, bootedAt, cpus), '  ');
  return `{
  "nodeName": "${name}",
  "systemContainers": [
   {
    "name": "pods",
    "startTime": "${cgroupStart}"${system}
   }
  ],
  "startTime": "${start}"${root}${extras}
 }`;
}

/** Nothing for a pod of which no container runs. */
function podStats(pod: SimulatedPod, request: SummaryRequest, times: SecondTexts): string[] {
  const { now, cpuAndMemoryOnly, writers, random } = request;
  const { namespace, name, kubeletUid, containers, startedAt } = pod.birth;
  if (startedAt > now) return [];
  const running = containers.filter((container) => container.startedAt(now) !== undefined);
  if (running.length === 0) return [];
  const stats = shuffle(running, random).map((container) => containerStats(container, request, times));
  // The brief document takes the start of the pod's cgroup, the full one that of the Pod's status.
  const start = times.text(cpuAndMemoryOnly ? epochMs(startedAt + 300) : startedAt);
  const extras = cpuAndMemoryOnly ? '' : fieldsText(podExtras(now, startedAt, pod), '   ');
  return [
    `  {
   "podRef": {
    "name": "${name}",
    "namespace": "${namespace}",
    "uid": "${kubeletUid}"
   },
   "startTime": "${start}",
   "containers": [
${stats.join(',\n')}
   ]${writers.pod.text(pod.sample(now), times)}${extras}
  }`,
  ];
}

function containerStats(container: SimulatedContainer, request: SummaryRequest, times: SecondTexts): string {
  const { now, cpuAndMemoryOnly, writers } = request;
  const start = times.text(container.startedAt(now) ?? now);
  const usage = writers.container.text(container.sample(now), times);
  const extras = cpuAndMemoryOnly ? '' : fieldsText(containerExtras(now), '     ');
  return `    {
     "name": "${container.name}",
     "startTime": "${start}"${usage}${extras}
    }`;
}
