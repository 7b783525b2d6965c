import { epochMs, type EpochMs } from '../../model/units.ts';
import { formatTime } from '../../wire/time.ts';
import type { KubeObject } from './object-store.ts';
import { age } from './resource-type.ts';
import { textSeed } from '../seeded-random.ts';
import type { SimulatedContainer } from '../node/simulated-container.ts';
import type { SimulatedPod } from '../node/simulated-pod.ts';

type Document = Readonly<Record<string, unknown>>;

/** A deletion that was asked for but is not done yet. */
export interface Deletion {
  readonly at: EpochMs;
  readonly gracePeriodSeconds: number;
}

/** The Pod that the API server shows, as the kubelet saw it at `now`. */
export function podObject(pod: SimulatedPod, now: EpochMs, deletion?: Deletion): KubeObject {
  const { birth } = pod;
  const phase = pod.phaseAt(now);
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
    content: () => ({ spec: specOf(pod), status: statusOf(pod, now) }),
    cells: (at) => {
      const lasting = birth.containers.filter(isLasting);
      const ready = lasting.filter((container) => container.startedAt(now) !== undefined);
      const text = deletion === undefined ? statusText(pod, now) : 'Terminating';
      const created = age(birth.createdAt, at);
      const wide = [birth.startedAt > now ? '<none>' : podIp(pod), birth.nodeName, '<none>', '<none>'];
      return [`${ready.length}/${lasting.length}`, text, restartsText(pod, at), created, ...wide];
    },
  };
}

const isLasting = ({ role }: SimulatedContainer): boolean => role !== 'init';
const isMain = ({ role }: SimulatedContainer): boolean => role === 'main';

function specOf({ birth }: SimulatedPod): Document {
  const { containers, nodeName, spec } = birth;
  if (spec !== undefined) return { ...spec, nodeName };
  const describe = ({ name, role, image }: SimulatedContainer): Document => ({
    name,
    image,
    resources: { requests: { cpu: '100m', memory: '128Mi' } },
    ...(role === 'sidecar' ? { restartPolicy: 'Always' } : {}),
  });
  const first = containers.filter((container) => !isMain(container));
  return {
    nodeName,
    ...(first.length === 0 ? {} : { initContainers: first.map(describe) }),
    containers: containers.filter(isMain).map(describe),
  };
}

function statusOf(pod: SimulatedPod, now: EpochMs): Document {
  const { containers, createdAt, startedAt, runningAt } = pod.birth;
  const first = containers.filter((container) => !isMain(container));
  const waiting = first.length === 0 ? 'ContainerCreating' : 'PodInitializing';
  const describe = (container: SimulatedContainer): Document => containerStatus(container, now, waiting);
  const starts = containers.filter(isLasting).map((container) => container.startedAt(now));
  const ready = starts.every((start) => start !== undefined);
  const readySince = ready ? Math.max(...starts.map(Number)) : startedAt;
  const condition = (type: string, status: boolean, since: number): Document => ({
    type,
    status: status ? 'True' : 'False',
    lastTransitionTime: formatTime(epochMs(since)),
  });
  return {
    phase: pod.phaseAt(now),
    startTime: startedAt > now ? undefined : formatTime(startedAt),
    conditions: [
      condition('PodScheduled', true, createdAt),
      condition('Initialized', runningAt <= now, runningAt <= now ? runningAt : createdAt),
      condition('ContainersReady', ready, readySince),
      condition('Ready', ready, readySince),
    ],
    ...(startedAt > now ? {} : { podIP: podIp(pod), podIPs: [{ ip: podIp(pod) }] }),
    ...(first.length === 0 ? {} : { initContainerStatuses: first.map(describe) }),
    containerStatuses: containers.filter(isMain).map(describe),
  };
}

/** A `ContainerStatus`; `waiting` is the reason while the container has not started yet. */
function containerStatus(container: SimulatedContainer, now: EpochMs, waiting: string): Document {
  const { name, image, role, restartCount, lastRun, runBefore } = container;
  const startedAt = container.startedAt(now);
  const running = startedAt !== undefined;
  const done = role === 'init' && lastRun.endedAt <= now;
  const terminated = (run: typeof lastRun, exitCode: number, reason: string): Document => ({
    terminated: { exitCode, reason, startedAt: formatTime(run.startedAt), finishedAt: formatTime(run.endedAt) },
  });
  const state = running
    ? { running: { startedAt: formatTime(startedAt) } }
    : done
      ? terminated(lastRun, 0, 'Completed')
      : { waiting: { reason: restartCount > 0 ? 'CrashLoopBackOff' : waiting } };
  return {
    name,
    image,
    imageID: image,
    ready: role === 'init' ? done : running,
    started: running,
    restartCount,
    state,
    lastState: runBefore === undefined ? {} : terminated(runBefore, 1, 'Error'),
  };
}

/** The column STATUS of `kubectl get pods`. */
function statusText(pod: SimulatedPod, now: EpochMs): string {
  const { containers, startedAt } = pod.birth;
  if (startedAt > now) return 'Pending';
  const first = containers.filter((container) => !isMain(container));
  const pending = first.findIndex(
    (container) => container.lastRun.endedAt > now && (!isLasting(container) || container.startedAt(now) === undefined),
  );
  if ((first[pending]?.restartCount ?? 0) > 0) return 'Init:CrashLoopBackOff';
  if (pending !== -1) return `Init:${pending}/${first.length}`;
  const stopped = containers.find((container) => isMain(container) && container.startedAt(now) === undefined);
  if (stopped === undefined) return 'Running';
  if (stopped.restartCount > 0) return 'CrashLoopBackOff';
  return first.length === 0 ? 'ContainerCreating' : 'PodInitializing';
}

/** The column RESTARTS: how many, and how long ago the last was. */
function restartsText({ birth: { containers } }: SimulatedPod, at: EpochMs): string {
  const count = containers.reduce((sum, { restartCount }) => sum + restartCount, 0);
  const last = Math.max(...containers.map(({ runBefore }) => runBefore?.endedAt ?? 0));
  return count === 0 ? '0' : `${count} (${age(epochMs(last), at)} ago)`;
}

/** Every pod has an address of its own; nothing listens there. */
function podIp({ birth: { uid } }: SimulatedPod): string {
  const seed = textSeed(uid);
  return `10.${seed >>> 24}.${(seed >>> 16) & 255}.${(seed >>> 8) & 255}`;
}
