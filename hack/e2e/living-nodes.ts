import { asError, messageChain } from '../../src/model/errors.ts';
import { systemClock } from '../../src/model/clock.ts';
import { epochMs, type Bytes, type Nanocores } from '../../src/model/units.ts';
import type { ClusterCertificates } from '../../src/sim/cluster-certificates.ts';
import { KubeletFleet } from '../../src/sim/kubelet/kubelet-fleet.ts';
import type { KubeletFault } from '../../src/sim/kubelet/kubelet-fault.ts';
import { Kubelet } from '../../src/sim/kubelet/kubelet.ts';
import { nodeObject } from '../../src/sim/api/node-object.ts';
import { seededRandom } from '../../src/sim/seeded-random.ts';
import { SimulatedNode } from '../../src/sim/node/simulated-node.ts';
import { SummaryDocument } from '../../src/sim/kubelet/summary-document.ts';
import { truthOf, type Truth } from '../../src/sim/node/truth.ts';
import type { Asking, HttpsClient } from './https-client.ts';
import { KubeletReviews } from './kubelet-reviews.ts';
import { LivingPods, type ApiPod } from './living-pods.ts';

/** Nodes that pods without a node name are bound to, in turn. */
export const sharedNodes = ['alpha', 'beta', 'gamma'] as const;
/** A node that only runs pods which name it. */
export const loneNode = 'lone';
const names = [...sharedNodes, loneNode];

const seed = 7;
const every = 500;
const clock = systemClock;

/** Scheduler and kubelets of a real API server: binds its pods, runs them with simulated usage, finishes those deleted. */
export class LivingNodes {
  readonly pods = new LivingPods(seed, seededRandom(seed));
  readonly #api: HttpsClient;
  readonly #nodes: ReadonlyMap<string, SimulatedNode>;
  readonly #fleet: KubeletFleet;
  readonly #onProblem: (text: string) => void;
  #turn = 0;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> = Promise.resolve();

  private constructor(
    api: HttpsClient,
    nodes: ReadonlyMap<string, SimulatedNode>,
    fleet: KubeletFleet,
    onProblem: (text: string) => void,
  ) {
    this.#api = api;
    this.#nodes = nodes;
    this.#fleet = fleet;
    this.#onProblem = onProblem;
  }

  /**
   * Starts the kubelets, registers their Nodes and begins to look after pods.
   * @param onProblem told whatever the API server refuses; while it is away, once each round
   */
  static async start(
    api: HttpsClient,
    certificates: ClusterCertificates,
    onProblem: (text: string) => void,
  ): Promise<LivingNodes> {
    const nodes = new Map(names.map((name, number) => [name, birth(name, number)]));
    const access = new KubeletReviews(api);
    const summaries = new SummaryDocument(true);
    const kubelets = [...nodes.values()].map((node) => new Kubelet({ node, clock, access, summaries }));
    const fleet = new KubeletFleet(certificates, 'name-and-address');
    const living = new LivingNodes(api, nodes, fleet, onProblem);
    try {
      await fleet.add(kubelets);
      for (const node of nodes.values()) {
        const { meta, content } = nodeObject(node, fleet.address(node.name), true, clock.now());
        const metadata = { name: meta.name, labels: meta.labels };
        const body = { apiVersion: 'v1', kind: 'Node', metadata, ...content() };
        await api.read('/api/v1/nodes', { method: 'POST', body });
      }
      living.#schedule();
      return living;
    } catch (error) {
      await living.stop();
      throw error;
    }
  }

  /** Makes a node's kubelet misbehave, or behave again with undefined. */
  async setFault(node: string, fault: KubeletFault | undefined): Promise<void> {
    await this.#fleet.setFault(node, fault);
  }

  /** What the cluster thinks of a node; its kubelet answers as before. */
  async setReady(node: string, ready: boolean): Promise<void> {
    const condition = {
      type: 'Ready',
      status: ready ? 'True' : 'Unknown',
      lastTransitionTime: new Date().toISOString(),
    };
    const type = 'application/strategic-merge-patch+json';
    const body = { status: { conditions: [condition] } };
    await this.#api.read(`/api/v1/nodes/${node}/status`, { method: 'PATCH', body, type });
  }

  nodeTruth(name: string): Truth<Nanocores, Bytes> {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new Error(`there is no node ${name}`);
    return truthOf(node);
  }

  containerTruth(namespace: string, name: string, container: string): Truth<Nanocores, Bytes> {
    const pod = this.pods.pods.find(({ birth }) => birth.namespace === namespace && birth.name === name);
    const found = pod?.container(container);
    if (found === undefined) throw new Error(`container ${namespace}/${name}/${container} does not run`);
    return truthOf(found);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#round;
    await this.#fleet.stop();
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#round = this.#lookAfterAll()
        .catch((error: unknown) => this.#onProblem(messageChain(asError(error))))
        .finally(() => this.#schedule());
    }, every);
  }

  async #lookAfterAll(): Promise<void> {
    const { items } = await this.#api.read<{ items: readonly ApiPod[] }>('/api/v1/pods');
    this.pods.keepOnly(new Set(items.map(({ metadata }) => metadata.uid)), clock.now());
    for (const pod of items) await this.#lookAfter(pod);
    this.pods.share(clock.now());
  }

  async #lookAfter(pod: ApiPod): Promise<void> {
    const { namespace, name, uid, deletionTimestamp } = pod.metadata;
    const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
    if (deletionTimestamp !== undefined) {
      this.pods.end(uid, clock.now());
      const options = { gracePeriodSeconds: 0, preconditions: { uid } };
      return await this.#tell(path, {
        method: 'DELETE',
        body: { apiVersion: 'v1', kind: 'DeleteOptions', ...options },
      });
    }
    const { nodeName } = pod.spec;
    if (nodeName === undefined) {
      const target = { apiVersion: 'v1', kind: 'Node', name: sharedNodes[this.#turn++ % sharedNodes.length] };
      const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target };
      return await this.#tell(`${path}/binding`, { method: 'POST', body });
    }
    const node = this.#nodes.get(nodeName);
    if (node === undefined) return;
    if (!this.pods.has(uid)) this.pods.start(pod, node, clock.now());
    const status = this.pods.newStatus(uid, clock.now());
    if (status === undefined) return;
    try {
      const type = 'application/merge-patch+json';
      await this.#tell(`${path}/status`, { method: 'PATCH', body: { metadata: { uid }, status }, type });
    } catch (error) {
      this.pods.forgetStatus(uid);
      throw error;
    }
  }

  /** A pod that changed or went away meanwhile is seen in the next round. */
  async #tell(path: string, asking: Asking): Promise<void> {
    const answer = await this.#api.ask(path, asking);
    if (answer.status >= 300 && answer.status !== 404 && answer.status !== 409)
      throw new Error(`${asking.method ?? 'GET'} ${path}: ${answer.status} ${answer.body.slice(0, 300)}`);
  }
}

function birth(name: string, number: number): SimulatedNode {
  const now = clock.now();
  return new SimulatedNode({
    name,
    uid: name,
    number,
    labels: {
      'kubernetes.io/os': 'linux',
      'kubernetes.io/hostname': name,
      pool: name === loneNode ? 'lone' : 'shared',
    },
    bootedAt: epochMs(now - 3_600_000),
    knownFrom: epochMs(now - 30_000),
    cpus: 8,
    memory: 32 * 1_073_741_824,
    seed,
  });
}
