import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ContainerSample } from '../../src/model/sample.ts';
import { epochMs, monotonicMs } from '../../src/model/units.ts';
import { atOnce } from '../support/at-once.ts';
import { begin, container, identity, node, pod, sample, StoreTest } from './support.ts';

const millicore = 1e6;
const second = 1_000_000_000;

describe('rule 1: whose samples', () => {
  it('keeps two pods of one name apart by their UIDs', async () => {
    const test = new StoreTest();
    const older = { ...pod('web', container('app', { at: 5, rate: 7 * millicore, used: 90 * second })), uid: 'old' };
    const newer = { ...pod('web', container('app', { at: 5, rate: 3 * millicore, used: 9 * second })), uid: 'new' };
    await test.answer(10, { pods: [older, newer] });
    assert.equal(test.store.pod({ ...identity('web'), kubeletUid: 'new' })?.containers[0]?.cpu, 3 * millicore);
    assert.equal(test.store.pod({ ...identity('web'), kubeletUid: 'old' })?.containers[0]?.cpu, 7 * millicore);
  });

  it('forgets a pod that neither the node nor the API server knows', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 5, rate: millicore, used: second });
    await test.answer(25, {});
    assert.equal(test.store.size.pods, 0);
  });

  it('matches by name what a source without UIDs reports', async () => {
    const test = new StoreTest({
      pod: (namespace, name) => (namespace === 'default' && name === 'web' ? identity('web') : undefined),
    });
    const nameless = (at: number, used: number) => [{ ...pod('web', container('app', { at, used })), uid: undefined }];
    await test.answer(10, { source: 'resource', timePrecision: 1, pods: nameless(5.25, 10 * second) });
    await test.answer(25, { source: 'resource', timePrecision: 1, pods: nameless(17.75, 11 * second) });
    assert.deepEqual(test.served, { cpu: 80 * millicore, window: 12.5, end: 17.75 });
  });

  it('goes by names where a kubelet makes up all UIDs', async () => {
    const test = new StoreTest({ pod: (_namespace, name) => identity(name) });
    const strange = (name: string, rate: number) => ({
      ...pod(name, container('app', { at: 5, used: second, rate })),
      uid: `strange-${name}`,
    });
    await test.answer(10, { pods: [strange('db', 2 * millicore), strange('web', millicore)] });
    assert.equal(test.served?.cpu, millicore);
    assert.equal(test.store.pod(identity('db'))?.containers[0]?.cpu, 2 * millicore);
  });

  it('does not take a ghost for the pod that replaced it under the same name', async () => {
    const test = new StoreTest({ pod: (_namespace, name) => identity(name) });
    const text = { at: 5, used: second, rate: millicore };
    await test.answer(10, {
      pods: [{ ...pod('web', container('app', text)), uid: 'ghost' }, pod('db', container('app', text))],
    });
    assert.equal(test.served, undefined);
  });

  it('keeps static pods of different nodes apart that share the UID of their manifest', async () => {
    const test = new StoreTest();
    const other = { ...node, name: 'worker-2' };
    const mirror = (name: string, rate: number) => [
      { ...pod(name, container('app', { at: 5, used: second, rate })), uid: 'manifest' },
    ];
    await test.answer(10, { pods: mirror('proxy-worker-1', 1 * millicore) });
    await test.answer(10, { pods: mirror('proxy-worker-2', 2 * millicore) }, other);
    const rateOf = (name: string) =>
      test.store.pod({ kubeletUid: 'manifest', namespace: 'default', name })?.containers[0]?.cpu;
    assert.deepEqual([rateOf('proxy-worker-1'), rateOf('proxy-worker-2')], [1 * millicore, 2 * millicore]);
  });
});

