import type { EpochMs } from '../model/units.ts';
import type { KubeObject } from './object-store.ts';
import { age } from './resource-type.ts';
import type { SimulatedContainer } from './simulated-container.ts';
import type { SimulatedPod } from './simulated-pod.ts';
import { wholeSecond } from './summary-time.ts';

type Document = Readonly<Record<string, unknown>>;

/** A deletion that was asked for but is not done yet. */
export interface Deletion {
  readonly at: EpochMs;
  readonly gracePeriodSeconds: number;
}

/** The Pod that the API server shows at `now`. */
export function podObject(pod: SimulatedPod, now: EpochMs, deletion?: Deletion): KubeObject {
  const { birth } = pod;
  const phase = pod.phaseAt(now);
  const counts = birth.containers.map(({ restartCount }) => restartCount);
  const mains = birth.containers.filter(({ role }) => role !== 'init');
  const ready = phase === 'Running' ? mains.length : 0;
  const status = deletion !== undefined ? 'Terminating' : phase;
  return {
    meta: {
      name: birth.name,
      namespace: birth.namespace,
      uid: birth.uid,
      labels: birth.labels,
      ...(Object.keys(birth.annotations).length === 0 ? {} : { annotations: birth.annotations }),
      createdAt: birth.createdAt,
      ...(deletion === undefined ? {} : { deletedAt: deletion.at, gracePeriodSeconds: deletion.gracePeriodSeconds }),
    },
    fields: { 'status.phase': phase, 'spec.nodeName': birth.nodeName },
    content: () => ({ spec: specOf(pod), status: statusOf(pod, phase, now, counts) }),
    cells: (at) => {
      const restarts = counts.reduce((sum, count) => sum + count, 0);
      return [`${ready}/${mains.length}`, status, restarts, age(birth.createdAt, at), '<none>', birth.nodeName];
    },
  };
}

function specOf({ birth }: SimulatedPod): Document {
  if (birth.spec !== undefined) return { ...birth.spec, nodeName: birth.nodeName };
  const describe = ({ name, role }: SimulatedContainer): Document => ({
    name,
    image: 'registry.example/app:1',
    resources: { requests: { cpu: '100m', memory: '128Mi' } },
    ...(role === 'sidecar' ? { restartPolicy: 'Always' } : {}),
  });
  const initContainers = birth.containers.filter(({ role }) => role !== 'main').map(describe);
  return {
    nodeName: birth.nodeName,
    ...(initContainers.length === 0 ? {} : { initContainers }),
    containers: birth.containers.filter(({ role }) => role === 'main').map(describe),
  };
}

function statusOf(pod: SimulatedPod, phase: string, now: EpochMs, counts: readonly number[]): Document {
  const { containers, startedAt, runningAt } = pod.birth;
  const running = phase === 'Running';
  const ready = running ? 'True' : 'False';
  const since = wholeSecond(running ? runningAt : startedAt);
  const statuses = containers.map((container, index) => containerStatus(container, now, counts[index] ?? 0));
  const initContainerStatuses = statuses.filter((_, index) => containers[index]?.role !== 'main');
  return {
    phase,
    startTime: startedAt > now ? undefined : wholeSecond(startedAt),
    conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({
      type,
      status: type === 'PodScheduled' ? 'True' : ready,
      lastTransitionTime: since,
    })),
    ...(initContainerStatuses.length === 0 ? {} : { initContainerStatuses }),
    containerStatuses: statuses.filter((_, index) => containers[index]?.role === 'main'),
  };
}

function containerStatus(container: SimulatedContainer, now: EpochMs, restartCount: number): Document {
  const startedAt = container.startedAt(now);
  const done = container.role === 'init' && startedAt === undefined && (container.lastRun()?.endedAt ?? now) < now;
  const state =
    startedAt !== undefined
      ? { running: { startedAt: wholeSecond(startedAt) } }
      : done
        ? { terminated: { exitCode: 0, reason: 'Completed' } }
        : { waiting: { reason: 'ContainerCreating' } };
  return {
    name: container.name,
    ready: startedAt !== undefined || done,
    restartCount,
    image: 'registry.example/app:1',
    state,
  };
}
