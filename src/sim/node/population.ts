import type { Clock, Timer } from '../../model/clock.ts';
import { milliseconds, type EpochMs } from '../../model/units.ts';
import { smallUsage, staticPodPlan, type ContainerPlan, type PodPlan } from './pod-factory.ts';
import type { PodRegistry } from '../api/pod-registry.ts';
import { hexDigits, mix, randomUid, seededRandom, type Random } from '../seeded-random.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { SimulatedPod } from './simulated-pod.ts';
import type { UsagePlan } from './usage-plan.ts';

export interface PopulationOptions {
  readonly podsPerNode: number;
  readonly containersPerPod: number;
  readonly namespaces: number;
  readonly staticPodsPerNode: number;
  /** Part of the pods, 0 to 1, that have a native sidecar beside their containers. */
  readonly sidecarShare: number;
  /** Part of the pods that start with an init container. */
  readonly initShare: number;
  /** Pods replaced a minute, in the whole cluster. */
  readonly churnPerMinute: number;
  /** Containers restarted a minute, in the whole cluster. */
  readonly restartsPerMinute: number;
  readonly seed: number;
  readonly usage: UsagePlan;
}

/** `node-00000` and so on. */
export function nodeName(number: number): string {
  return `node-${digits(number)}`;
}

/** The inverse of `nodeName`. */
export function nodeNumber(name: string): number {
  return Number(name.slice('node-'.length));
}

/** The namespaces of applications: `team-0` and so on. */
export function namespaceName(number: number): string {
  return `team-${number}`;
}

/** `app-<pod>-<node>`. */
function podName(node: number, pod: number): string {
  return `app-${pod}-${digits(node)}`;
}

const digits = (number: number): string => String(number).padStart(5, '0');

/** Who lives in the cluster: the applications on every node, and their coming and going. */
export class Population {
  readonly #options: PopulationOptions;
  readonly #registry: PodRegistry;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #timers = new Map<string, Timer>();

  constructor(options: PopulationOptions, registry: PodRegistry, clock: Clock) {
    this.#options = options;
    this.#registry = registry;
    this.#clock = clock;
    this.#random = seededRandom(mix(options.seed, 4));
  }

  /** Fills a node with pods that have run since `startedAt`. */
  settle(node: SimulatedNode, startedAt: EpochMs): void {
    const { number } = node.birth;
    for (let pod = 0; pod < this.#options.podsPerNode; pod++) {
      const uid = `00000000-0000-4000-8000-${String(number).padStart(6, '0')}${String(pod).padStart(6, '0')}`;
      this.#registry.adopt(this.#plan(node, pod, podName(number, pod), uid), startedAt);
    }
    for (let pod = 0; pod < this.#options.staticPodsPerNode; pod++)
      this.#registry.adopt(staticPodPlan(node.name, pod, this.#options.seed), startedAt);
  }

  /** Begins replacing pods and restarting containers; `nodes` gives the nodes there are at the moment. */
  start(nodes: () => readonly SimulatedNode[]): void {
    this.#repeat('churn', this.#options.churnPerMinute, () => this.#replaceOne(nodes()));
    this.#repeat('restarts', this.#options.restartsPerMinute, () => this.#restartOne(nodes()));
  }

  stop(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #plan(node: SimulatedNode, pod: number, name: string, uid: string): PodPlan {
    const { usage, namespaces, containersPerPod, sidecarShare, initShare, seed } = this.#options;
    const { number } = node.birth;
    const chance = seededRandom(mix(seed, number, pod, 5));
    const containers: ContainerPlan[] = [];
    if (chance() < sidecarShare) containers.push({ name: 'sidecar', role: 'sidecar', usage: smallUsage });
    if (chance() < initShare) containers.push({ name: 'init', role: 'init', usage: smallUsage });
    for (let container = 0; container < containersPerPod; container++)
      containers.push({ name: `c${container}`, role: 'main', usage: usage({ node: number, pod, container }) });
    return {
      namespace: namespaceName(pod % namespaces),
      name,
      uid,
      kubeletUid: uid,
      labels: { app: `app-${pod}`, tier: pod % 3 === 0 ? 'front' : 'back' },
      annotations: {},
      nodeName: node.name,
      containers,
    };
  }

  #replaceOne(nodes: readonly SimulatedNode[]): void {
    const victim = this.#pick(nodes);
    const [, number] = /^app-(\d+)/.exec(victim?.birth.name ?? '') ?? [];
    const target = nodes[Math.floor(this.#random() * nodes.length)];
    if (victim === undefined || number === undefined || target === undefined) return;
    this.#registry.delete(victim.birth);
    const pod = Number(number);
    const name = `${podName(target.birth.number, pod)}-${hexDigits(this.#random, 5)}`;
    this.#registry.start(this.#plan(target, pod, name, randomUid(this.#random)));
  }

  #restartOne(nodes: readonly SimulatedNode[]): void {
    const pod = this.#pick(nodes);
    const running = pod?.birth.containers.filter(({ role }) => role !== 'init') ?? [];
    const container = running[Math.floor(this.#random() * running.length)];
    if (pod !== undefined && container !== undefined && container.startedAt(this.#clock.now()) !== undefined)
      this.#registry.restart(pod.birth.namespace, pod.birth.name, container.name);
  }

  /** A pod of an application, at random. */
  #pick(nodes: readonly SimulatedNode[]): SimulatedPod | undefined {
    const node = nodes[Math.floor(this.#random() * nodes.length)];
    const pods = [...(node?.pods ?? [])].filter(({ birth }) => birth.name.startsWith('app-'));
    return pods[Math.floor(this.#random() * pods.length)];
  }

  /** Acts `perMinute` times a minute on average, at uneven times. */
  #repeat(name: string, perMinute: number, act: () => void): void {
    if (perMinute <= 0) return;
    const pause = milliseconds((60_000 / perMinute) * (0.5 + this.#random()));
    const timer = this.#clock.after(pause, () => {
      act();
      this.#repeat(name, perMinute, act);
    });
    this.#timers.set(name, timer);
  }
}
