import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Agent } from 'node:https';
import { after, before, describe, it } from 'node:test';
import { catalogue } from '../../../src/telemetry/metric-catalogue.ts';
import { askApi } from '../../support/cluster.ts';
import { eventually } from '../../support/eventually.ts';
import { serveCluster, type ServedCluster } from '../../support/served-cluster.ts';
import { ask, type Target } from '../../support/tls-client.ts';

/** Metrics of what goes wrong, or of what takes minutes: nothing here makes them count. */
const quiet: readonly string[] = [
  catalogue.kubeletFailures.name,
  catalogue.scrapeRetries.name,
  catalogue.scrapeBackoffs.name,
  catalogue.sourceFallbacks.name,
  catalogue.nodesBackingOff.name,
  catalogue.windowsRefused.name,
  catalogue.absent.name,
  catalogue.requestsInFlight.name,
  catalogue.memoryReliefs.name,
  catalogue.stalestNode.name,
];

describe('The metrics of serve about itself', () => {
  const cleanups: (() => Promise<unknown>)[] = [];
  let served: ServedCluster;
  let target: Target;
  let admin: Agent;
  const stranger = new Agent({ rejectUnauthorized: false });
  before(async () => {
    const context = { after: (cleanup: () => unknown) => void cleanups.unshift(async () => await cleanup()) };
    served = await serveCluster(context, { nodes: 2, podsPerNode: 3 });
    const read = async (name: string) => await readFile(join(served.directory, name), 'utf8');
    const client = { cert: await read('admin.crt'), key: await read('admin.key') };
    target = { port: served.port, ca: '' };
    admin = new Agent({ ...client, rejectUnauthorized: false });
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  /** The sum of a metric's samples, or of its counts. */
  async function totals(): Promise<Map<string, number>> {
    const { body } = await ask(target, '/metrics', { agent: admin });
    const sums = new Map<string, number>();
    for (const line of body.split('\n')) {
      const [, name = '', value = ''] = /^([a-z_]+?)(?:_count)?(?:\{.*\})? (\S+)$/.exec(line) ?? [];
      sums.set(name, (sums.get(name) ?? 0) + Number(value));
    }
    return sums;
  }

  it('count everything that happens', async () => {
    const { cluster } = served;
    const group = '/apis/metrics.k8s.io/v1beta1';
    const bad = { headers: { authorization: 'Bearer x' }, agent: stranger };
    for (let time = 0; time < 2; time++) {
      assert.equal((await askApi(cluster, `${group}/pods`, { as: { user: 'viewer' } })).status, 200);
      assert.equal((await ask(target, `${group}/pods`, bad)).status, 401);
    }
    const tooLarge = { headers: { 'x-large': 'x'.repeat(140_000) }, agent: admin };
    assert.equal((await ask(target, group, tooLarge)).status, 431);
    cluster.apiServer.setFault({ kind: 'watch-gone' });
    await eventually(async () => ((await totals()).get(catalogue.watchRestarts.name) ?? 0) >= 3);
    cluster.apiServer.setFault(undefined);
    const sums = await totals();
    const names = Object.values(catalogue).map(({ name }) => name);
    assert.deepEqual(
      names.filter((name) => !quiet.includes(name) && !((sums.get(name) ?? 0) > 0)),
      [],
    );
    assert.ok((sums.get(catalogue.freshness.name) ?? 0) >= 12, 'each served object counts');
  });
});
