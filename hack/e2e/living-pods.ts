import { epochMs, milliseconds, nanocores, type EpochMs } from '../../src/model/units.ts';
import { PodFactory } from '../../src/sim/node/pod-factory.ts';
import { podPlan } from '../../src/sim/api/pod-manifest.ts';
import { podObject } from '../../src/sim/api/pod-object.ts';
import type { Random } from '../../src/sim/seeded-random.ts';
import type { SimulatedNode } from '../../src/sim/node/simulated-node.ts';
import type { SimulatedPod } from '../../src/sim/node/simulated-pod.ts';

/** A Pod of the API server, as far as it matters here. */
export interface ApiPod {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: Readonly<Record<string, unknown>> & { readonly nodeName?: string };
}

interface Living {
  readonly pod: SimulatedPod;
  readonly node: SimulatedNode;
  published: string;
}

/** From a pod's binding to the start of its containers. */
const startup = milliseconds(1500);

/** The pods that simulated kubelets run, by UID; loads are shared by the pods of an application. */
export class LivingPods {
  readonly #factory: PodFactory;
  readonly #random: Random;
  readonly #living = new Map<string, Living>();
  readonly #loads = new Map<string, number>();

  constructor(seed: number, random: Random) {
    this.#factory = new PodFactory({ seed, provider: 'cadvisor', startup });
    this.#random = random;
  }

  get pods(): SimulatedPod[] {
    return [...this.#living.values()].map(({ pod }) => pod);
  }

  has(uid: string): boolean {
    return this.#living.has(uid);
  }

  /** Starts a pod bound to `node`; its annotations say what it uses. A mirror pod is known to the kubelet by its configuration's hash. */
  start({ metadata, spec }: ApiPod, node: SimulatedNode, now: EpochMs): void {
    const { namespace, uid, annotations = {} } = metadata;
    const plan = podPlan(namespace, { metadata, spec }, node.name, this.#random);
    const kubeletUid = annotations['kubernetes.io/config.hash'] ?? uid;
    const pod = this.#factory.starting({ ...plan, uid, kubeletUid }, now);
    node.add(pod);
    this.#living.set(uid, { pod, node, published: '' });
  }

  /** Ends a pod at once; harmless for one that is not here. */
  end(uid: string, now: EpochMs): void {
    const living = this.#living.get(uid);
    if (living === undefined) return;
    living.node.remove(living.pod, now);
    this.#living.delete(uid);
  }

  /** Ends every pod that is not among these. */
  keepOnly(uids: ReadonlySet<string>, now: EpochMs): void {
    for (const uid of this.#living.keys()) if (!uids.has(uid)) this.end(uid, now);
  }

  /** The pod's status, unless it was given before. */
  newStatus(uid: string, now: EpochMs): unknown {
    const living = this.#living.get(uid);
    if (living === undefined) return undefined;
    const { status } = podObject(living.pod, now).content();
    const text = JSON.stringify(status);
    if (text === living.published) return undefined;
    living.published = text;
    return status;
  }

  /** Says that the pod's last status did not reach the API server. */
  forgetStatus(uid: string): void {
    const living = this.#living.get(uid);
    if (living !== undefined) living.published = '';
  }

  /** Gives the first containers of the pods labelled `app` so many millicores together, however many pods there are. */
  setLoad(namespace: string, app: string, millicores: number): void {
    this.#loads.set(`${namespace}/${app}`, millicores);
  }

  /** Shares every load among the pods that run now. */
  share(now: EpochMs): void {
    for (const [app, millicores] of this.#loads) {
      const mates = this.pods.filter(
        (pod) => `${pod.birth.namespace}/${pod.birth.labels['app']}` === app && pod.phaseAt(now) === 'Running',
      );
      const value = nanocores(Math.round((millicores * 1e6) / mates.length));
      for (const [container] of mates.map(({ birth }) => birth.containers)) {
        if (container === undefined) continue;
        const { cpu } = container.usage;
        if (cpu.kind === 'constant' && cpu.value === value) continue;
        container.setUsage(epochMs(now), { ...container.usage, cpu: { kind: 'constant', value } });
      }
    }
  }
}
