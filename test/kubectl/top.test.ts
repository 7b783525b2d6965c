import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { kubectl, withoutKubectl, type CommandResult } from '../support/kubectl.ts';
import { serveCluster, type ServedCluster } from '../support/served-cluster.ts';

/** In CI a test that needs kubectl must not be passed over. */
const skip = process.env['CI'] === 'true' ? false : withoutKubectl;

describe('kubectl against a cluster with kubetally behind its aggregation layer', { skip }, () => {
  const cleanups: (() => Promise<unknown>)[] = [];
  let served: ServedCluster;

  before(async () => {
    const context = { after: (cleanup: () => unknown) => void cleanups.unshift(async () => await cleanup()) };
    served = await serveCluster(context, { nodes: 3, podsPerNode: 4, containersPerPod: 2 });
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  const as = async (user: string, ...args: string[]): Promise<CommandResult> =>
    await kubectl(join(served.directory, `${user}.kubeconfig`), join(served.directory, `cache-${user}`), ...args);
  const rows = ({ code, stdout, stderr }: CommandResult): string[][] => {
    assert.equal(code, 0, stderr);
    return stdout
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/));
  };

  it('top nodes shows every node', async () => {
    const [header, ...nodes] = rows(await as('admin', 'top', 'nodes'));
    assert.deepEqual(header?.slice(0, 2), ['NAME', 'CPU(cores)']);
    assert.deepEqual(
      nodes.map(([name]) => name),
      ['node-00000', 'node-00001', 'node-00002'],
    );
    for (const [, cpu, , memory] of nodes) assert.match(`${cpu} ${memory}`, /^\d+m \d+Mi$/);
  });

  it('top node NAME shows one', async () => {
    const [, ...nodes] = rows(await as('admin', 'top', 'node', 'node-00001'));
    assert.deepEqual(
      nodes.map(([name]) => name),
      ['node-00001'],
    );
  });

  it('top pods -A shows every pod with the sum of its containers, memory exact', async () => {
    const [, ...pods] = rows(await as('admin', 'top', 'pods', '-A'));
    assert.equal(pods.length, 12);
    for (const [namespace, name, cpu, memory] of pods) {
      const truths = ['c0', 'c1'].map((container) =>
        served.cluster.containerTruth(namespace ?? '', name ?? '', container),
      );
      const now = Date.now() as Parameters<(typeof truths)[number]['trueMemory']>[0];
      const bytes = truths.reduce((sum, truth) => sum + truth.trueMemory(now), 0);
      const nanocores = truths.reduce((sum, truth) => sum + truth.trueRate((now - 10_000) as typeof now, now), 0);
      assert.equal(memory, `${Math.floor(bytes / 1_048_576)}Mi`);
      assert.ok(
        Math.abs(Number.parseInt(cpu ?? '', 10) - nanocores / 1e6) <= 2 + nanocores / 50e6,
        `${name}: ${cpu} of ${nanocores}`,
      );
    }
  });

  it('top pods -n NS --containers -l shows the containers of the pods that match', async () => {
    const [header, ...containers] = rows(
      await as('admin', 'top', 'pods', '-n', 'team-1', '--containers', '-l', 'app=app-1'),
    );
    assert.equal(header?.[0], 'POD');
    assert.deepEqual(containers.map(([pod, name]) => `${pod}/${name}`).sort(), [
      'app-1-00000/c0',
      'app-1-00000/c1',
      'app-1-00001/c0',
      'app-1-00001/c1',
      'app-1-00002/c0',
      'app-1-00002/c1',
    ]);
  });

  it('get --raw gives the object in v1 and v1beta1', async () => {
    for (const version of ['v1', 'v1beta1']) {
      const { stdout } = await as(
        'admin',
        'get',
        '--raw',
        `/apis/metrics.k8s.io/${version}/namespaces/team-0/pods/app-0-00000`,
      );
      const object = JSON.parse(stdout) as { kind: string; apiVersion: string; containers: unknown[] };
      assert.deepEqual(
        [object.kind, object.apiVersion, object.containers.length],
        ['PodMetrics', `metrics.k8s.io/${version}`, 2],
      );
    }
  });

  it('get podmetrics prints a table of what is used', async () => {
    const [header, ...pods] = rows(await as('admin', 'get', 'podmetrics', '-n', 'team-0'));
    assert.deepEqual(header, ['NAME', 'CPU', 'MEMORY', 'WINDOW']);
    assert.equal(pods.length, 6);
  });

  it('says that a pod is unknown', async () => {
    const { code, stderr } = await as('admin', 'top', 'pod', 'nobody-knows', '-n', 'team-0');
    assert.equal(code, 1);
    assert.match(stderr, /Error from server \(NotFound\): .*"nobody-knows" not found/);
  });

  it('says that a user may not', async () => {
    const { code, stderr } = await as('nobody', 'top', 'pods', '-n', 'team-0');
    assert.equal(code, 1);
    assert.match(
      stderr,
      /Error from server \(Forbidden\): pods\.metrics\.k8s\.io is forbidden: User "nobody" cannot list resource "pods" in API group "metrics\.k8s\.io" in the namespace "team-0"/,
    );
  });

  it('lets a viewer look', async () => {
    assert.equal(rows(await as('viewer', 'top', 'nodes')).length, 4);
  });

  it('says that there are no metrics when the server is down', async () => {
    assert.equal(await served.stopServer(), 0);
    const { code, stderr } = await as('admin', 'top', 'nodes');
    assert.equal(code, 1);
    assert.match(
      stderr,
      /Metrics API not available|service unavailable|unable to handle the request|error trying to reach service/i,
    );
  });
});
