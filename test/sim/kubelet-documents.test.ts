import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { epochMs, milliseconds } from '../../src/model/units.ts';
import type { SimulatedCluster } from '../../src/sim/cluster.ts';
import { goNumber } from '../../src/sim/kubelet/resource-document.ts';
import { askKubelet, startCluster } from '../support/cluster.ts';
import { FakeClock } from '../support/fake-clock.ts';

interface Usage {
  readonly cpu?: { readonly time: string; readonly usageNanoCores: number; readonly usageCoreNanoSeconds: number };
  readonly memory?: { readonly time: string; readonly workingSetBytes: number };
}
interface Container extends Usage {
  readonly name: string;
  readonly startTime: string;
}
interface Pod extends Usage {
  readonly podRef: { readonly name: string; readonly namespace: string; readonly uid: string };
  readonly containers: readonly Container[];
}
interface Summary {
  readonly node: Usage & { readonly nodeName: string };
  readonly pods: readonly Pod[] | null;
}

const brief = '/stats/summary?only_cpu_and_memory=true';

async function summary(cluster: SimulatedCluster, path = brief): Promise<Summary> {
  return JSON.parse((await askKubelet(cluster, 'node-00000', path)).body) as Summary;
}

async function container(cluster: SimulatedCluster, pod: string, name = 'c0'): Promise<Container | undefined> {
  const { pods } = await summary(cluster);
  return pods?.find(({ podRef }) => podRef.name === pod)?.containers.find((candidate) => candidate.name === name);
}

