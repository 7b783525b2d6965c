import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { healthChecks } from '../../../src/commands/serve/readiness.ts';
import { milliseconds, seconds } from '../../../src/model/units.ts';
import { Health, healthEndpoints } from '../../../src/server/health.ts';
import { silentLogger } from '../../../src/telemetry/log.ts';
import { nodeInfo, nodeUsage } from '../../support/metrics-sources.ts';

/** A server in which all is well, and its health. */
function healthy() {
  const inventory = { nodesSynced: true, podsSynced: true, synced: true, nodes: () => [nodeInfo('a')] };
  const state = {
    inventory,
    measured: new Set(['a']),
    watch: { isRunning: true },
    scraper: { overdue: milliseconds(0) },
    logOutput: { stuck: false },
    started: true,
    stopping: false,
  };
  const health = new Health(
    healthChecks({
      resolution: seconds(15),
      inventory,
      watch: state.watch,
      store: { node: (name) => (state.measured.has(name) ? nodeUsage() : undefined) },
      scraper: state.scraper,
      logOutput: state.logOutput,
      isStarted: () => state.started,
      isStopping: () => state.stopping,
    }),
    silentLogger,
  );
  const failing = (endpoint: string): string[] =>
    (health.answer(`/${endpoint}`, new Map([['verbose', ['']]]))?.body ?? '')
      .split('\n')
      .flatMap((line) => /^\[-\](\S+)/.exec(line)?.[1] ?? []);
  return { state, health, failing };
}

const always = ['ping', 'log', 'poststarthook/max-in-flight-filter', 'poststarthook/storage-object-count-tracker-hook'];
const expected = {
  healthz: [...always, 'metadata-informer-sync'],
  livez: [...always, 'metric-collection-timely', 'metadata-informer-sync'],
  readyz: [...always, 'metric-storage-ready', 'metric-informer-sync', 'metadata-informer-sync', 'shutdown'],
};

describe('The health of serve', () => {
  for (const endpoint of healthEndpoints)
    it(`has the checks of metrics-server in its order on ${endpoint}`, () => {
      const { health } = healthy();
      const lines = expected[endpoint].map((name) => `[+]${name} ok\n`).join('');
      assert.deepEqual(health.answer(`/${endpoint}`, new Map([['verbose', ['']]])), {
        status: 200,
        body: `${lines}${endpoint} check passed\n`,
      });
      for (const name of expected[endpoint])
        assert.equal(health.answer(`/${endpoint}/${name}`, new Map())?.body, 'ok', name);
    });

  it('is not ready, but alive, before the API server has listed anything', () => {
    const { state, failing } = healthy();
    Object.assign(state.inventory, { nodesSynced: false, podsSynced: false, synced: false });
    assert.deepEqual(failing('readyz'), ['metric-storage-ready', 'metric-informer-sync', 'metadata-informer-sync']);
    assert.deepEqual(failing('livez'), []);
    assert.deepEqual(failing('healthz'), []);
  });

  it('is not alive when nothing is watched any more', () => {
    const { state, failing } = healthy();
    state.watch.isRunning = false;
    assert.deepEqual(failing('livez'), ['metadata-informer-sync']);
    assert.deepEqual(failing('readyz'), []);
  });

  it('is not alive while scrapes are overdue', () => {
    const { state, failing } = healthy();
    state.scraper.overdue = seconds(46);
    assert.deepEqual(failing('livez'), ['metric-collection-timely']);
    assert.deepEqual(failing('readyz'), []);
  });

  it('tells on all endpoints that log lines are lost or the start is not over', () => {
    const { state, failing } = healthy();
    state.logOutput.stuck = true;
    for (const endpoint of healthEndpoints) assert.deepEqual(failing(endpoint), ['log']);
    state.logOutput.stuck = false;
    state.started = false;
    for (const endpoint of healthEndpoints) assert.deepEqual(failing(endpoint), always.slice(2));
  });

  it('is ready once half of the ready nodes are measured, and no more when it stops', () => {
    const { state, failing } = healthy();
    state.inventory.nodes = () => ['a', 'b', 'c', 'd'].map((name) => nodeInfo(name));
    state.measured = new Set(['a']);
    assert.deepEqual(failing('readyz'), ['metric-storage-ready']);
    state.measured = new Set(['a', 'd']);
    assert.deepEqual(failing('readyz'), []);
    state.stopping = true;
    assert.deepEqual(failing('readyz'), ['shutdown']);
  });

  it('takes one node of three for less than half, and no ready nodes for measured', () => {
    const { state, failing } = healthy();
    state.inventory.nodes = () => ['a', 'b', 'c'].map((name) => nodeInfo(name));
    assert.deepEqual(failing('readyz'), ['metric-storage-ready']);
    state.inventory.nodes = () => [{ ...nodeInfo('a'), ready: false }];
    assert.deepEqual(failing('readyz'), []);
  });

  it('stays ready while one node has a window to serve, and is not while none has', () => {
    const { state, failing } = healthy();
    state.inventory.nodes = () => ['a', 'b', 'c', 'd'].map((name) => nodeInfo(name));
    state.measured = new Set(['a', 'b']);
    assert.deepEqual(failing('readyz'), []);
    state.measured = new Set(['c']);
    assert.deepEqual(failing('readyz'), []);
    state.measured = new Set();
    assert.deepEqual(failing('readyz'), ['metric-storage-ready']);
    state.measured = new Set(['c']);
    assert.deepEqual(failing('readyz'), []);
  });

  it('is not ready with nodes of which none is ready or has a window', () => {
    const { state, failing } = healthy();
    state.inventory.nodes = () => [{ ...nodeInfo('a'), ready: false }];
    state.measured = new Set();
    assert.deepEqual(failing('readyz'), ['metric-storage-ready']);
  });

  it('is not ready without a node to scrape, and says so', () => {
    const { state, health, failing } = healthy();
    state.inventory.nodes = () => [];
    assert.deepEqual(failing('readyz'), ['metric-storage-ready']);
    assert.equal(
      health.answer('/readyz/metric-storage-ready', new Map())?.body,
      'internal server error: no nodes to scrape\n',
    );
  });
});
