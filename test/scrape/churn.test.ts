import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { systemClock } from '../../src/model/clock.ts';
import type { NodeInfo } from '../../src/model/inventory.ts';
import { bytes, seconds } from '../../src/model/units.ts';
import { KubeletClient } from '../../src/scrape/kubelet-client.ts';
import { Scraper } from '../../src/scrape/scraper.ts';
import { Telemetry } from '../../src/telemetry/telemetry.ts';
import { WindowStore } from '../../src/windows/window-store.ts';
import { eventually } from '../support/eventually.ts';

const nodesAtATime = 500;
const rounds = 20;
const warmUp = 6;
/** A kilobyte for each node; a leak of a connection, of windows or of series would be several. */
const mostGrowth = 7_000_000;

function nodeNamed(name: string): NodeInfo {
  return {
    name,
    labels: {},
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    kubeletPort: undefined,
    ready: true,
    cpuCapacity: undefined,
    resourceMetricsPath: undefined,
  };
}

it('ten thousand nodes with their pods, scraped and gone, leave no series, connection, metric or memory behind', async () => {
  let served = 0;
  const server = createServer((_request, response) => {
    const time = new Date().toISOString();
    const usage = `"cpu":{"time":"${time}","usageNanoCores":5,"usageCoreNanoSeconds":7},"memory":{"time":"${time}","workingSetBytes":4096}`;
    response.end(
      `{"node":{${usage}},"pods":[{"podRef":{"name":"p${served}","namespace":"n","uid":"u${served++}"},"containers":[{"name":"c",${usage}}]}]}`,
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const resolution = seconds(60);
  const telemetry = new Telemetry({
    resolution,
    perNode: true,
    version: 'test',
    clock: systemClock,
    processMetrics: false,
  });
  const store = new WindowStore({
    clock: systemClock,
    resolution,
    maxAge: seconds(180),
    pods: { kubeletUid: () => undefined, isRunning: () => true },
  });
  const kubelets = new KubeletClient({
    clock: systemClock,
    port: (server.address() as AddressInfo).port,
    useNodeStatusPort: false,
    addressTypes: ['InternalIP'],
    identity: undefined,
    insecureTls: false,
    maxBodySize: bytes(1 << 20),
  });
  const scraper = new Scraper({
    clock: systemClock,
    random: () => 0.5,
    resolution,
    requestTimeout: seconds(10),
    kubelets,
    source: 'summary',
    publish: (node, reading) => store.accept(node, reading),
    onStart: () => {},
    onAttempt: ({ node, duration }) => telemetry.kubeletRequestFinished({ node: node.name, duration }),
    onCycle: () => {},
    onFallback: () => {},
  });
  const churn = async (round: number): Promise<void> => {
    const names = Array.from({ length: nodesAtATime }, (_, index) => `node-${round * nodesAtATime + index}`);
    for (const name of names) scraper.addNode(nodeNamed(name));
    await eventually(() => store.size.nodes === nodesAtATime, 'a window of every node', 60_000);
    await eventually(() => store.size.pods === nodesAtATime, 'a series of every pod', 60_000);
    for (const name of names) {
      await scraper.removeNode(name);
      store.removeNode(name);
      telemetry.nodeGone(name);
    }
  };
  const series = async (): Promise<number> =>
    (await telemetry.exposition()).body.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heap = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };

  try {
    // The first rounds also fill caches and compile code.
    for (let round = 0; round < warmUp; round++) await churn(round);
    const [seriesBefore, heapBefore] = [await series(), heap()];
    for (let round = warmUp; round < rounds; round++) await churn(round);
    assert.deepEqual(store.size, { nodes: 0, pods: 0, series: 0 });
    assert.deepEqual([scraper.size, kubelets.size], [0, 0]);
    assert.equal(await series(), seriesBefore);
    const grown = heap() - heapBefore;
    assert.ok(grown < mostGrowth, `the heap grew by ${grown} bytes`);
  } finally {
    await scraper.stop();
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  }
});
