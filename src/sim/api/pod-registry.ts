import type { Clock, Timer } from '../../model/clock.ts';
import { epochMs, milliseconds, type EpochMs } from '../../model/units.ts';
import { notFound, StatusError } from '../../wire/status.ts';
import { StoreRefusal } from './api-status.ts';
import { keyOf, type ObjectMeta, type ObjectStore, type StoredObject } from './object-store.ts';
import type { PodFactory, PodPlan } from '../node/pod-factory.ts';
import { podPlan } from './pod-manifest.ts';
import { podObject, type Deletion } from './pod-object.ts';
import type { Random } from '../seeded-random.ts';
import { SimError } from '../sim-error.ts';
import type { SimulatedNode } from '../node/simulated-node.ts';
import type { SimulatedPod } from '../node/simulated-pod.ts';

export interface PodRegistryOptions {
  readonly clock: Clock;
  readonly store: ObjectStore;
  readonly factory: PodFactory;
  readonly random: Random;
  /** Whether a namespace exists. */
  readonly hasNamespace: (name: string) => boolean;
}

/** How long a deleted pod takes to end, where nobody asks for less. */
const termination = 1000;

/** Scheduler and pod lifecycle in one: binds pods to nodes, starts and ends them, and shows each step at the API server. */
export class PodRegistry {
  readonly #options: PodRegistryOptions;
  readonly #nodes = new Map<string, SimulatedNode>();
  readonly #pods = new Map<string, SimulatedPod>();
  readonly #deletions = new Map<string, Deletion>();
  readonly #timers = new Set<Timer>();

  constructor(options: PodRegistryOptions) {
    this.#options = options;
  }

  get pods(): Iterable<SimulatedPod> {
    return this.#pods.values();
  }

  get size(): number {
    return this.#pods.size;
  }

  /** @throws SimError `unknown-object` */
  pod(namespace: string, name: string): SimulatedPod {
    const pod = this.#pods.get(keyOf(namespace, name));
    if (pod === undefined) throw new SimError('unknown-object', `there is no simulated pod ${namespace}/${name}`);
    return pod;
  }

  /** Pods may be bound to the node from now on. */
  addNode(node: SimulatedNode): void {
    this.#nodes.set(node.name, node);
  }

  /** The node's pods end at once, and no pod is bound to it any more. */
  removeNode(node: SimulatedNode): void {
    for (const pod of node.pods) this.#finish(pod);
    this.#nodes.delete(node.name);
  }

  /** Adds a pod that has been running since `startedAt`. */
  adopt(plan: PodPlan, startedAt: EpochMs): void {
    const now = this.#now();
    this.#admit(this.#options.factory.established(plan, startedAt, now), now);
  }

  /** Starts a pod as its plan says; shown as Pending until its main containers run. */
  start(plan: PodPlan): StoredObject {
    const now = this.#now();
    const pod = this.#options.factory.starting(plan, now);
    for (const at of new Set(pod.birth.containers.map(({ lastRun }) => lastRun.startedAt))) this.#updateAt(pod, at);
    return this.#admit(pod, now);
  }

  /**
   * Creates a pod from a manifest on the node with the fewest pods, unless the manifest names one.
   * @throws StatusError or StoreRefusal: 404 for an unknown namespace, 409 for a name taken, 422 for a bad manifest
   */
  create(namespace: string, body: Readonly<Record<string, unknown>>): StoredObject {
    if (!this.#options.hasNamespace(namespace)) throw notFound('namespaces', '', namespace);
    const [emptiest] = [...this.#nodes.values()].sort((a, b) => a.podCount - b.podCount);
    const plan = podPlan(namespace, body, emptiest?.name ?? '', this.#options.random);
    if (this.#pods.has(keyOf(namespace, plan.name)))
      throw new StoreRefusal(409, 'AlreadyExists', `pods "${plan.name}" already exists`, {
        name: plan.name,
        kind: 'pods',
      });
    if (!this.#nodes.has(plan.nodeName))
      throw new StatusError('invalid', `Pod "${plan.name}" is invalid: spec.nodeName: no node "${plan.nodeName}"`);
    return this.start(plan);
  }

  /** Begins to end a pod; it disappears after its grace, at once when that is 0. Gives its state as of now. */
  delete({ namespace = '', name }: Pick<ObjectMeta, 'namespace' | 'name'>, gracePeriodSeconds?: number): StoredObject {
    const pod = this.pod(namespace, name);
    const before = this.#options.store.get(namespace, name);
    if (gracePeriodSeconds === 0 && before !== undefined) {
      this.#finish(pod);
      return before;
    }
    if (!this.#deletions.has(keyOf(namespace, name))) {
      this.#deletions.set(keyOf(namespace, name), { at: this.#now(), gracePeriodSeconds: gracePeriodSeconds ?? 30 });
      this.#after(termination, () => this.#finish(pod));
    }
    return this.#show(pod);
  }

  /** Ends a container's run and starts it anew a second later: its counter begins at 0, its restart count grows. */
  restart(namespace: string, name: string, containerName: string): void {
    const pod = this.pod(namespace, name);
    const container = pod.container(containerName);
    if (container === undefined)
      throw new SimError('unknown-object', `pod ${namespace}/${name} has no container ${containerName}`);
    const now = this.#now();
    container.restart(now, epochMs(now + 1000));
    this.#show(pod);
    this.#updateAt(pod, epochMs(now + 1000));
  }

  /** Forgets all timers: nothing starts or ends by itself any more. */
  stop(): void {
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
  }

  #admit(pod: SimulatedPod, now: EpochMs): StoredObject {
    const { namespace, name, nodeName } = pod.birth;
    this.#nodes.get(nodeName)?.add(pod);
    this.#pods.set(keyOf(namespace, name), pod);
    return this.#options.store.put(podObject(pod, now));
  }

  #finish(pod: SimulatedPod): void {
    const { namespace, name, nodeName } = pod.birth;
    const key = keyOf(namespace, name);
    if (this.#pods.get(key) !== pod) return;
    const now = this.#now();
    const node = this.#nodes.get(nodeName);
    if (node === undefined) pod.remove(now);
    else node.remove(pod, now);
    this.#pods.delete(key);
    this.#deletions.delete(key);
    this.#options.store.delete(namespace, name);
  }

  /** Publishes the pod's present state. */
  #show(pod: SimulatedPod): StoredObject {
    const { namespace, name } = pod.birth;
    return this.#options.store.put(podObject(pod, this.#now(), this.#deletions.get(keyOf(namespace, name))));
  }

  #updateAt(pod: SimulatedPod, at: EpochMs): void {
    const { namespace, name } = pod.birth;
    this.#after(Math.max(0, at - this.#now()), () => {
      if (this.#pods.get(keyOf(namespace, name)) !== pod) return;
      // A timer may come a millisecond early by the wall clock, and what begins then would stay unseen.
      if (this.#now() < at) this.#updateAt(pod, at);
      else this.#show(pod);
    });
  }

  #after(delay: number, act: () => void): void {
    const timer = this.#options.clock.after(milliseconds(delay), () => {
      this.#timers.delete(timer);
      act();
    });
    this.#timers.add(timer);
  }

  #now(): EpochMs {
    return this.#options.clock.now();
  }
}
