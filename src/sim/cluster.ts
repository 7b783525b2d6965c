import { apiGroup } from '../metrics-api/objects.ts';
import { epochMs, type Bytes, type EpochMs, type Nanocores } from '../model/units.ts';
import { Aggregator, type Availability } from './api/aggregator.ts';
import { ApiServer } from './api/api-server.ts';
import type { BackendAddress } from './api/backend.ts';
import { makeCertificates, type ClusterCertificates } from './cluster-certificates.ts';
import { writeClusterFiles } from './cluster-files.ts';
import { defaultClusterOptions, type ClusterOptions } from './cluster-options.ts';
import {
  apiServiceObject,
  authenticationConfig,
  clusterResources,
  configMapObject,
  namespaceObject,
  type ClusterResources,
} from './api/cluster-resources.ts';
import type { Address } from './endpoint.ts';
import type { KubeletFault } from './kubelet/kubelet-fault.ts';
import { KubeletFleet } from './kubelet/kubelet-fleet.ts';
import { Kubelet, type KubeletAccess } from './kubelet/kubelet.ts';
import { nodeObject } from './api/node-object.ts';
import { PodFactory } from './node/pod-factory.ts';
import { PodRegistry } from './api/pod-registry.ts';
import { namespaceName, nodeName, nodeNumber, Population } from './node/population.ts';
import { Authorizer } from './api/rbac.ts';
import { mix, seededRandom } from './seeded-random.ts';
import { SimError } from './sim-error.ts';
import { SimulatedNode } from './node/simulated-node.ts';
import { SummaryDocument } from './kubelet/summary-document.ts';
import { TokenIssuer } from './token-issuer.ts';
import { truthOf, type Truth } from './node/truth.ts';

/**
 * A cluster in one process: nodes with known usage (`node/`), kubelets over real TLS on loopback that tell of it (`kubelet/`), an API server with aggregation in
 * front (`api/`). Several can run side by side; `stop` leaves nothing behind.
 */
export class SimulatedCluster {
  readonly options: ClusterOptions;
  readonly certificates: ClusterCertificates;
  readonly tokens: TokenIssuer;
  readonly authorizer: Authorizer;
  readonly resources: ClusterResources;
  readonly aggregator: Aggregator;
  readonly apiServer: ApiServer;
  readonly pods: PodRegistry;
  readonly #nodes = new Map<string, SimulatedNode>();
  readonly #summaries: SummaryDocument;
  readonly #fleet: KubeletFleet;
  readonly #population: Population;
  readonly #startedAt: EpochMs;
  /** Of the next node that never was. */
  #number = 0;

  private constructor(options: ClusterOptions, certificates: ClusterCertificates, tokens: TokenIssuer) {
    const { clock, seed } = options;
    this.options = options;
    this.certificates = certificates;
    this.tokens = tokens;
    this.authorizer = new Authorizer();
    this.resources = clusterResources();
    this.#startedAt = epochMs(Math.floor(clock.now()) - options.history);
    const { store } = this.resources.pods;
    const { namespaces } = this.resources;
    const random = seededRandom(mix(seed, 6));
    const factory = new PodFactory(options);
    const hasNamespace = (name: string): boolean => namespaces.store.get(undefined, name) !== undefined;
    this.pods = new PodRegistry({ clock, store, factory, random, hasNamespace });
    this.#population = new Population(options, this.pods, clock);
    this.#summaries = new SummaryDocument(options.psi);
    this.#fleet = new KubeletFleet(certificates, options.servingNames);
    this.aggregator = new Aggregator({ clock, client: certificates.proxyClient, versions: options.metricsVersions });
    this.apiServer = new ApiServer({
      certificate: certificates.apiServer,
      clientAuthority: certificates.cluster.cert,
      types: Object.values(this.resources),
      aggregator: this.aggregator,
      authorizer: this.authorizer,
      tokens,
      pods: this.pods,
      clock,
      bookmarkEvery: options.bookmarkEvery,
    });
  }

  /**
   * Starts kubelets and API server on free ports.
   * @throws the system's error when something cannot listen; nothing is left running then
   */
  static async start(options: Partial<ClusterOptions> = {}): Promise<SimulatedCluster> {
    const full = { ...defaultClusterOptions, ...options };
    const [certificates, tokens] = await Promise.all([makeCertificates(full.clock), TokenIssuer.create(full.clock)]);
    const cluster = new SimulatedCluster(full, certificates, tokens);
    try {
      await cluster.#start();
      return cluster;
    } catch (error) {
      await cluster.stop();
      throw error;
    }
  }

