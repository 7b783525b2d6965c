import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loneNode, sharedNodes } from '../../hack/e2e/living-nodes.ts';
import type { Stage } from '../../hack/e2e/stage.ts';
import { pause, until } from '../../hack/e2e/wait.ts';
import { list, type ServedMetrics } from './served.ts';

async function hermit(stage: Stage): Promise<ServedMetrics | undefined> {
  const { items } = await list(stage, 'namespaces/ledger/pods');
  return items.find(({ metadata }) => metadata.name === 'hermit');
}

/** Lines of kubetally's log about scraping the lonely node. */
function scrapeLines(stage: Stage): string[] {
  return stage.kubetally.daemon.log
    .split('\n')
    .filter((line) => line.includes('scrape]') && line.includes(`node="${loneNode}"`));
}

/** A kubelet that goes away, alone with its pod on its node; runs beside other checks. */
export function checkKubeletOutage(stage: Stage): void {
  describe('a kubelet that dies', { concurrency: 1 }, () => {
    it('and returns before the next scrape costs nothing: its pod is served all the time', async () => {
      assert.notEqual(await hermit(stage), undefined);
      await stage.nodes.setFault(loneNode, { kind: 'refuse' });
      await until(30_000, 'a scrape failed', async () => assert.equal(scrapeLines(stage).length, 1));
      await stage.nodes.setFault(loneNode, undefined);
      let absences = 0;
      await until(30_000, 'the node answers again', async () => {
        if ((await hermit(stage)) === undefined) absences++;
        assert.equal(scrapeLines(stage).length, 2);
      });
      assert.equal(absences, 0, `absent in ${absences} answers between a missed scrape and the next`);
    });

    it('for long loses its pod and node after a while, and nobody else', async (t) => {
      const begun = performance.now();
      await stage.nodes.setFault(loneNode, { kind: 'refuse' });
      await until(90_000, 'its pod and node are absent', async () => {
        assert.equal(await hermit(stage), undefined);
        const nodes = (await list(stage, 'nodes')).items;
        assert.deepEqual(
          nodes.map(({ metadata }) => metadata.name),
          sharedNodes,
        );
      });
      t.diagnostic(`absent ${Math.round((performance.now() - begun) / 1000)} s after the kubelet died`);
      for (const { metadata, timestamp } of (await list(stage, 'nodes')).items)
        assert.ok(Date.now() - Date.parse(timestamp) < 30_000, `${metadata.name} is as old as ${timestamp}`);
    });

    it('and returns is served again as soon as its node is ready, with one line in the log for each change', async (t) => {
      await stage.nodes.setReady(loneNode, false);
      await pause(2000);
      await stage.nodes.setFault(loneNode, undefined);
      await stage.nodes.setReady(loneNode, true);
      const back = performance.now();
      await until(45_000, 'its pod is served again', async () => assert.notEqual(await hermit(stage), undefined));
      t.diagnostic(`served again ${Math.round((performance.now() - back) / 1000)} s after it returned`);
      assert.equal(scrapeLines(stage).length, 4, scrapeLines(stage).join('\n'));
    });
  });
}

/** An API server that crashes and returns. */
export function checkApiServerOutage(stage: Stage): void {
  describe('an API server that crashes', () => {
    it('leaves kubetally alive and scraping, and finds it watching again', async (t) => {
      const { kubetally, plane } = stage;
      const direct = kubetally.client({ client: stage.certificateOf('admin') });
      await plane.crashApiServer();
      const crashed = Date.now();
      for (const path of ['/livez', '/readyz', '/apis/metrics.k8s.io/v1'])
        assert.equal((await direct.ask(path)).status, 200, path);
      await until(40_000, 'values measured after the crash', async () => {
        const { items } = await direct.read<{ items: ServedMetrics[] }>('/apis/metrics.k8s.io/v1/nodes');
        assert.equal(items.length, sharedNodes.length + 1);
        for (const { timestamp } of items) assert.ok(Date.parse(timestamp) > crashed + 1000, timestamp);
      });
      await plane.startApiServer();
      const back = performance.now();
      const kubectl = await stage.kubectl('admin');
      await until(30_000, 'the aggregator serves', async () => {
        await kubectl.run('top', 'nodes');
      });
      t.diagnostic(`kubectl top works ${Math.round((performance.now() - back) / 1000)} s after the return`);
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'latecomer', namespace: 'shop' },
        spec: { containers: [{ name: 'app', image: 'registry.example/latecomer:1' }] },
      };
      await kubectl.feed(JSON.stringify(pod), 'apply', '-f', '-');
      const created = performance.now();
      await until(60_000, 'a pod created since is served', async () => {
        await kubectl.run('top', 'pod', 'latecomer', '-n', 'shop');
      });
      t.diagnostic(`a new pod is served ${Math.round((performance.now() - created) / 1000)} s after its creation`);
      assert.equal(kubetally.daemon.exitCode, undefined);
    });
  });
}
