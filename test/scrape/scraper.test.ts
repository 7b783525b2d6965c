import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../src/model/clock.ts';
import type { NodeInfo } from '../../src/model/inventory.ts';
import { KnownStrings } from '../../src/model/known-strings.ts';
import { bytes, seconds } from '../../src/model/units.ts';
import { KubeletClient } from '../../src/scrape/kubelet-client.ts';
import type { Attempt } from '../../src/scrape/node-cycle.ts';
import { Scraper, type ScraperOptions } from '../../src/scrape/scraper.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { nodeInfo } from '../support/metrics-sources.ts';

/** A scraper of kubelets at the port of their node, over plain HTTP; closed in the end. */
function startScraper(context: TestContext, options: Partial<ScraperOptions> = {}): Scraper {
  const clock = options.clock ?? new FakeClock();
  const kubelets = new KubeletClient({
    clock,
    port: 10250,
    useNodeStatusPort: true,
    addressTypes: ['InternalIP'],
    identity: undefined,
    insecureTls: false,
    maxBodySize: bytes(1 << 20),
    maxIdleConnections: 1000,
  });
  const ignore = (): void => {};
  const scraper = new Scraper({
    strings: new KnownStrings(),
    clock,
    random: () => 0.5,
    resolution: seconds(15),
    requestTimeout: seconds(10),
    kubelets,
    source: 'auto',
    publish: ignore,
    onStart: ignore,
    onAttempt: ignore,
    onCycle: ignore,
    onFallback: ignore,
    ...options,
  });
  context.after(async () => await scraper.stop());
  return scraper;
}

/** A kubelet on loopback that says it is that of the node `name`. Returns its port. */
async function startKubelet(context: TestContext, name: string): Promise<number> {
  const server = createServer((_request, response) => response.end(`{"node":{"nodeName":"${name}"},"pods":[]}`));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  return (server.address() as AddressInfo).port;
}

function nodeAt(name: string, kubeletPort: number): NodeInfo {
  return { ...nodeInfo(name), addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], kubeletPort };
}

describe('the scraper', () => {
  it('counts nodes by where they are read from, that is /metrics/resource for one that names a path of its own', (context) => {
    const scraper = startScraper(context);
    scraper.addNode({ ...nodeInfo('a'), resourceMetricsPath: '/x/metrics' });
    scraper.addNode(nodeInfo('b'));
    scraper.addNode(nodeInfo('c'));
    assert.deepEqual(scraper.census, { fromSummary: 2, fromResource: 1, backingOff: 0 });
    scraper.addNode({ ...nodeInfo('b'), resourceMetricsPath: '/x/metrics' });
    assert.deepEqual(scraper.census, { fromSummary: 1, fromResource: 2, backingOff: 0 });
  });

  it('publishes nothing of a node whose address has become that of another one', async (context) => {
    const port = await startKubelet(context, 'live');
    const published: string[] = [];
    const attempts: Attempt[] = [];
    const scraper = startScraper(context, {
      clock: systemClock,
      publish: ({ name }) => published.push(name),
      onAttempt: (attempt) => attempts.push(attempt),
    });
    scraper.addNode(nodeAt('dead', port));
    scraper.addNode(nodeAt('live', port));
    await eventually(() => attempts.length >= 2);
    assert.deepEqual(published, ['live']);
    const { code, message } = attempts.find(({ node }) => node.name === 'dead')?.error ?? {};
    assert.deepEqual([code, message], ['other_node', 'the kubelet at 127.0.0.1 is that of node live']);
  });

  it('says what failed when a reading cannot be published, and does not blame the kubelet', async (context) => {
    const port = await startKubelet(context, 'a');
    const fault = new TypeError('a fault of the store');
    const attempts: Attempt[] = [];
    const scraper = startScraper(context, {
      clock: systemClock,
      publish: () => {
        throw fault;
      },
      onAttempt: (attempt) => attempts.push(attempt),
    });
    scraper.addNode(nodeAt('a', port));
    await eventually(() => attempts.length > 0);
    const { code, message, cause } = attempts[0]?.error ?? {};
    assert.deepEqual([code, message, cause], ['internal', 'a fault of the store', fault]);
  });
});