describe('rule 2: repeats', () => {
  it('makes no window from a sample that comes again', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 5, used: second });
    await test.sample(25, { at: 5, used: second });
    assert.equal(test.served, undefined);
  });

  it('does not move the window when the newest sample comes again', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 0, used: second });
    await test.sample(20, { at: 15, used: 2 * second });
    const before = { revision: test.store.pod(identity('web'))?.revision, ...test.served };
    await test.sample(30, { at: 15, used: 2 * second });
    assert.deepEqual({ revision: test.store.pod(identity('web'))?.revision, ...test.served }, before);
  });

  it('finds a static pod whose UID another node shared, after that node left', async () => {
    const test = new StoreTest();
    const usage = container('app', { at: 15, used: second, rate: millicore });
    const sample = (name: string) => ({ namespace: 'default', name, uid: 'manifest', containers: [usage] });
    await test.answer(20, { pods: [sample('proxy-1')] }, { ...node, name: 'worker-1' });
    await test.answer(20, { pods: [sample('proxy-2')] }, { ...node, name: 'worker-2' });
    test.store.removeNode('worker-1');
    const served = test.store.pod({ kubeletUid: 'manifest', namespace: 'default', name: 'proxy-2' });
    assert.equal(served?.nodeName, 'worker-2');
  });

  it('tells that usage is another by its revision: after a window, and when a container ends or comes back', async () => {
    const test = new StoreTest();
    const a = (at: number): ContainerSample => container('a', { at, used: at * second, rate: millicore });
    const b = container('b', { at: 15, used: second, rate: millicore });
    const revisions = new Set<unknown>();
    for (const [at, containers] of [
      [20, [a(15), b]],
      [35, [a(30), b]],
      [50, [a(30)]],
      [65, [a(30), b]],
    ] as const) {
      await test.answer(at, { pods: [pod('web', ...containers)] });
      revisions.add(test.store.pod(identity('web'))?.revision);
    }
    assert.equal(revisions.size, 4);
    assert.ok(!revisions.has(undefined), 'the pod was absent');
  });

  it('finds the usage of a pod wherever it runs now', async () => {
    const test = new StoreTest();
    const web = identity('web');
    const reported = (at: number) => ({ pods: [pod('web', container('app', { at, used: second, rate: millicore }))] });
    await test.answer(20, reported(15));
    assert.equal(test.store.pod(web)?.nodeName, 'worker-1');
    test.store.removePod(web);
    assert.equal(test.store.pod(web), undefined);
    await test.answer(35, reported(30), { ...node, name: 'worker-2' });
    assert.equal(test.store.pod(web)?.nodeName, 'worker-2');
  });

  it('ignores an older sample', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 0, used: second });
    await test.sample(20, { at: 15, used: 2 * second });
    await test.sample(30, { at: 10, used: 1.5 * second });
    assert.equal(test.served?.end, 15);
  });

  it('takes the same sample for a repeat when the source turns to milliseconds', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 5, used: second });
    await test.answer(25, {
      source: 'resource',
      timePrecision: 1,
      pods: [pod('web', container('app', { at: 5.9, used: second }))],
    });
    assert.equal(test.served, undefined);
  });

  it('starts over when the clock of the node was set back: an older sample has no higher counter', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 7, used: 100 * second });
    await test.sample(25, { at: 22, used: 107.5 * second });
    await test.sample(40, { at: 17, used: 115 * second });
    await test.sample(55, { at: 32, used: 122.5 * second });
    assert.deepEqual(test.served, { cpu: 500 * millicore, window: 15, end: 32 });
  });

  it('starts over when stamps moved otherwise than our own clock: that of the node was set', async () => {
    for (const set of [-44, 60]) {
      const test = new StoreTest();
      await test.sample(100, { at: 97, used: 100 * second });
      await test.sample(115, { at: 112 + set, used: 107.5 * second });
      assert.equal(test.served, undefined);
      await test.sample(130, { at: 127 + set, used: 115 * second });
      assert.deepEqual(test.served, { cpu: 500 * millicore, window: 15, end: 127 + set });
    }
  });

  it('starts over when the clock of the node was set back by more than the maximum age', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 3600, used: 10 * second });
    await test.sample(25, { at: 20, used: 11 * second });
    await test.sample(40, { at: 35, used: 12 * second });
    assert.equal(test.served?.end, 35);
  });
});

