import { epochMs, type Bytes, type EpochMs, type Nanocores } from '../model/units.ts';
import { metricsGroup } from './aggregated-group.ts';
import { Aggregator, type Availability } from './aggregator.ts';
import { ApiServer } from './api-server.ts';
import type { BackendAddress } from './backend.ts';
import { ClusterCertificates } from './cluster-certificates.ts';
import { ClusterFiles, type UserName } from './cluster-files.ts';
import { defaultClusterOptions, type ClusterOptions } from './cluster-options.ts';
import {
  apiServiceObject,
  authenticationConfig,
  clusterResources,
  configMapObject,
  namespaceObject,
  type ClusterResources,
} from './cluster-resources.ts';
import type { KubeletAddress } from './kubelet-endpoint.ts';
import type { KubeletFault } from './kubelet-fault.ts';
import { KubeletFleet } from './kubelet-fleet.ts';
import { Kubelet, type KubeletAccess } from './kubelet.ts';
import { nodeObject } from './node-object.ts';
import { PodFactory } from './pod-factory.ts';
import { PodRegistry } from './pod-registry.ts';
import { namespaceName, nodeName, Population, startOfHistory } from './population.ts';
import { Authorizer } from './rbac.ts';
import { mix, seededRandom } from './seeded-random.ts';
import { SimError } from './sim-error.ts';
import { SimulatedNode } from './simulated-node.ts';
import { summaryWriters } from './summary-document.ts';
import { TokenIssuer } from './token-issuer.ts';
import { containerTruth, nodeTruth, type Truth } from './truth.ts';
import type { ContainerUsage } from './usage.ts';

