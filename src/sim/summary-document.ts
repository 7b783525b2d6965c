import { epochMs, type EpochMs } from '../model/units.ts';
import type { CachedSample } from './housekeeping.ts';
import { indentedJson, type JsonObject } from './indented-json.ts';
import { shuffle, type Random } from './seeded-random.ts';
import type { SimulatedContainer } from './simulated-container.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { SimulatedPod } from './simulated-pod.ts';
import * as storage from './summary-extras.ts';
import { wholeSecond } from './summary-time.ts';

export interface SummaryRequest {
  readonly node: SimulatedNode;
  readonly now: EpochMs;
  /** `?only_cpu_and_memory=true`. */
  readonly cpuAndMemoryOnly: boolean;
  /** Pressure stall information inside `cpu` and `memory`, as kubelets of 1.36 send it. */
  readonly psi: boolean;
  /** Orders pods and containers, which a kubelet holds in maps. */
  readonly random: Random;
}

/**
 * The body of `GET /stats/summary` (`Summary` of `k8s.io/kubelet/pkg/apis/stats/v1alpha1`): times in whole seconds, pods
 * and containers in random order, `pods` null on an empty node every now and then.
 */
export function summaryDocument(request: SummaryRequest): string {
  const pods = shuffle([...request.node.pods], request.random).flatMap((pod) => podStats(pod, request));
  const none = pods.length === 0 && request.random() < 0.5;
  return indentedJson({ node: nodeStats(request), pods: none ? null : pods });
}

function nodeStats(request: SummaryRequest): JsonObject {
  const { node, now, cpuAndMemoryOnly: brief } = request;
  const { bootedAt, name, memory, cpus } = node.birth;
  const cgroupStart = epochMs(bootedAt + 3000);
  const pods = { name: 'pods', startTime: wholeSecond(cgroupStart), ...usage(node.podsSample(now), request, memory) };
  return {
    nodeName: name,
    systemContainers: [pods],
    startTime: wholeSecond(brief ? cgroupStart : bootedAt),
    ...usage(node.rootSample(now), request, memory),
    ...(brief ? {} : storage.nodeExtras(now, bootedAt, cpus)),
  };
}

function podStats(pod: SimulatedPod, request: SummaryRequest): JsonObject[] {
  const { now, cpuAndMemoryOnly: brief } = request;
  const { namespace, name, kubeletUid, containers, startedAt } = pod.birth;
  if (startedAt > now) return [];
  const running = containers.filter((container) => container.startedAt(now) !== undefined);
  if (running.length === 0) return [];
  const stats = shuffle(running, request.random).map((container) => containerStats(container, request));
  return [
    {
      podRef: { name, namespace, uid: kubeletUid },
      startTime: wholeSecond(brief ? epochMs(startedAt + 300) : startedAt),
      containers: stats,
      ...usage(pod.sample(now), request),
      ...(brief ? {} : storage.podExtras(now, startedAt, pod)),
    },
  ];
}

function containerStats(container: SimulatedContainer, request: SummaryRequest): JsonObject {
  const { now, cpuAndMemoryOnly: brief } = request;
  return {
    name: container.name,
    startTime: wholeSecond(container.startedAt(now) ?? now),
    ...usage(container.sample(now), request),
    ...(brief ? {} : storage.containerExtras(now)),
  };
}

/** `cpu`, `memory` and `swap` of one sample; nothing at all before the first. */
function usage(sample: CachedSample | undefined, request: SummaryRequest, capacity?: number): JsonObject {
  if (sample === undefined) return {};
  const time = wholeSecond(sample.at);
  const psi = request.psi ? storage.calmPressure : undefined;
  return {
    cpu: { time, usageNanoCores: sample.rate, usageCoreNanoSeconds: sample.cpu, psi },
    memory: {
      time,
      availableBytes: capacity === undefined ? undefined : Math.max(0, capacity - sample.memory),
      usageBytes: sample.memory + 8_388_608,
      workingSetBytes: sample.memory,
      rssBytes: Math.max(0, sample.memory - 4_194_304),
      pageFaults: 12_345,
      majorPageFaults: 3,
      psi,
    },
    swap: { time, swapUsageBytes: 0 },
  };
}