describe('rule 3: placeholders and idle', () => {
  it('refuses a counter of zero', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 5, used: 0, rate: 0, memory: 0 });
    await test.sample(25, { at: 20, used: 0, rate: 0 });
    assert.equal(test.served, undefined);
    assert.deepEqual(test.refusals, ['placeholder', 'placeholder']);
  });

  it('refuses a working set of zero that nothing speaks for', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 5, used: second, rate: millicore, memory: 0 });
    assert.deepEqual(test.refusals, ['placeholder']);
  });

  it('serves a working set of zero where all memory is inactive file cache', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 5, used: second, rate: millicore, memory: 0, memoryUsage: 4096 });
    assert.equal(test.store.pod(identity('web'))?.containers[0]?.memory, 0);
  });

  it('serves zero for an idle container', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 5, used: second, rate: 0 });
    await test.sample(40, { at: 30, used: second, rate: 0 });
    assert.deepEqual(test.served, { cpu: 0, window: 25, end: 30 });
  });
});

describe('rule 4: restarts', () => {
  it('measures no rate across a newer start time', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 5, started: -100, used: second });
    await test.sample(25, { at: 20, started: 15, used: 9 * second });
    assert.equal(test.served, undefined);
  });

  it('takes a start time that gained milliseconds for the same run', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 5, started: -3600, used: 4 * second });
    await test.sample(25, { at: 20, started: -3599.563, used: 5.5 * second });
    assert.deepEqual(test.served, { cpu: 100 * millicore, window: 15, end: 20 });
  });

  it('measures no rate across a fallen counter', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 5, used: 100 * second });
    await test.sample(25, { at: 20, used: second });
    assert.equal(test.served, undefined);
    await test.sample(40, { at: 32, used: 4 * second });
    assert.deepEqual(test.served, { cpu: 250 * millicore, window: 12, end: 32 });
  });

  it('serves the last good window of the run before while the new one has none', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 5, started: -100, used: second, rate: 5 * millicore });
    await test.sample(25, { at: 20, started: 18, used: 1000, rate: 0 });
    assert.deepEqual(test.served, { cpu: 5 * millicore, window: 10, end: 5 });
  });

  it('does not take a moved start time of a node for a restart', async () => {
    const test = new StoreTest();
    await test.answer(10, { node: sample({ at: 5, started: -1000, used: 100 * second }) });
    await test.answer(25, { node: sample({ at: 17, started: 10, used: 103 * second }) });
    assert.equal(test.store.node(node.name)?.cpu, 250 * millicore);
  });
});

describe('rule 5: exact rates', () => {
  it('keeps the last digits of counters beyond 2^53', async () => {
    const test = new StoreTest();
    const beyond = 2n ** 60n + 1n;
    await test.sample(10, { at: 0, used: beyond });
    await test.sample(25, { at: 10, used: beyond + 290_000_003n });
    assert.equal(test.served?.cpu, 29_000_000);
  });

  it('never shows 29m as 28999999n', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 0, used: 123_456_789_012_345n });
    await test.sample(25, { at: 15, used: 123_456_789_012_345n + 29_000_000n * 15n });
    assert.equal(test.served?.cpu, 29_000_000);
  });

  it('takes the rate of the kubelet where truncation allows for it, with the length that follows', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 0, used: 0n + 5_000_000_000n });
    await test.sample(25, { at: 11, used: 5_000_000_000n + 1_050_000_000n, rate: 100 * millicore });
    assert.deepEqual(test.served, { cpu: 100 * millicore, window: 10.5, end: 11 });
  });

  it('does not take the rate of the kubelet where truncation does not allow for it', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 0, used: 5_000_000_000n });
    await test.sample(25, { at: 11, used: 5_000_000_000n + 1_100_000_000n, rate: 300 * millicore });
    assert.deepEqual(test.served, { cpu: 100 * millicore, window: 11, end: 11 });
  });

  it('takes the rate of the kubelet for samples that truncation parts by 20 s, but that were less than 20 s apart', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 0, used: 5_000_000_000n });
    await test.sample(25, { at: 20, used: 5_000_000_000n + 1_960_000_000n, rate: 100 * millicore });
    assert.deepEqual(test.served, { cpu: 100 * millicore, window: 19.6, end: 20 });
  });

  it('reaches further back while the kubelet gives no rate and a second is too much of the window', async () => {
    const test = new StoreTest();
    await test.sample(2, { at: 0, used: 1 * second });
    await test.sample(17, { at: 10, used: 2 * second });
    await test.sample(27, { at: 20, used: 4 * second });
    await test.sample(44, { at: 40, used: 5 * second });
    assert.deepEqual(test.served, { cpu: 100 * millicore, window: 40, end: 40 });
  });
});

