import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { PodInfo } from '../../src/model/inventory.ts';
import { Newcomers } from '../../src/scrape/newcomers.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { podInfo } from '../support/metrics-sources.ts';

describe('Newcomers', () => {
  let clock: FakeClock;
  let running: PodInfo | undefined;
  let served: boolean;
  let reportedBy: string | undefined;
  let located: string | undefined;
  let asked: number;
  /** Seconds at which a node was pulled forward, and which. */
  let pulls: [number, string][];
  let newcomers: Newcomers;

  beforeEach(() => {
    clock = new FakeClock();
    running = podInfo('team', 'app');
    [served, reportedBy, located, asked, pulls] = [false, undefined, 'node-a', 0, []];
    newcomers = new Newcomers({
      clock,
      find: (namespace, name) => (namespace === 'team' && name === 'app' ? running : undefined),
      isServed: (pod) => served && pod === running,
      reportedBy: () => reportedBy,
      locate: async () => {
        asked++;
        return await Promise.resolve(located);
      },
      pull: (nodeName) => void pulls.push([clock.monotonic() / 1000, nodeName]),
    });
  });

  it('pull the scrape of their node forward 11, 17 and 23 s after they began', async () => {
    newcomers.add(podInfo('team', 'app'));
    await clock.advance(600_000);
    assert.deepEqual(pulls, [
      [11, 'node-a'],
      [17, 'node-a'],
      [23, 'node-a'],
    ]);
    assert.equal(clock.waiting, 0);
  });

  it('are not looked for once they are served', async () => {
    newcomers.add(podInfo('team', 'app'));
    await clock.advance(12_000);
    served = true;
    await clock.advance(600_000);
    assert.equal(pulls.length, 1);
  });

  it('are looked for when their labels are others by then', async () => {
    newcomers.add(podInfo('team', 'app'));
    running = podInfo('team', 'app', { role: 'leader' });
    await clock.advance(12_000);
    assert.equal(pulls.length, 1);
    served = true;
    await clock.advance(600_000);
    assert.equal(pulls.length, 1);
  });

  it('are not looked for when they are gone, or another pod has their name', async () => {
    newcomers.add(podInfo('team', 'app'));
    running = { ...podInfo('team', 'app'), uid: 'another' };
    await clock.advance(600_000);
    running = undefined;
    newcomers.add(podInfo('team', 'app'));
    await clock.advance(600_000);
    assert.deepEqual([pulls, asked], [[], 0]);
  });

  it('need no request where a kubelet has reported them', async () => {
    reportedBy = 'node-b';
    newcomers.add(podInfo('team', 'app'));
    await clock.advance(12_000);
    assert.deepEqual([pulls, asked], [[[11, 'node-b']], 0]);
  });

  it('are looked for again when the API server does not tell where they run', async () => {
    located = undefined;
    newcomers.add(podInfo('team', 'app'));
    await clock.advance(12_000);
    located = 'node-c';
    await clock.advance(6000);
    assert.deepEqual(pulls, [[17, 'node-c']]);
  });

  it('beyond 2,000 at once wait for the usual scrape, and others have their turn later', async () => {
    for (let pod = 0; pod <= 2000; pod++) newcomers.add(podInfo('team', 'app'));
    await clock.advance(12_000);
    assert.equal(pulls.length, 2000);
    await clock.advance(600_000);
    pulls = [];
    newcomers.add(podInfo('team', 'app'));
    await clock.advance(600_000);
    assert.equal(pulls.length, 3);
  });
});
