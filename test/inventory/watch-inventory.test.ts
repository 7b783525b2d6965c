import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Inventory } from '../../src/inventory/inventory.ts';
import { InventoryWatch } from '../../src/inventory/watch-inventory.ts';
import { KubeClient } from '../../src/kube/client.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { eventually } from '../support/eventually.ts';
import { FakeApiServer, hang, json, OpenStream } from '../support/fake-api-server.ts';
import { apiServer } from '../support/fake-credentials.ts';
import { FakeClock } from '../support/fake-clock.ts';

describe('the inventory of a live API server', () => {
  let server: FakeApiServer;
  let client: KubeClient;
  let inventory: Inventory;
  let watch: InventoryWatch;
  let clock: FakeClock;
  const metadata = { namespace: 'ns', name: 'web-0', uid: 'u1', labels: { app: 'web' }, resourceVersion: '5' };

  beforeEach(async () => {
    server = await FakeApiServer.start();
    clock = new FakeClock();
    client = new KubeClient(await apiServer(server), { clock });
    inventory = new Inventory();
    watch = new InventoryWatch({ client, inventory, nodeSelector: 'pool=a', clock, logger: silentLogger });
  });
  afterEach(async () => {
    await watch.stop();
    await client.close();
    await server.close();
  });

  it('holds the selected nodes and the running pods, and follows them', async () => {
    const pods = new OpenStream();
    const nodes = new OpenStream();
    const list = { metadata: { resourceVersion: '10' } };
    server
      .on('/api/v1/nodes', json({ ...list, items: [{ metadata: { name: 'n1' }, status: {} }] }), nodes.answer)
      .on('/api/v1/pods', json({ ...list, items: [{ metadata }] }), pods.answer);
    watch.start();
    await eventually(() => inventory.synced);
    assert.equal(inventory.pod('ns', 'web-0')?.labels['app'], 'web');
    await pods.event('DELETED', { metadata });
    await nodes.event('ADDED', { metadata: { name: 'n2', resourceVersion: '11' } });
    await eventually(() => inventory.podCount === 0 && inventory.nodeCount === 2);
    const [listNodes] = server.of('/api/v1/nodes');
    const [listPods] = server.of('/api/v1/pods');
    assert.equal(listNodes?.query.get('labelSelector'), 'pool=a');
    assert.equal(listNodes.headers.accept, 'application/json');
    assert.equal(listPods?.query.get('fieldSelector'), 'status.phase=Running');
    assert.match(listPods.headers.accept ?? '', /as=PartialObjectMetadataList/);
    assert.equal(watch.isRunning, true);
  });

  it('lists the pods first, but does not wait long for them', async () => {
    server.on('/api/v1/nodes', json({ metadata: { resourceVersion: '1' }, items: [] }), hang).on('/api/v1/pods', hang);
    watch.start();
    await eventually(() => server.of('/api/v1/pods').length === 1);
    assert.equal(server.of('/api/v1/nodes').length, 0);
    assert.equal(watch.isRunning, true);
    await clock.advance(2000);
    await eventually(() => inventory.nodesSynced);
    assert.equal(inventory.podsSynced, false);
  });

  it('takes whole pods from a server that knows no partial metadata', async () => {
    const whole = { metadata, spec: { containers: [] }, status: { phase: 'Running' } };
    server
      .on('/api/v1/nodes', json({ metadata: { resourceVersion: '1' }, items: [] }), hang)
      .on('/api/v1/pods', json({ kind: 'PodList', metadata: { resourceVersion: '1' }, items: [whole] }), hang);
    watch.start();
    await eventually(() => inventory.synced);
    assert.deepEqual(Object.keys(inventory.pod('ns', 'web-0') ?? {}), [
      'namespace',
      'name',
      'labels',
      'uid',
      'kubeletUid',
      'series',
    ]);
  });
});
