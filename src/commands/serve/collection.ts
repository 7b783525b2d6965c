import { PodNodes } from '../../inventory/pod-nodes.ts';
import { InventoryWatch } from '../../inventory/watch-inventory.ts';
import { kubeletCredentials } from '../../kube/kubelet-credentials.ts';
import type { Clock } from '../../model/clock.ts';
import { KnownStrings } from '../../model/known-strings.ts';
import { milliseconds } from '../../model/units.ts';
import type { ServeOptions } from '../../options/serve-options.ts';
import { KubeletClient } from '../../scrape/kubelet-client.ts';
import { Newcomers } from '../../scrape/newcomers.ts';
import { Scraper } from '../../scrape/scraper.ts';
import type { RootLogger } from '../../telemetry/logger.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { Transitions } from '../../telemetry/transitions.ts';
import type { WindowStore } from '../../windows/window-store.ts';
import { absences } from './absences.ts';
import { finishInTurns } from './turns.ts';
import type { Holdings } from './holdings.ts';
import type { KubeClients } from './kube-clients.ts';

export interface CollectionDependencies {
  readonly options: ServeOptions;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: RootLogger;
  readonly telemetry: Telemetry;
  readonly holdings: Holdings;
  readonly clients: Pick<KubeClients, 'main' | 'credentials'>;
}

/** The half of the server that gathers: who exists, what they use. */
export interface Collection {
  readonly watch: InventoryWatch;
  readonly scraper: Scraper;
  start(): void;
  stop(): Promise<void>;
}

/** Joins inventory, scraping and windows; what they gather goes into the holdings. Rejects with `KubeError` `config` when a kubelet certificate file cannot be used. */
export async function createCollection(deps: CollectionDependencies): Promise<Collection> {
  const { options, clock, random, log, telemetry } = deps;
  const { inventory, store } = deps.holdings;
  const client = deps.clients.main;
  const strings = new KnownStrings();
  const watch = new InventoryWatch({
    client,
    inventory,
    nodeSelector: options.nodeSelector,
    clock,
    logger: log.named('inventory'),
    random,
    onRestart: (resource, reason) => telemetry.watchRestarted(resource, reason),
    strings,
  });
  const troubles = new Transitions(log.named('scrape'), clock);
  const scraper = createScraper(deps, await createKubeletClient(deps), store, strings, troubles);
  const podNodes = new PodNodes({ client, clock, logger: log.named('inventory') });
  /** Nodes of pods that no kubelet has reported, by uid. */
  const located = new Map<string, string>();
  const newcomers = new Newcomers({
    clock,
    find: (namespace, name) => inventory.pod(namespace, name),
    isServed: (pod) => store.pod(pod) !== undefined,
    reportedBy: (pod) => store.nodeOf(pod),
    async locate({ namespace, name, uid }) {
      const nodeName = await podNodes.locate(namespace, name);
      if (nodeName !== undefined && inventory.pod(namespace, name)?.uid === uid) located.set(uid, nodeName);
      return nodeName;
    },
    pull: (nodeName) => scraper.pullForward(nodeName, milliseconds(0)),
  });
  inventory.subscribe({
    nodeAdded: (node) => scraper.addNode(node),
    nodeChanged: (node) => scraper.addNode(node),
    nodeRemoved({ name }) {
      store.removeNode(name);
      telemetry.nodeGone(name);
      troubles.forget(name);
      troubles.forget(blankKey(name));
      void scraper.removeNode(name);
    },
    podAdded(pod, isNew) {
      if (isNew) newcomers.add(pod);
    },
    podRemoved(pod) {
      store.removePod(pod);
      located.delete(pod.uid);
    },
    synced: () =>
      log.named('inventory').info('Inventory synced', { nodes: inventory.nodeCount, pods: inventory.podCount }),
  });
  telemetry.observe({
    inventory: () => ({
      nodes: inventory.nodeCount,
      readyNodes: inventory.nodes().filter(({ ready }) => ready).length,
      pods: inventory.podCount,
    }),
    windows: async () => await finishInTurns(store.census()),
    scraping: () => scraper.census,
    absent: async () => await finishInTurns(absences(inventory, store, ({ uid }) => located.get(uid))),
  });
  return {
    watch,
    scraper,
    start: () => watch.start(),
    async stop() {
      await watch.stop();
      await scraper.stop();
    },
  };
}

async function createKubeletClient({
  options: { kubelet },
  clock,
  log,
  telemetry,
  clients,
}: CollectionDependencies): Promise<KubeletClient> {
  const identity = kubelet.completelyInsecure
    ? undefined
    : await kubeletCredentials(clients.credentials, kubelet, clock, log.named('kubelet'));
  return new KubeletClient({
    clock,
    port: kubelet.port,
    useNodeStatusPort: kubelet.useNodeStatusPort,
    addressTypes: kubelet.preferredAddressTypes,
    identity,
    insecureTls: kubelet.insecureTls,
    maxBodySize: kubelet.maxBodySize,
    maxIdleConnections: kubelet.maxIdleConnections,
    onBody: (size) => telemetry.kubeletBodyReceived(size),
  });
}

/** Of a node that answers without telling of itself. */
function blankKey(nodeName: string): string {
  return `${nodeName} itself`;
}

/** What happens to a node is one line when it begins to fail and one when it works again. */
function createScraper(
  { options, clock, random, log: root, telemetry }: CollectionDependencies,
  kubelets: KubeletClient,
  store: WindowStore,
  strings: KnownStrings,
  troubles: Transitions,
): Scraper {
  const log = root.named('scrape');
  return new Scraper({
    clock,
    random,
    resolution: options.metricResolution,
    requestTimeout: options.kubelet.requestTimeout,
    kubelets,
    strings,
    source: options.kubelet.source,
    publish(node, reading) {
      store.accept(node, reading);
      const [key, fields] = [blankKey(node.name), { node: node.name, source: reading.source }];
      if (reading.node !== undefined) troubles.recovered(key, 'Node tells its own usage again', fields);
      else
        troubles.failed(
          key,
          new Error(`the answer has neither CPU nor memory of the node itself; it has ${reading.pods.length} pods`),
          'Node answers, but has no metrics',
          fields,
        );
    },
    onStart: (delay) => telemetry.cycleStarted(delay),
    onAttempt({ node, duration, error, retry }) {
      telemetry.kubeletRequestFinished({
        node: node.name,
        duration,
        ...(error === undefined ? {} : { failure: error.code }),
      });
      if (retry) telemetry.scrapeRetried();
    },
    onCycle({ node, duration, error, failures, backedOff }) {
      telemetry.cycleFinished(duration);
      if (backedOff) telemetry.scrapeBackedOff();
      if (error === undefined) troubles.recovered(node.name, 'Node answers again', { node: node.name });
      else
        troubles.failed(
          node.name,
          error,
          'Node cannot be scraped',
          { node: node.name, ready: node.ready, failures },
          !node.ready,
        );
      if (log.enabled(2))
        log.verbose(2, 'Scrape finished', { node: node.name, seconds: duration / 1000, success: error === undefined });
    },
    onFallback(node, cause) {
      telemetry.sourceFellBack(cause.code === 'status' ? String(cause.status) : cause.code);
      log.warning('Summary API not usable, reading /metrics/resource instead', {
        node: node.name,
        reason: cause.message,
      });
    },
  });
}
