import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { milliseconds } from '../../src/model/units.ts';
import type { SimulatedCluster } from '../../src/sim/cluster.ts';
import { askApi, startCluster } from '../support/cluster.ts';
import { FakeClock } from '../support/fake-clock.ts';

interface ContainerStatus {
  readonly name: string;
  readonly image: string;
  readonly ready: boolean;
  readonly started: boolean;
  readonly restartCount: number;
  readonly state: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly lastState: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

interface Pod {
  readonly status: {
    readonly phase: string;
    readonly podIP?: string;
    readonly conditions: readonly { readonly type: string; readonly status: string }[];
    readonly initContainerStatuses: readonly ContainerStatus[];
    readonly containerStatuses: readonly ContainerStatus[];
  };
}

const path = '/api/v1/namespaces/team-0/pods/layered';
const spec = {
  initContainers: [
    { name: 'proxy', image: 'envoy:2', restartPolicy: 'Always' },
    { name: 'prepare', image: 'busybox' },
  ],
  containers: [{ name: 'main', image: 'web:7' }],
};

/** A pod with a sidecar and an init container, which accepts it after half a second, starts it after one and has it running after three. */
async function layered(context: TestContext): Promise<[SimulatedCluster, FakeClock]> {
  const clock = new FakeClock();
  const cluster = await startCluster(context, { clock, nodes: 1, podsPerNode: 0, startup: milliseconds(1000) });
  cluster.pods.create('team-0', { metadata: { name: 'layered' }, spec });
  return [cluster, clock];
}

async function statusOf(cluster: SimulatedCluster): Promise<Pod['status']> {
  return (JSON.parse((await askApi(cluster, path)).body) as Pod).status;
}

/** READY, STATUS and RESTARTS as kubectl prints them. */
async function printed(cluster: SimulatedCluster): Promise<string> {
  const { body } = await askApi(cluster, path, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } });
  const { rows } = JSON.parse(body) as { rows: { cells: string[] }[] };
  return rows[0]?.cells.slice(1, 4).join(' ') ?? '';
}

const brief = (statuses: readonly ContainerStatus[]): string[] =>
  statuses.map(({ name, ready, started, state }) => `${name} ${Object.keys(state)[0]} ${ready} ${started}`);

describe('a Pod of the simulated API server', () => {
  it('says of each container whether it has started and is ready, at every step of its start', async (context) => {
    const [cluster, clock] = await layered(context);
    const waiting = await statusOf(cluster);
    assert.deepEqual(brief(waiting.initContainerStatuses), [
      'proxy waiting false false',
      'prepare waiting false false',
    ]);
    assert.equal(await printed(cluster), '0/2 Pending 0');
    assert.equal(waiting.podIP, undefined);
    await clock.advance(1000);
    assert.deepEqual(brief((await statusOf(cluster)).initContainerStatuses), [
      'proxy running true true',
      'prepare running false true',
    ]);
    assert.equal(await printed(cluster), '1/2 Init:1/2 0');
    await clock.advance(2000);
    const { phase, podIP, conditions, initContainerStatuses, containerStatuses } = await statusOf(cluster);
    assert.deepEqual(brief(initContainerStatuses), ['proxy running true true', 'prepare terminated true false']);
    assert.deepEqual(brief(containerStatuses), ['main running true true']);
    assert.equal(await printed(cluster), '2/2 Running 0');
    assert.equal(phase, 'Running');
    assert.match(podIP ?? '', /^10\.\d+\.\d+\.\d+$/);
    assert.ok(conditions.every(({ status }) => status === 'True'));
  });

  it('runs, though the timer for that came a millisecond early by the wall clock', async (context) => {
    const [cluster, clock] = await layered(context);
    await clock.advance(2000);
    clock.jumpWall(-1);
    await clock.advance(1001);
    assert.equal((await statusOf(cluster)).phase, 'Running');
  });

  it('has the images of its manifest, and tells when its init container ran', async (context) => {
    const [cluster, clock] = await layered(context);
    await clock.advance(3000);
    const { initContainerStatuses, containerStatuses } = await statusOf(cluster);
    const images = [...initContainerStatuses, ...containerStatuses].map(({ image }) => image);
    assert.deepEqual(images, ['envoy:2', 'busybox', 'web:7']);
    assert.deepEqual(initContainerStatuses[1]?.state['terminated'], {
      exitCode: 0,
      reason: 'Completed',
      startedAt: '2026-11-22T10:00:01Z',
      finishedAt: '2026-11-22T10:00:03Z',
    });
  });

  it('is not ready while a container restarts, and remembers how the last run ended', async (context) => {
    const [cluster, clock] = await layered(context);
    await clock.advance(10_000);
    cluster.pods.restart('team-0', 'layered', 'main');
    const down = await statusOf(cluster);
    assert.equal(down.containerStatuses[0]?.state['waiting']?.['reason'], 'CrashLoopBackOff');
    assert.equal(down.conditions.find(({ type }) => type === 'Ready')?.status, 'False');
    assert.equal(await printed(cluster), '1/2 CrashLoopBackOff 1 (0s ago)');
    await clock.advance(5000);
    const [main] = (await statusOf(cluster)).containerStatuses;
    assert.deepEqual([main?.ready, main?.restartCount], [true, 1]);
    assert.deepEqual(main?.lastState['terminated'], {
      exitCode: 1,
      reason: 'Error',
      startedAt: '2026-11-22T10:00:03Z',
      finishedAt: '2026-11-22T10:00:10Z',
    });
    assert.equal(await printed(cluster), '2/2 Running 1 (5s ago)');
  });
});
