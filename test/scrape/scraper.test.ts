import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { bytes, seconds } from '../../src/model/units.ts';
import { KubeletClient } from '../../src/scrape/kubelet-client.ts';
import { Scraper } from '../../src/scrape/scraper.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { nodeInfo } from '../support/metrics-sources.ts';

/** A scraper of nodes that cannot be reached. */
function startScraper(context: TestContext): Scraper {
  const clock = new FakeClock();
  const kubelets = new KubeletClient({
    clock,
    port: 10250,
    useNodeStatusPort: false,
    addressTypes: [],
    identity: undefined,
    insecureTls: false,
    maxBodySize: bytes(1),
  });
  const ignore = (): void => {};
  const scraper = new Scraper({
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
  });
  context.after(async () => await scraper.stop());
  return scraper;
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
});