/**
 * A cluster in one process: kubelets over real TLS on loopback, an API server with aggregation in front, and known
 * usage. Several can run side by side; `stop` leaves nothing behind.
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
  readonly #nodes: readonly SimulatedNode[];
  readonly #present = new Set<number>();
  readonly #population: Population;
  readonly #startedAt: EpochMs;
  readonly #files: ClusterFiles;
  #fleet: KubeletFleet | undefined;

  private constructor(options: ClusterOptions, certificates: ClusterCertificates, tokens: TokenIssuer) {
    const { clock, seed } = options;
    this.options = options;
    this.certificates = certificates;
    this.tokens = tokens;
    this.authorizer = new Authorizer();
    this.resources = clusterResources();
    this.#startedAt = startOfHistory(clock.now(), options.history);
    const { store } = this.resources.pods;
    const { namespaces } = this.resources;
    const random = seededRandom(mix(seed, 6));
    const factory = new PodFactory(options);
    const hasNamespace = (name: string): boolean => namespaces.store.get(undefined, name) !== undefined;
    this.pods = new PodRegistry({ clock, store, factory, random, hasNamespace });
    this.#population = new Population(options, this.pods, clock);
    this.#nodes = Array.from({ length: options.nodes }, (_, number) => this.#birth(number));
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
    this.#files = new ClusterFiles(() => this.apiServer.url, certificates, tokens);
  }

  /**
   * Starts kubelets and API server on free ports.
   * @throws SimError `no-address` or the system's error when something cannot listen; nothing is left running then
   */
  static async start(options: Partial<ClusterOptions> = {}): Promise<SimulatedCluster> {
    const full = { ...defaultClusterOptions, ...options };
    const [certificates, tokens] = await Promise.all([
      ClusterCertificates.create(full.clock),
      TokenIssuer.create(full.clock),
    ]);
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
    return [...this.#present].sort((a, b) => a - b).map(nodeName);
  }

  /** Names of all namespaces that hold applications. */
  get namespaces(): readonly string[] {
    return Array.from({ length: this.options.namespaces }, (_, number) =>
      namespaceName(number, this.options.namespaces),
    );
  }

  /** Registers the aggregated API server for metrics.k8s.io, or removes it with undefined. */
  setBackend(backend: BackendAddress | undefined): void {
    this.aggregator.setBackend(backend);
    const { store } = this.resources.apiServices;
    for (const version of this.options.metricsVersions)
      if (backend === undefined) store.delete(undefined, `${version}.${metricsGroup}`);
      else this.#showApiService(version, this.aggregator.availability);
  }

  /** Where the kubelet of a node listens. */
  kubeletAddress(node: string): KubeletAddress {
    return this.#fleetNow().address(this.#number(node));
  }

  /** The kubelet of a node, for its faults and request counts. */
  kubelet(node: string): Kubelet {
    return this.#fleetNow().kubelet(this.#number(node));
  }

  /** Makes a node's kubelet misbehave, or behave again with undefined. */
  async setKubeletFault(node: string, fault: KubeletFault | undefined): Promise<void> {
    await this.#fleetNow().setFault(this.#number(node), fault);
  }

  /** Sets a node's Ready condition; its kubelet answers as before. */
  setReady(node: string, ready: boolean): void {
    this.#showNode(this.#number(node), ready);
  }

  /** Takes a node out of the cluster with all its pods; its kubelet no longer listens. */
  async removeNode(node: string): Promise<void> {
    const number = this.#number(node);
    this.#present.delete(number);
    this.pods.removeNode(this.#node(number));
    this.resources.nodes.store.delete(undefined, node);
    await this.#fleetNow().setFault(number, { kind: 'refuse' });
  }

  /** Brings a node back that was removed; it has no pods. */
  async returnNode(node: string): Promise<void> {
    const number = this.#nodes.findIndex(({ name }) => name === node);
    await this.#fleetNow().setFault(number, undefined);
    this.pods.addNode(this.#node(number));
    this.#present.add(number);
    this.#showNode(number, true);
  }

  /** Lets a container follow other scripts from now on. */
  setUsage(namespace: string, pod: string, container: string, usage: ContainerUsage): void {
    const found = this.pods.pod(namespace, pod).container(container);
    if (found === undefined) throw new SimError('unknown-object', `pod ${namespace}/${pod} has no ${container}`);
    found.setUsage(this.options.clock.now(), usage);
  }

  /** What a container truly used, between two instants. */
  containerTruth(namespace: string, pod: string, container: string): Truth<Nanocores, Bytes> {
    return containerTruth(this.pods.pod(namespace, pod), container);
  }

  /** What a node truly used, between two instants. */
  nodeTruth(node: string): Truth<Nanocores, Bytes> {
    return nodeTruth(this.#node(this.#number(node)));
  }

  /** The text of a kubeconfig: client certificates for people, a service account's token for kubetally and others. */
  async kubeconfig(user: UserName | (string & {})): Promise<string> {
    return await this.#files.kubeconfig(user);
  }

  async writeKubeconfig(user: UserName | (string & {}), path: string): Promise<void> {
    await this.#files.writeKubeconfig(user, path);
  }

  /** Writes everything that somebody outside the process needs: see `ClusterFiles.write`. */
  async writeFiles(directory: string): Promise<void> {
    await this.#files.write(directory);
  }

  /** Closes everything; safe to call twice. */
  async stop(): Promise<void> {
    this.#population.stop();
    this.pods.stop();
    await Promise.all([this.apiServer.stop(), this.#fleet?.stop()]);
  }

  async #start(): Promise<void> {
    const { clock, psi, servingNames, backend } = this.options;
    const access: KubeletAccess = {
      authenticate: async (token) => await this.tokens.verify(token),
      authorize: (identity, attributes) => this.authorizer.authorize(identity, attributes).allowed,
    };
    const writers = summaryWriters(psi);
    const kubelets = this.#nodes.map((node) => new Kubelet({ node, clock, access, writers }));
    this.#fleet = await KubeletFleet.start(this.certificates, kubelets, servingNames);
    this.#fillStores();
    this.aggregator.onChange((availability) => {
      if (!this.aggregator.registered) return;
      for (const version of this.options.metricsVersions) this.#showApiService(version, availability);
    });
    await this.apiServer.start();
    this.#population.start(() => [...this.#present].map((number) => this.#node(number)));
    if (backend !== undefined) this.setBackend(backend);
  }

  #fillStores(): void {
    const { namespaces, configMaps, pods } = this.resources;
    for (const name of ['default', 'kube-system', ...this.namespaces])
      namespaces.store.put(namespaceObject(name, this.#startedAt));
    const { cluster, frontProxy } = this.certificates;
    const data = authenticationConfig(cluster.cert, frontProxy.cert);
    const name = 'extension-apiserver-authentication';
    configMaps.store.put(configMapObject('kube-system', name, data, this.#startedAt));
    for (const [number, node] of this.#nodes.entries()) {
      this.#present.add(number);
      this.pods.addNode(node);
      this.#showNode(number, true);
      this.#population.settle(node, this.#startedAt);
    }
    pods.store.compact();
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

  #showNode(number: number, ready: boolean): void {
    const address = this.#fleetNow().address(number);
    const now = this.options.clock.now();
    this.resources.nodes.store.put(nodeObject(this.#node(number), address, ready, now));
  }

  #showApiService(version: string, availability: Availability): void {
    const now = this.options.clock.now();
    const object = apiServiceObject(metricsGroup, version, availability, this.#startedAt, now);
    this.resources.apiServices.store.put(object);
  }

  /** @throws SimError `unknown-object` for a node that does not exist or was removed */
  #number(name: string): number {
    const number = this.#nodes.findIndex((node) => node.name === name);
    if (!this.#present.has(number)) throw new SimError('unknown-object', `there is no simulated node ${name}`);
    return number;
  }

  #node(number: number): SimulatedNode {
    const node = this.#nodes[number];
    if (node === undefined) throw new SimError('unknown-object', `there is no simulated node ${number}`);
    return node;
  }

  #fleetNow(): KubeletFleet {
    if (this.#fleet === undefined) throw new SimError('unknown-object', 'the simulated cluster is not running');
    return this.#fleet;
  }
}
