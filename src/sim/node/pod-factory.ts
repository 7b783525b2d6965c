import { epochMs, nanocores, bytes, type EpochMs, type Milliseconds } from '../../model/units.ts';
import { hexDigits, mix, seededRandom, textSeed, type Random } from '../seeded-random.ts';
import { SimulatedContainer, type ContainerRole, type StatsProvider } from './simulated-container.ts';
import { SimulatedPod, type PodIdentity } from './simulated-pod.ts';
import type { ContainerUsage } from './usage.ts';

/** A container to be, before it has a start time. */
export interface ContainerPlan {
  readonly name: string;
  readonly role: ContainerRole;
  readonly usage: ContainerUsage;
  /** That of a made-up application unless given. */
  readonly image?: string | undefined;
}

export interface PodPlan extends PodIdentity {
  readonly nodeName: string;
  readonly containers: readonly ContainerPlan[];
  readonly spec?: Readonly<Record<string, unknown>>;
}

export interface PodFactoryOptions {
  readonly seed: number;
  readonly provider: StatsProvider;
  /** From a pod's creation to the start of its first containers. */
  readonly startup: Milliseconds;
}

/** How long each init container runs. */
const initLength = 2000;
/** cAdvisor finds a new container within about a second. */
const discovery = 1000;
/** How far back kubelets have samples when the simulation starts. */
const earlier = 45_000;

/** Makes pods: those that have run for long when the simulation begins, and those that start before our eyes. */
export class PodFactory {
  readonly #options: PodFactoryOptions;

  constructor(options: PodFactoryOptions) {
    this.#options = options;
  }

  /** A pod that started at `startedAt`, of which the kubelet has samples already at `now`. */
  established(plan: PodPlan, startedAt: EpochMs, now: EpochMs): SimulatedPod {
    const random = this.#random(plan);
    const knownFrom = (): EpochMs =>
      // A kubelet that relies on the runtime has just been started: its first rates are still to come.
      this.#options.provider === 'cri' ? now : epochMs(now - earlier + random() * 15_000);
    const containers = plan.containers
      .filter(({ role }) => role !== 'init')
      .map((container) => this.#container(container, startedAt, knownFrom(), random));
    const times = { createdAt: startedAt, startedAt, runningAt: startedAt, knownFrom: knownFrom() };
    return new SimulatedPod({ ...plan, ...times, containers, random });
  }

  /** A pod created at `now`: init containers run one after another, then the main ones start. */
  starting(plan: PodPlan, now: EpochMs): SimulatedPod {
    const random = this.#random(plan);
    const startedAt = epochMs(now + this.#options.startup * 0.5);
    let next = now + this.#options.startup;
    const containers: SimulatedContainer[] = [];
    for (const container of plan.containers) {
      const start = epochMs(next);
      const seen = epochMs(next + discovery * (0.2 + random()));
      const endsAt = container.role === 'init' ? epochMs(next + initLength) : undefined;
      containers.push(this.#container(container, start, seen, random, endsAt));
      if (endsAt !== undefined) next = endsAt;
    }
    const knownFrom = epochMs(next + discovery * random());
    return new SimulatedPod({
      ...plan,
      createdAt: now,
      startedAt,
      runningAt: epochMs(next),
      knownFrom,
      containers,
      random,
    });
  }

  #container(
    { name, role, usage, image = 'registry.example/app:1' }: ContainerPlan,
    startedAt: EpochMs,
    knownFrom: EpochMs,
    random: Random,
    endsAt?: EpochMs,
  ): SimulatedContainer {
    const { provider } = this.#options;
    return new SimulatedContainer({ name, role, image, usage, startedAt, endsAt, knownFrom, provider, random });
  }

  #random(plan: PodPlan): Random {
    return seededRandom(mix(this.#options.seed, textSeed(plan.uid)));
  }
}

/** What containers that only prepare or accompany use. */
export const smallUsage: ContainerUsage = {
  cpu: { kind: 'constant', value: nanocores(20_000_000) },
  memory: { kind: 'constant', value: bytes(16_777_216) },
};

/** The identity of a static pod's mirror: the kubelet knows it by its configuration's hash, not by `metadata.uid`. */
export function staticPodPlan(nodeName: string, number: number, seed: number): PodPlan {
  const component = `static-${number}`;
  const name = `${component}-${nodeName}`;
  const random = seededRandom(mix(seed, textSeed(name)));
  const hash = hexDigits(random, 32);
  const tail = hexDigits(random, 12);
  return {
    namespace: 'kube-system',
    name,
    uid: `00000000-0000-4000-9000-${tail}`,
    kubeletUid: hash,
    labels: { component, tier: 'node' },
    annotations: {
      'kubernetes.io/config.hash': hash,
      'kubernetes.io/config.mirror': hash,
      'kubernetes.io/config.source': 'file',
    },
    nodeName,
    containers: [{ name: component, role: 'main', usage: smallUsage }],
  };
}