  /** Names of the nodes there are, in order. */
  get nodeNames(): readonly string[] {
    return [...this.#nodes.keys()].sort();
  }

  /** Registers the aggregated API server for metrics.k8s.io, or removes it with undefined. */
  setBackend(backend: BackendAddress | undefined): void {
    this.aggregator.setBackend(backend);
    const { store } = this.resources.apiServices;
    for (const version of this.options.metricsVersions)
      if (backend === undefined) store.delete(undefined, `${version}.${apiGroup}`);
      else this.#showApiService(version, this.aggregator.availability);
  }

  /** Where the kubelet of a node listens. */
  kubeletAddress(node: string): Address {
    return this.#fleet.address(node);
  }

  /** The kubelet of a node, for its faults and request counts. */
  kubelet(node: string): Kubelet {
    return this.#fleet.kubelet(node);
  }

  /** Makes a node's kubelet misbehave, or behave again with undefined. */
  async setKubeletFault(node: string, fault: KubeletFault | undefined): Promise<void> {
    await this.#fleet.setFault(node, fault);
  }

  /** Sets a node's Ready condition; its kubelet answers as before. */
  setReady(node: string, ready: boolean): void {
    this.#showNode(this.#node(node), ready);
  }

  /** So many more nodes join, with pods that have been running for long. Gives their names. */
  async addNodes(count: number): Promise<readonly string[]> {
    const nodes = Array.from({ length: count }, () => this.#birth(this.#number++));
    await this.#join(nodes);
    for (const node of nodes) this.#population.settle(node, this.#startedAt);
    return nodes.map(({ name }) => name);
  }

  /** Takes a node out of the cluster with all its pods; its kubelet no longer listens. */
  async removeNode(name: string): Promise<void> {
    this.pods.removeNode(this.#node(name));
    this.#nodes.delete(name);
    this.resources.nodes.store.delete(undefined, name);
    await this.#fleet.remove(name);
  }

  /** Brings a node back that was removed; it has no pods. */
  async returnNode(name: string): Promise<void> {
    await this.#join([this.#birth(nodeNumber(name))]);
  }

  /** What a container truly used, between two instants. */
  containerTruth(namespace: string, pod: string, container: string): Truth<Nanocores, Bytes> {
    const found = this.pods.pod(namespace, pod).container(container);
    if (found === undefined) throw new SimError('unknown-object', `pod ${namespace}/${pod} has no ${container}`);
    return truthOf(found);
  }

  /** Writes everything that somebody outside the process needs: see `writeClusterFiles`. */
  async writeFiles(directory: string): Promise<void> {
    await writeClusterFiles(directory, this.apiServer.url, this.certificates, this.tokens);
  }

  /** Closes everything; safe to call twice. */
  async stop(): Promise<void> {
    this.#population.stop();
    this.pods.stop();
    await Promise.all([this.apiServer.stop(), this.#fleet.stop()]);
  }

  async #start(): Promise<void> {
    this.#fillStores();
    await this.addNodes(this.options.nodes);
    this.resources.pods.store.compact();
    this.aggregator.onChange((availability) => {
      if (!this.aggregator.registered) return;
      for (const version of this.options.metricsVersions) this.#showApiService(version, availability);
    });
    await this.apiServer.start();
    this.#population.start(() => [...this.#nodes.values()]);
    this.setBackend(this.options.backend);
  }

  #fillStores(): void {
    const { namespaces, configMaps } = this.resources;
    const teams = Array.from({ length: this.options.namespaces }, (_, number) => namespaceName(number));
    for (const name of ['default', 'kube-system', ...teams])
      namespaces.store.put(namespaceObject(name, this.#startedAt));
    const { cluster, frontProxy } = this.certificates;
    const data = authenticationConfig(cluster.cert, frontProxy.cert);
    const name = 'extension-apiserver-authentication';
    configMaps.store.put(configMapObject('kube-system', name, data, this.#startedAt));
  }

  async #join(nodes: readonly SimulatedNode[]): Promise<void> {
    const { clock } = this.options;
    const access: KubeletAccess = {
      authenticate: async (token) => await this.tokens.verify(token),
      authorize: (identity, attributes) => this.authorizer.authorize(identity, attributes).allowed,
    };
    const summaries = this.#summaries;
    await this.#fleet.add(nodes.map((node) => new Kubelet({ node, clock, access, summaries })));
    for (const node of nodes) {
      this.#nodes.set(node.name, node);
      this.pods.addNode(node);
      this.#showNode(node, true);
    }
  }

  #birth(number: number): SimulatedNode {
    const { cpusPerNode: cpus, memoryPerNode: memory, seed, clock } = this.options;
    const name = nodeName(number);
    const labels = {
      'kubernetes.io/os': 'linux',
      'kubernetes.io/hostname': name,
      pool: number % 2 === 1 ? 'odd' : 'even',
    };
    const uid = `00000000-0000-4000-a000-${String(number).padStart(12, '0')}`;
    const bootedAt = epochMs(this.#startedAt - 60_000);
    const knownFrom = epochMs(clock.now() - 30_000 + ((number * 997) % 10_000));
    return new SimulatedNode({ name, uid, number, labels, bootedAt, knownFrom, cpus, memory, seed });
  }

  #showNode(node: SimulatedNode, ready: boolean): void {
    const address = this.#fleet.address(node.name);
    this.resources.nodes.store.put(nodeObject(node, address, ready, this.options.clock.now()));
  }

  #showApiService(version: string, availability: Availability): void {
    const now = this.options.clock.now();
    const object = apiServiceObject(apiGroup, version, availability, this.#startedAt, now);
    this.resources.apiServices.store.put(object);
  }

  /** @throws SimError `unknown-object` for a node that does not exist or was removed */
  #node(name: string): SimulatedNode {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new SimError('unknown-object', `there is no simulated node ${name}`);
    return node;
  }
}
