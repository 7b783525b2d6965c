import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { it, type TestContext } from 'node:test';
import { queryObjects } from 'node:v8';
import { milliseconds, seconds } from '../../src/model/units.ts';
import type { SimulatedCluster } from '../../src/sim/cluster.ts';
import type { KubeletFault } from '../../src/sim/kubelet/kubelet-fault.ts';
import { atOnce } from '../support/at-once.ts';
import { startCluster } from '../support/cluster.ts';
import { collect, type Collecting } from '../support/collection.ts';
import { CountingClock } from '../support/counting-clock.ts';
import { eventually } from '../support/eventually.ts';

/** Once more after these, since what is left once came late: code, or a metric of what seldom happens. What leaks is left of both. */
const generations = 8;
const nodesEach = 500;
/** The first generations also fill caches, compile code and bring metrics that stay. */
const warmUp = 4;
const patience = 60_000;
/** Objects that may be left: one for forty nodes, that is, none. */
const mostObjects = 100;
/** Bytes. What grows is the table of known strings, which has 65,536 places. */
const mostGrowth = 2_000_000;

/** What the first nodes of each generation do, in turn: some fail, some are still asked when they leave. */
const faults: readonly KubeletFault[] = [
  { kind: 'hang' },
  { kind: 'status', status: 500 },
  { kind: 'reset' },
  { kind: 'garbage' },
];
const failing = 40;
/** All but those that hang. */
const failures = (failing * 3) / 4;

it('ten thousand nodes with their pods, come, scraped and gone, leave nothing behind', async (context) => {
  const churn = await Churn.start(context);
  await churn.generations(warmUp);
  const before = await churn.rest();
  await churn.generations(generations);
  const between = await churn.rest(before.objects + mostObjects);
  await churn.generations(generations);
  const after = await churn.rest(between.objects + mostObjects);

  const scraped = { fromSummary: 0, fromResource: 0, backingOff: 0 };
  assert.deepEqual(after.held, { nodes: 0, pods: 0, scraped, series: { nodes: 0, pods: 0, series: 0 } });
  assert.equal(after.timers, before.timers);
  for (const [kind, count] of Object.entries(after.system))
    assert.ok(count <= (before.system[kind] ?? 0), `${count} of ${kind}, ${before.system[kind] ?? 0} before`);
  const left = [growth(before, between), growth(between, after)];
  for (const { objects, heap, metrics } of left)
    context.diagnostic(`left: ${objects} objects, ${heap} bytes, metrics: ${metrics.join(' ')}`);
  assert.ok(Math.min(...left.map(({ objects }) => objects)) < mostObjects, 'objects are left');
  assert.ok(Math.min(...left.map(({ heap }) => heap)) < mostGrowth, 'the heap grows');
  assert.ok(
    left.some(({ metrics }) => metrics.length === 0),
    'metrics are left',
  );
});

function growth(before: Rest, after: Rest) {
  return {
    objects: after.objects - before.objects,
    heap: after.heap - before.heap,
    metrics: after.metrics.filter((series) => !before.metrics.includes(series)),
  };
}

/** What there is while there are no nodes. */
interface Rest {
  readonly held: object;
  /** Names and labels of all Prometheus series. */
  readonly metrics: readonly string[];
  readonly timers: number;
  /** Sockets, listeners and whatever else keeps the process alive, by kind; open files. */
  readonly system: Readonly<Record<string, number>>;
  /** Objects, arrays, functions and whatever else inherits from Object that are alive. */
  readonly objects: number;
  /** Bytes of the heap. */
  readonly heap: number;
}

/** Nodes and pods that come and go at the simulated API server, with TLS kubelets, while the collection follows them. */
class Churn {
  readonly #cluster: SimulatedCluster;
  readonly #collecting: Collecting;
  readonly #clock: CountingClock;

  private constructor(cluster: SimulatedCluster, collecting: Collecting, clock: CountingClock) {
    this.#cluster = cluster;
    this.#collecting = collecting;
    this.#clock = clock;
  }