describe('rule 6: first sight', () => {
  it('measures a container that started lately from its start', async () => {
    const test = new StoreTest();
    await test.sample(30, { at: 28, started: 8, used: 4 * second, rate: 0 });
    assert.deepEqual(test.served, { cpu: 200 * millicore, window: 20, end: 28 });
  });

  it('does not measure over less than 10 s since the start', async () => {
    const test = new StoreTest();
    await test.sample(30, { at: 28, started: 20, used: 4 * second, rate: 0 });
    assert.equal(test.served, undefined);
  });

  it('serves the rate of the kubelet at once for an older container', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 5, started: -3600, used: 4 * second, rate: 12 * millicore });
    assert.deepEqual(test.served, { cpu: 12 * millicore, window: 10, end: 5 });
  });

  it('waits for the second sample where the kubelet has no rate yet, and makes up no zero', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 5, started: -3600, used: 4 * second, rate: 0 });
    assert.equal(test.served, undefined);
    assert.deepEqual(test.store.podAbsence(identity('web'), true), { reason: 'first_sample', container: 'app' });
  });

  it('sees a container anew after a long absence instead of averaging over it', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 5, started: -3600, used: 4 * second, rate: 12 * millicore });
    await test.sample(190, { at: 185, started: -3600, used: 94 * second, rate: 20 * millicore });
    assert.deepEqual(test.served, { cpu: 20 * millicore, window: 10, end: 185 });
  });

  it('averages over no hour where the kubelet has no rate', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 5, used: 4 * second });
    await test.sample(3610, { at: 3605, used: 7204 * second });
    assert.equal(test.served, undefined);
    await test.sample(3625, { at: 3620, used: 7205.5 * second });
    assert.deepEqual(test.served, { cpu: 100 * millicore, window: 15, end: 3620 });
  });

  it('averages over a missed minute where the kubelet has no rate', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 5, used: 4 * second });
    await test.sample(100, { at: 95, used: 13 * second });
    assert.deepEqual(test.served, { cpu: 100 * millicore, window: 90, end: 95 });
  });

  it('does not serve at first sight what was sampled long ago', async () => {
    const test = new StoreTest();
    await test.sample(600, { at: 5, started: -3600, used: 4 * second, rate: 12 * millicore });
    assert.deepEqual(test.refusals, ['stale']);
  });
});

