import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { milliseconds } from '../../src/model/units.ts';
import type { SimulatedCluster } from '../../src/sim/cluster.ts';
import { serverAccount } from '../../src/sim/identity.ts';
import { askKubelet, startCluster, type Caller } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';

const path = '/stats/summary?only_cpu_and_memory=true';
const node = 'node-00001';

describe('a simulated kubelet', () => {
  let cluster: SimulatedCluster;
  let server: Caller;
  const cleanups: (() => unknown)[] = [];
  const context = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) };

  before(async () => {
    cluster = await startCluster(context, { nodes: 3, podsPerNode: 2 });
    server = { token: await cluster.tokens.issue(serverAccount) };
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });
  beforeEach(async () => {
    await cluster.setKubeletFault(node, undefined);
  });

  it('has an address of its own and a certificate for it', async () => {
    const addresses = cluster.nodeNames.map((name) => cluster.kubeletAddress(name));
    assert.equal(new Set(addresses.map(({ host }) => host)).size, 3);
    assert.equal(new Set(addresses.map(({ port }) => port)).size, 1);
    for (const name of cluster.nodeNames) {
      const { status, body } = await askKubelet(cluster, name, path, { as: server });
      assert.equal(status, 200);
      assert.ok(body.includes(`"nodeName": "${name}"`));
    }
  });

  it('refuses callers without a good credential', async () => {
    const expired = await cluster.tokens.issue(serverAccount, -60);
    for (const as of [{ nobody: true }, { token: 'x' }, { token: expired }] as const) {
      const { status, body } = await askKubelet(cluster, node, path, { as });
      assert.deepEqual([status, body], [401, 'Unauthorized']);
    }
  });

  it('refuses callers who may not read statistics, in words that name the subresource', async () => {
    const { status, body } = await askKubelet(cluster, node, path, { as: { user: 'viewer' } });
    assert.equal(status, 403);
    assert.equal(body, 'Forbidden (user=viewer, verb=get, resource=nodes, subresource(s)=[stats])');
    const metrics = await askKubelet(cluster, node, '/metrics/resource', { as: { user: 'viewer' } });
    assert.equal(metrics.body, 'Forbidden (user=viewer, verb=get, resource=nodes, subresource(s)=[metrics])');
    const head = await askKubelet(cluster, node, path, { as: server, method: 'HEAD' });
    assert.equal(head.status, 403);
  });

  it('answers with a status, with nonsense, or with half a body when told to', async () => {
    await cluster.setKubeletFault(node, { kind: 'status', status: 500 });
    const failed = await askKubelet(cluster, node, path);
    assert.equal(failed.status, 500);
    assert.match(failed.body, /^Internal Error: /);
    await cluster.setKubeletFault(node, { kind: 'garbage' });
    const garbage = await askKubelet(cluster, node, path);
    assert.equal(garbage.status, 200);
    assert.throws(() => void JSON.parse(garbage.body));
    await cluster.setKubeletFault(node, { kind: 'truncate' });
    await assert.rejects(askKubelet(cluster, node, path), /aborted|ECONNRESET/);
    assert.equal((await askKubelet(cluster, 'node-00002', path)).status, 200);
  });

  it('resets, refuses, or shows a wrong certificate when told to, and recovers', async () => {
    await cluster.setKubeletFault(node, { kind: 'reset' });
    await assert.rejects(askKubelet(cluster, node, path), /ECONNRESET|socket hang up/);
    await cluster.setKubeletFault(node, { kind: 'refuse' });
    await assert.rejects(askKubelet(cluster, node, path), /ECONNREFUSED/);
    await cluster.setKubeletFault(node, { kind: 'wrong-certificate' });
    await assert.rejects(askKubelet(cluster, node, path), /certificate/);
    await cluster.setKubeletFault(node, undefined);
    assert.equal((await askKubelet(cluster, node, path)).status, 200);
  });

  it('never answers while it hangs', async () => {
    await cluster.setKubeletFault(node, { kind: 'hang' });
    const before = cluster.kubelet(node).requests;
    const hanging = askKubelet(cluster, node, path);
    const ended = assert.rejects(hanging);
    await eventually(() => cluster.kubelet(node).requests > before, 'the request');
    await cluster.setKubeletFault(node, { kind: 'refuse' });
    await ended;
  });

  it('sends late, in drops, or without end when told to', async () => {
    await cluster.setKubeletFault(node, { kind: 'slow', delay: milliseconds(20) });
    assert.equal((await askKubelet(cluster, node, path)).status, 200);
    await cluster.setKubeletFault(node, { kind: 'drip', every: milliseconds(0) });
    assert.match((await askKubelet(cluster, node, path)).body, /^\{\n "node"[^]*\n\}$/);
    await cluster.setKubeletFault(node, { kind: 'huge', size: 3_000_000 });
    assert.ok((await askKubelet(cluster, node, path)).body.length >= 3_000_000);
  });

  it('can lack the Summary API alone', async () => {
    for (const [kind, status] of [
      ['no-summary', 404],
      ['forbidden-summary', 403],
    ] as const) {
      await cluster.setKubeletFault(node, { kind });
      assert.equal((await askKubelet(cluster, node, path)).status, status);
      assert.equal((await askKubelet(cluster, node, '/metrics/resource')).status, 200);
    }
  });

  it('stops listening with its node and listens again when that returns', async () => {
    const { host, port } = cluster.kubeletAddress('node-00002');
    await cluster.removeNode('node-00002');
    assert.deepEqual(cluster.nodeNames, ['node-00000', 'node-00001']);
    assert.throws(() => cluster.kubeletAddress('node-00002'), /no simulated node/);
    await cluster.returnNode('node-00002');
    assert.deepEqual(cluster.kubeletAddress('node-00002'), { host, port });
    assert.match((await askKubelet(cluster, 'node-00002', path)).body, /"pods": (?:null|\[\])/);
  });

  it('can have its name alone in its certificate', async (test) => {
    const named = await startCluster(test, { nodes: 1, podsPerNode: 0, servingNames: 'name' });
    await assert.rejects(askKubelet(named, 'node-00000', path), /IP: 127\.1\.0\.1 is not in the cert's list/);
  });
});