describe('the documents of a simulated kubelet', () => {
  let clock: FakeClock;
  let cluster: SimulatedCluster;
  const cleanups: (() => unknown)[] = [];
  const context = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) };

  before(async () => {
    clock = new FakeClock('2026-11-22T10:00:00.500Z');
    const options = { clock, nodes: 1, podsPerNode: 6, containersPerPod: 2, staticPodsPerNode: 1 };
    cluster = await startCluster(context, { ...options, startup: milliseconds(1000) });
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  it('are indented by one space and start with the node', async () => {
    const { body, headers } = await askKubelet(cluster, 'node-00000', brief);
    assert.ok(body.startsWith('{\n "node": {\n  "nodeName": "node-00000",\n'));
    assert.equal(body, JSON.stringify(JSON.parse(body), null, 1));
    assert.equal(headers['content-type'], 'application/json');
    assert.equal(headers['content-encoding'], undefined);
    assert.equal(headers.date, 'Sun, 22 Nov 2026 10:00:00 GMT');
  });

  it('cut all times to whole seconds', async () => {
    const { body } = await askKubelet(cluster, 'node-00000', brief);
    const times = [...body.matchAll(/"(?:time|startTime)": "([^"]+)"/g)].map(([, time = '']) => time);
    assert.ok(times.length > 50);
    for (const time of times) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  it('say what the containers truly use', async () => {
    const now = clock.now();
    const { pods } = await summary(cluster);
    for (const pod of pods?.filter(({ podRef }) => podRef.namespace.startsWith('team-')) ?? [])
      for (const { name, cpu, memory } of pod.containers) {
        const truth = cluster.containerTruth(pod.podRef.namespace, pod.podRef.name, name);
        const rate = truth.trueRate(epochMs(now - 20_000), now);
        assert.ok(cpu !== undefined && Math.abs(cpu.usageNanoCores - rate) <= 2, `${cpu?.usageNanoCores} ${rate}`);
        assert.equal(memory?.workingSetBytes, truth.trueMemory(now));
      }
  });

  it('list pods in another order from time to time', async () => {
    const orders = new Set<string>();
    for (let time = 0; time < 8; time++) {
      await clock.advance(10_000);
      orders.add(((await summary(cluster)).pods ?? []).map(({ podRef }) => podRef.name).join());
    }
    assert.ok(orders.size > 1);
  });

  it('name a static pod by its configuration hash', async () => {
    const object = cluster.resources.pods.store.get('kube-system', 'static-0-node-00000');
    const { pods } = await summary(cluster);
    const uid = pods?.find(({ podRef }) => podRef.namespace === 'kube-system')?.podRef.uid ?? '';
    assert.match(uid, /^[0-9a-f]{32}$/);
    assert.equal(object?.meta.annotations?.['kubernetes.io/config.hash'], uid);
    assert.notEqual(object?.meta.uid, uid);
  });

  it('count from 0 again after a restart, with a newer start time', async () => {
    const old = await container(cluster, 'app-1-00000');
    cluster.pods.restart('team-1', 'app-1-00000', 'c0');
    assert.equal(await container(cluster, 'app-1-00000'), undefined);
    await clock.advance(1500);
    const fresh = await container(cluster, 'app-1-00000');
    assert.ok(old?.cpu !== undefined && fresh?.cpu !== undefined);
    assert.ok(fresh.startTime > old.startTime);
    assert.ok(fresh.cpu.usageCoreNanoSeconds < old.cpu.usageCoreNanoSeconds);
    assert.equal(fresh.cpu.usageNanoCores, 0);
  });

  it('list an init container while it runs, a sidecar always, and neither before it has been sampled with numbers', async () => {
    const spec = {
      nodeName: 'node-00000',
      initContainers: [{ name: 'proxy', restartPolicy: 'Always' }, { name: 'prepare' }],
      containers: [{ name: 'main' }],
    };
    cluster.pods.create('team-0', { metadata: { name: 'layered' }, spec });
    const names = async (): Promise<string[]> => {
      const { pods } = await summary(cluster);
      const pod = pods?.find(({ podRef }) => podRef.name === 'layered');
      return pod?.containers.map(({ name }) => name).sort() ?? [];
    };
    assert.deepEqual(await names(), []);
    await clock.advance(1000);
    assert.deepEqual(await names(), ['prepare', 'proxy']);
    assert.equal((await container(cluster, 'layered', 'proxy'))?.cpu, undefined);
    await clock.advance(2500);
    assert.deepEqual(await names(), ['main', 'proxy']);
    assert.notEqual((await container(cluster, 'layered', 'proxy'))?.cpu, undefined);
  });

  it('keep the node counter growing when a pod leaves', async () => {
    const previous = (await summary(cluster)).node.cpu?.usageCoreNanoSeconds ?? 0;
    cluster.pods.delete({ namespace: 'team-0', name: 'app-2-00000' }, 0);
    await clock.advance(15_000);
    const { node, pods } = await summary(cluster);
    assert.ok((node.cpu?.usageCoreNanoSeconds ?? 0) > previous);
    assert.ok(!pods?.some(({ podRef }) => podRef.name === 'app-2-00000'));
  });

  it('say more of storage and network in the full document, asked for in any other way', async () => {
    const full = await askKubelet(cluster, 'node-00000', '/stats/summary');
    const repeated = await askKubelet(cluster, 'node-00000', `${brief}&only_cpu_and_memory=true`);
    const short = await askKubelet(cluster, 'node-00000', brief);
    for (const { body } of [full, repeated]) assert.match(body, /"ephemeral-storage"[^]*"process_stats"/);
    assert.ok(!short.body.includes('"network"'));
    assert.equal(full.body, JSON.stringify(JSON.parse(full.body), null, 1));
  });

  it('carry the same samples with milliseconds in /metrics/resource', async () => {
    const { body } = await askKubelet(cluster, 'node-00000', '/metrics/resource');
    const labels = 'container="c0",namespace="team-0",pod="app-0-00000"';
    const [, value = '', stamp = ''] =
      new RegExp(`^container_cpu_usage_seconds_total\\{${labels}\\} (\\S+) (\\d+)$`, 'm').exec(body) ?? [];
    const listed = await container(cluster, 'app-0-00000');
    assert.equal(Number(value), Number(BigInt(listed?.cpu?.usageCoreNanoSeconds ?? 0)) / 1e9);
    assert.equal(new Date(Number(stamp)).toISOString().slice(0, 19), listed?.cpu?.time.slice(0, 19));
    assert.match(body, new RegExp(`^container_start_time_seconds\\{${labels}\\} \\S+$`, 'm'));
    assert.match(body, /^resource_scrape_error 0$/m);
  });

  it('are null or empty without pods', async () => {
    for (const { birth } of cluster.pods.pods) cluster.pods.delete(birth, 0);
    const seen = new Set<string>();
    for (let time = 0; time < 20; time++) {
      await clock.advance(11_000);
      const { body } = await askKubelet(cluster, 'node-00000', brief);
      seen.add(/"pods": (\S+)\n\}$/.exec(body)?.[1] ?? body);
    }
    assert.deepEqual([...seen].sort(), ['[]', 'null']);
  });
});

describe('the CRI provider', () => {
  it('stamps at the moment of the request and begins with a rate of 0', async (context) => {
    const clock = new FakeClock('2026-11-22T10:00:00Z');
    const cluster = await startCluster(context, { clock, nodes: 1, podsPerNode: 1, provider: 'cri' });
    await clock.advance(3000);
    const first = await container(cluster, 'app-0-00000');
    assert.equal(first?.cpu?.time, '2026-11-22T10:00:03Z');
    assert.equal(first.cpu.usageNanoCores, 0);
    assert.ok(first.cpu.usageCoreNanoSeconds > 0);
    await clock.advance(8000);
    const second = await container(cluster, 'app-0-00000');
    assert.equal(second?.cpu?.time, '2026-11-22T10:00:11Z');
    assert.equal(second.cpu.usageNanoCores, 5_000_000);
  });
});

describe('numbers of the exposition format', () => {
  it('are in the shortest form of Go', () => {
    assert.deepEqual([0, 811_008, 12_533_760, 1529.236773546, 0.00005, 0.0001, 1_795_330_529.1301532].map(goNumber), [
      '0',
      '811008',
      '1.253376e+07',
      '1529.236773546',
      '5e-05',
      '0.0001',
      '1.7953305291301532e+09',
    ]);
  });
});