describe('rule 7: the last good window', () => {
  it('is served with its own timestamp while scrapes are missed, up to the maximum age', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 10, used: second, rate: millicore });
    await test.clock.advance(44_000);
    assert.equal(test.served?.end, 10);
    await test.clock.advance(2_000);
    assert.equal(test.served, undefined);
    assert.deepEqual(test.store.podAbsence(identity('web'), true), { reason: 'expired', container: 'app' });
  });

  it('holds for nodes as well', async () => {
    const test = new StoreTest();
    await test.answer(10, { node: sample({ at: 10, used: second, rate: millicore }) });
    await test.clock.advance(44_000);
    assert.equal(test.store.node(node.name)?.cpu, millicore);
    await test.clock.advance(2_000);
    assert.equal(test.store.node(node.name), undefined);
    assert.deepEqual(test.store.nodeAbsence(node.name), { reason: 'expired' });
  });

  it('outlasts an answer without the pod while the API server says that it runs', async () => {
    const test = new StoreTest();
    test.running.add('web');
    await test.sample(10, { at: 10, used: second, rate: millicore });
    await test.answer(25, { pods: [] });
    assert.equal(test.served?.end, 10);
  });

  it('outlasts an answer in which the pod has no containers', async () => {
    const test = new StoreTest();
    test.running.add('web');
    await test.sample(10, { at: 10, used: second, rate: millicore });
    await test.answer(25, { pods: [pod('web')] });
    assert.equal(test.served?.end, 10);
  });

  it('is not aged by the scraping: an idle container whose newest sample comes again stays', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 0, used: second, rate: millicore });
    await test.sample(44, { at: 0, used: second, rate: millicore });
    await test.clock.advance(31_000);
    assert.equal(test.served?.end, 0, 'the scrape after a missed one is 30 s later');
    await test.clock.advance(60_000);
    assert.equal(test.served, undefined);
  });

  it('is served for a node whose clock is hours behind, as fresh as its samples are by that clock', async () => {
    const test = new StoreTest();
    const behind = 4 * 3600;
    await test.answer(10, {
      pods: [pod('web', container('app', { at: 5 - behind, used: second, rate: millicore }))],
      date: epochMs(begin + (10 - behind) * 1000),
    });
    assert.equal(test.served?.end, 5 - behind);
    await test.clock.advance(46_000);
    assert.equal(test.served, undefined);
  });

  it('is not prolonged when the wall clock is set back', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 10, used: second, rate: millicore });
    test.clock.jumpWall(-3_600_000);
    await test.clock.advance(46_000);
    assert.equal(test.served, undefined);
  });
});

describe('rule 8: whole pods', () => {
  it('carries the timestamp and window of the earliest container', async () => {
    const test = new StoreTest();
    const sidecar = container('sidecar', { at: 31, used: second, rate: 5 });
    await test.answer(40, { pods: [pod('web', container('app', { at: 34, used: second, rate: 7 }), sidecar)] });
    assert.deepEqual(test.served, { cpu: 12, window: 10, end: 31 });
  });

  it('lists containers by name', async () => {
    const test = new StoreTest();
    const text = { at: 5, used: second, rate: 1 };
    await test.answer(10, { pods: [pod('web', container('b', text), container('c', text), container('a', text))] });
    assert.deepEqual(
      test.store.pod(identity('web'))?.containers.map(({ name }) => name),
      ['a', 'b', 'c'],
    );
  });

  it('leaves a pod out, with a reason, while one running container has no window', async () => {
    const test = new StoreTest();
    const bare = container('bare', {});
    await test.answer(10, { pods: [pod('web', container('app', { at: 5, used: second, rate: 7 }), bare)] });
    assert.equal(test.served, undefined);
    assert.deepEqual(test.store.podAbsence(identity('web'), true), { reason: 'no_cpu', container: 'bare' });
  });

  it('serves a pod no longer than the oldest window of its running containers', async () => {
    const test = new StoreTest();
    for (const at of [15, 30, 45, 60]) {
      const fresh = container('side', { at, used: at * 1e6, rate: 1_000_000 });
      await test.answer(at, {
        pods: [pod('web', container('app', at > 15 ? {} : { at, used: 1e6, rate: 1e6 }), fresh)],
      });
      assert.notEqual(test.served, undefined, String(at));
    }
    await test.clock.advance(1);
    assert.equal(test.served, undefined);
    assert.deepEqual(test.store.podAbsence(identity('web'), true), { reason: 'no_cpu', container: 'app' });
  });

  it('does not wait for a container that has ended', async () => {
    const test = new StoreTest();
    const app = (at: number) => container('app', { at, used: second * at, rate: 7 });
    await test.answer(10, { pods: [pod('web', app(5), container('init', { at: 5, used: second, rate: 3 }))] });
    await test.answer(25, { pods: [pod('web', app(20))] });
    assert.deepEqual(
      test.store.pod(identity('web'))?.containers.map(({ name }) => name),
      ['app'],
    );
  });

  it('serves a container that came back from a restart without a gap', async () => {
    const test = new StoreTest();
    const steady = (at: number) => container('steady', { at, started: -900, used: second * (100 + at), rate: second });
    const crashing = (at: number, started: number, rate: number) =>
      container('crashing', { at, started, used: second, rate });
    await test.answer(10, { pods: [pod('web', steady(5), crashing(5, -100, 3))] });
    await test.answer(25, { pods: [pod('web', steady(20))] });
    await test.answer(40, { pods: [pod('web', steady(35), crashing(38, 37, 0))] });
    assert.deepEqual(
      test.store.pod(identity('web'))?.containers.map(({ name }) => name),
      ['crashing', 'steady'],
    );
  });

  it('never shows a container of the answer before when another took its place', async () => {
    const test = new StoreTest();
    const text = (at: number) => ({ at, used: second * at, rate: 7 });
    await test.answer(10, { pods: [pod('web', container('app', text(5)), container('first', text(5)))] });
    await test.answer(25, { pods: [pod('web', container('app', text(5)), container('second', text(20)))] });
    assert.deepEqual(
      test.store.pod(identity('web'))?.containers.map(({ name }) => name),
      ['app', 'second'],
    );
  });
});