  static async start(context: TestContext): Promise<Churn> {
    const clock = new CountingClock();
    context.after(() => clock.stop());
    const cluster = await startCluster(context, { nodes: 0, podsPerNode: 1, startup: milliseconds(1) });
    const flags = ['--metric-resolution=60s', '--per-node-metrics'];
    const collecting = await collect(context, cluster, flags, clock);
    await eventually(() => collecting.inventory.synced, 'lists of nodes and pods');
    return new Churn(cluster, collecting, clock);
  }

  async generations(count: number): Promise<void> {
    for (let generation = 0; generation < count; generation++) await this.#generation();
  }

  /** So many nodes join and are scraped, a pod of each is replaced, all leave. */
  async #generation(): Promise<void> {
    const { inventory, store } = this.#collecting;
    const failedBefore = await this.#failures();
    const names = await this.#cluster.addNodes(nodesEach);
    // Before anybody has heard of them.
    for (const [number, name] of names.slice(0, failing).entries())
      this.#cluster.kubelet(name).fault = faults[number % faults.length];
    const well = nodesEach - failing;
    const served = (count: number): boolean =>
      store.size.pods >= count && atOnce(store.census()).container.count === count;
    await eventually(() => served(well), 'usage of all containers', patience);
    const first = [...this.#cluster.pods.pods];
    for (const { birth } of first) this.#replace(birth.namespace, birth.name, birth.nodeName);
    const replaced = (): boolean =>
      inventory.podCount === nodesEach &&
      first.every(({ birth }) => inventory.pod(birth.namespace, birth.name) === undefined);
    await eventually(replaced, 'pods in place of others', patience);
    await eventually(async () => (await this.#failures()) >= failedBefore + failures, 'failed scrapes', patience);
    for (const name of names) await this.#cluster.removeNode(name);
    await eventually(() => inventory.nodeCount === 0 && inventory.podCount === 0, 'no nodes and pods', patience);
  }

  /**
   * What there is when nobody waits for the last generation's pods any more.
   * @param objectsExpected so many objects are few enough to wait for no more of them to go
   */
  async rest(objectsExpected = 0): Promise<Rest> {
    const { inventory, store, scraper } = this.#collecting;
    this.#clock.hurry(seconds(30));
    await eventually(() => (systemResources()['TCPSocketWrap'] ?? 0) < 10, 'the end of connections', patience);
    const { nodes, pods } = this.#cluster.resources;
    assert.deepEqual([nodes.store.size, pods.store.size, this.#cluster.pods.size], [0, 0, 0]);
    // The simulated API server remembers so many changes, for watches that resume.
    for (const { store: changes } of [nodes, pods]) changes.compact();
    const metrics = (await this.#collecting.series()).map((line) => line.replace(/ \S+$/, ''));
    const objects = await fewestObjects(objectsExpected);
    return {
      held: { nodes: inventory.nodeCount, pods: inventory.podCount, scraped: scraper.census, series: store.size },
      metrics,
      timers: this.#clock.waiting,
      system: systemResources(),
      objects,
      heap: process.memoryUsage().heapUsed,
    };
  }

  #replace(namespace: string, name: string, nodeName: string): void {
    this.#cluster.pods.delete({ namespace, name }, 0);
    const spec = { nodeName, containers: [{ name: 'main' }] };
    this.#cluster.pods.create(namespace, { metadata: { name: `next-${name}` }, spec });
  }

  async #failures(): Promise<number> {
    const line = (await this.#collecting.series()).find((text) =>
      text.includes('kubelet_request_total{success="false"'),
    );
    return Number(line?.split(' ').at(-1) ?? 0);
  }
}

function systemResources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1;
  // Linux alone tells it.
  if (existsSync('/proc/self/fd')) counts['open files'] = readdirSync('/proc/self/fd').length;
  return counts;
}

/** How many are left when closed connections have been let go, which takes seconds: at once when there are no more than `expected`. */
async function fewestObjects(expected: number): Promise<number> {
  // Seconds without one going. A busy machine may take longer than the first, which makes the number to compare with too high, and nothing fail.
  const stillFor = expected === 0 ? 5 : 60;
  let fewest = countObjects();
  for (let still = 0; still < stillFor && fewest > expected; still++) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const count = countObjects();
    if (count < fewest) [fewest, still] = [count, 0];
  }
  return fewest;
}

/** Collects garbage first. */
function countObjects(): number {
  return Number(queryObjects(Object));
}