describe('rule 9: implausible rates', () => {
  it('refuses a rate above one and a half times the capacity of the node, and keeps the last good window', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 5, used: second, rate: 7 });
    await test.sample(25, { at: 15, used: 62 * second, rate: 7 });
    assert.deepEqual(test.served, { cpu: 7, window: 10, end: 5 });
    assert.deepEqual(test.refusals, ['implausible']);
  });
});

describe('rule 10: memory', () => {
  it('gives everything of a node back when it leaves', async () => {
    const test = new StoreTest();
    await test.answer(10, {
      node: sample({ at: 5, used: second }),
      pods: [pod('web', container('app', { at: 5, used: second, rate: 1 }))],
    });
    test.store.removeNode(node.name);
    assert.deepEqual(test.store.size, { nodes: 0, pods: 0, series: 0 });
    assert.equal(test.served, undefined);
  });

  it('holds nothing after ten thousand pods came and went', async () => {
    const test = new StoreTest();
    for (let round = 0; round < 100; round++) {
      const pods = Array.from({ length: 100 }, (_, index) =>
        pod(`p${round * 100 + index}`, container('app', { at: round * 15, used: second, rate: 1 })),
      );
      await test.answer(round * 15, { pods });
    }
    await test.answer(1600, { pods: [] });
    assert.deepEqual(test.store.size, { nodes: 1, pods: 0, series: 1 });
  });

  it('forgets a pod at once that the API server says has ended', async () => {
    const test = new StoreTest();
    await test.sample(10, { at: 5, used: second, rate: 1 });
    test.store.removePod(identity('web'));
    assert.equal(test.served, undefined);
    assert.equal(test.store.size.series, 1);
  });
});

it('counts what may be served now', async () => {
  const test = new StoreTest();
  const answer = {
    node: sample({ at: 5, used: second, rate: 9 }),
    pods: [
      pod('web', container('a', { at: 5, used: second, rate: 1 }), container('b', { at: 5, used: second, rate: 1 })),
    ],
  };
  await test.answer(10, { ...answer, requestedAt: monotonicMs(10_000) });
  const { node: nodes, container: containers } = atOnce(test.store.census());
  assert.deepEqual([nodes.count, containers.count, containers.oldest], [1, 2, begin + 5000]);
});
