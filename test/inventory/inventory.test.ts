import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import { Inventory } from '../../src/inventory/inventory.ts';
import { LabelSets } from '../../src/inventory/label-sets.ts';
import type { NodeInfo, ObjectKey, PodInfo } from '../../src/model/inventory.ts';
import { inBatches } from '../../src/model/sorted.ts';
import { RecordingLogger } from '../support/recording-logger.ts';

const labelSets = new LabelSets();

function pod(key: string, uid = key, labels: Record<string, string> = {}, kubeletUid = uid): PodInfo {
  const [namespace = '', name = ''] = key.split('/');
  return { namespace, name, uid, kubeletUid, labels: labelSets.intern(labels) };
}

function node(name: string, change: Partial<NodeInfo> = {}): NodeInfo {
  return {
    name,
    labels: labelSets.intern({}),
    addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
    kubeletPort: 10250,
    ready: true,
    cpuCapacity: undefined,
    resourceMetricsPath: undefined,
    ...change,
  };
}

function keys(pods: readonly PodInfo[]): string[] {
  return pods.map(({ namespace, name }) => `${namespace}/${name}`);
}

describe('the inventory', () => {
  let inventory: Inventory;
  let logger: RecordingLogger;
  let heard: string[];

  beforeEach(() => {
    logger = new RecordingLogger();
    inventory = new Inventory(logger);
    heard = [];
    inventory.subscribe({
      nodeAdded: ({ name }) => heard.push(`+${name}`),
      nodeChanged: ({ name, ready }) => heard.push(`~${name}${ready ? '' : ' not ready'}`),
      nodeRemoved: ({ name }) => heard.push(`-${name}`),
      podAdded: ({ name, uid }, isNew) => heard.push(`+${name} ${uid}${isNew ? ' new' : ''}`),
      podRemoved: ({ name, uid }) => heard.push(`-${name} ${uid}`),
      synced: () => heard.push('synced'),
    });
  });

  it('is synced when nodes and pods have both been listed, and says so once', () => {
    inventory.podSink.replace([]);
    assert.deepEqual([inventory.synced, inventory.podsSynced, inventory.nodesSynced], [false, true, false]);
    inventory.nodeSink.replace([]);
    assert.equal(inventory.synced, true);
    inventory.nodeSink.replace([]);
    assert.deepEqual(heard, ['synced']);
  });

  it('marks pods as new that were not in the first list', () => {
    inventory.podSink.replace([pod('a/one', 'u1')]);
    inventory.podSink.upsert(pod('a/two', 'u2'));
    inventory.podSink.replace([pod('a/two', 'u2'), pod('a/three', 'u3')]);
    assert.deepEqual(heard, ['+one u1', '+two u2 new', '-one u1', '+three u3 new']);
  });

  it('takes a pod of the same name and another UID for another pod', () => {
    inventory.podSink.replace([pod('a/web-0', 'u1')]);
    inventory.podSink.upsert(pod('a/web-0', 'u2'));
    assert.deepEqual(heard, ['+web-0 u1', '-web-0 u1', '+web-0 u2 new']);
    assert.equal(inventory.pod('a', 'web-0')?.uid, 'u2');
    assert.equal(inventory.podCount, 1);
  });

  it('says nothing when nothing that matters changed', () => {
    const first = pod('a/one', 'u1', { app: 'x' });
    inventory.podSink.replace([first]);
    inventory.podSink.upsert(pod('a/one', 'u1', { app: 'x' }));
    inventory.nodeSink.replace([node('n1')]);
    inventory.nodeSink.upsert(node('n1'));
    assert.deepEqual(heard, ['+one u1', '+n1', 'synced']);
    assert.equal(inventory.pod('a', 'one'), first);
  });

  it('holds other labels of a pod and says when a node changed', () => {
    inventory.podSink.upsert(pod('a/one', 'u1', { app: 'x' }));
    inventory.podSink.upsert(pod('a/one', 'u1', { app: 'y' }));
    inventory.nodeSink.upsert(node('n1'));
    inventory.nodeSink.upsert(node('n1', { ready: false }));
    assert.deepEqual(heard, ['+one u1', '+n1', '~n1 not ready']);
    assert.equal(inventory.pod('a', 'one')?.labels['app'], 'y');
    assert.equal(inventory.node('n1')?.ready, false);
  });

  it('notices every change of a node that scraping depends on', () => {
    const changes: Partial<NodeInfo>[] = [
      { kubeletPort: 10251 },
      { addresses: [{ type: 'InternalIP', address: '10.0.0.2' }] },
      { addresses: [{ type: 'ExternalIP', address: '10.0.0.1' }] },
      { addresses: [] },
      { resourceMetricsPath: '/x' },
      { labels: labelSets.intern({ a: 'b' }) },
    ];
    for (const change of changes) {
      inventory.nodeSink.upsert(node('n1'));
      heard.length = 0;
      inventory.nodeSink.upsert(node('n1', change));
      assert.equal(heard.length, 1, JSON.stringify(change));
    }
  });

  it('forgets what a list no longer holds', () => {
    inventory.nodeSink.replace([node('n1'), node('n2')]);
    inventory.nodeSink.replace([node('n2')]);
    inventory.nodeSink.remove(node('n3'));
    assert.deepEqual(inventory.nodes(), [node('n2')]);
    assert.deepEqual(heard, ['+n1', '+n2', '-n1']);
  });

  it('sorts by namespace, then name, in byte order', () => {
    inventory.podSink.replace(['b/x', 'a/z', 'a-b/y', 'a/B', 'a/a', 'a/a-1', 'a/a.1'].map((key) => pod(key)));
    assert.deepEqual(keys(inventory.pods()), ['a/B', 'a/a', 'a/a-1', 'a/a.1', 'a/z', 'a-b/y', 'b/x']);
    assert.deepEqual(keys(inventory.pods('a')), ['a/B', 'a/a', 'a/a-1', 'a/a.1', 'a/z']);
    assert.deepEqual(inventory.pods('none'), []);
    inventory.nodeSink.replace([node('n10'), node('n2'), node('n1')]);
    assert.deepEqual(
      inventory.nodes().map(({ name }) => name),
      ['n1', 'n10', 'n2'],
    );
  });

  it('never changes an array it gave', () => {
    inventory.podSink.replace([pod('a/one', 'u1', { app: 'x' }), pod('b/one')]);
    const given = [inventory.pods(), inventory.pods('a'), inventory.podsWithLabel('a', 'app', 'x')];
    inventory.podSink.upsert(pod('a/two', 'u2', { app: 'x' }));
    assert.deepEqual(keys(inventory.pods('a')), ['a/one', 'a/two']);
    assert.deepEqual(given.map(keys), [['a/one', 'b/one'], ['a/one'], ['a/one']]);
  });

  it('gives parts that begin behind a pod, which may be gone, and end before or after a namespace does', () => {
    inventory.podSink.replace(['a/x', 'a/y', 'a/z', 'c/x', 'c/z'].map((key) => pod(key, key, { app: 'x' })));
    const part = (after: string, count: number, namespace?: string): string[] =>
      keys(inventory.pods(namespace, { after: pod(after), count }));
    assert.deepEqual(part('a/x', 2), ['a/y', 'a/z']);
    assert.deepEqual(part('a/y', 2), ['a/z', 'c/x']);
    assert.deepEqual(part('b/q', 9), ['c/x', 'c/z']);
    assert.deepEqual(part('c/y', 9), ['c/z']);
    assert.deepEqual(part('a/y', 9, 'a'), ['a/z']);
    assert.deepEqual(part('a/y', 1, 'c'), ['c/x']);
    assert.deepEqual(part('b/q', 9, 'a'), []);
    assert.deepEqual(keys(inventory.podsWithLabel('a', 'app', 'x', { after: pod('a/x'), count: 1 })), ['a/y']);
  });

  it('finds pods by a label, also one named like a property of every object', () => {
    inventory.podSink.replace([
      pod('b/one', 'u1', { app: 'x' }),
      pod('a/two', 'u2', { app: 'x', __proto__: 'lost' }),
      pod('a/one', 'u3', { app: 'y' }),
      pod('a/zero', 'u4', JSON.parse('{"__proto__":"kept"}') as Record<string, string>),
    ]);
    assert.deepEqual(keys(inventory.podsWithLabel('b', 'app', 'x')), ['b/one']);
    assert.deepEqual(keys(inventory.podsWithLabel('a', 'app', 'x')), ['a/two']);
    assert.deepEqual(keys(inventory.podsWithLabel('a', '__proto__', 'kept')), ['a/zero']);
    assert.deepEqual(inventory.podsWithLabel('a', 'toString', 'x'), []);
    assert.deepEqual(inventory.podsWithLabel('none', 'app', 'x'), []);
    inventory.podSink.remove(pod('a/two'));
    assert.deepEqual(inventory.podsWithLabel('a', 'app', 'x'), []);
  });

  it('keeps telling the other listeners when one throws', () => {
    const loud = new Inventory(logger);
    loud.subscribe({
      podAdded: () => {
        throw new Error('boom');
      },
    });
    const stop = loud.subscribe({ podAdded: ({ name }) => heard.push(name) });
    loud.podSink.upsert(pod('a/one'));
    stop();
    loud.podSink.upsert(pod('a/two'));
    assert.deepEqual(heard, ['one']);
    assert.equal(logger.lines.length, 2);
  });

  it('keeps its pods in blocks of which a change touches one or two, however many come and go', () => {
    const name = (index: number): string => `a/p${String(index).padStart(4, '0')}`;
    const numbers = fc.array(fc.integer({ min: -999, max: 999 }), { maxLength: 600 });
    fc.assert(
      fc.property(fc.nat({ max: 999 }), numbers, (count, changes) => {
        const inventory = new Inventory(logger);
        for (let index = 0; index < count; index++) inventory.podSink.upsert(pod(name(index)));
        let before = [...inventory.podBlocks()];
        for (const change of changes) {
          if (change > 0) inventory.podSink.upsert(pod(name(change), `uid-${changes.length}`));
          else inventory.podSink.remove(pod(name(-change)));
          const after = [...inventory.podBlocks()];
          assert.ok(after.filter((block) => !before.includes(block)).length <= 2);
          before = after;
        }
        assert.ok(before.every(({ pods }) => pods.length > 0 && pods.length <= 256));
        assert.deepEqual(
          before.flatMap(({ pods }) => keys(pods)),
          keys(inventory.pods()),
        );
        assert.deepEqual(
          [...inBatches<ObjectKey, PodInfo>(7, (part) => inventory.pods('a', part))].flat(),
          inventory.pods(),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('fills blocks, and joins those that have become small', () => {
    const blocks = () => [...inventory.podBlocks('a')].length;
    assert.equal(blocks(), 0);
    for (let index = 0; index < 1000; index++) {
      inventory.podSink.upsert(pod(`a/p${String(index).padStart(4, '0')}`));
      assert.ok(blocks() <= 1 + index / 128);
    }
    for (let index = 0; index < 1000; index++)
      if (index % 8 !== 0) inventory.podSink.remove(pod(`a/p${String(index).padStart(4, '0')}`));
    assert.equal(inventory.podCount, 125);
    assert.ok(blocks() <= 2);
  });

  it('answers as a plain list would after any changes', () => {
    const name = fc.constantFrom('a/p', 'a/q', 'b/p', 'c/r');
    const change = fc.oneof(
      fc.record({
        kind: fc.constant('upsert' as const),
        name,
        uid: fc.nat({ max: 3 }),
        app: fc.constantFrom('x', 'y'),
      }),
      fc.record({ kind: fc.constant('remove' as const), name }),
      fc.record({ kind: fc.constant('replace' as const), names: fc.uniqueArray(name) }),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const inventory = new Inventory(logger);
        const plain = new Map<string, PodInfo>();
        const balance = new Map<string, number>();
        const count = (uid: string, by: number): void => void balance.set(uid, (balance.get(uid) ?? 0) + by);
        inventory.subscribe({ podAdded: ({ uid }) => count(uid, 1), podRemoved: ({ uid }) => count(uid, -1) });
        for (const change of changes) {
          if (change.kind === 'upsert') {
            const info = pod(change.name, `${change.name}-${change.uid}`, { app: change.app });
            inventory.podSink.upsert(info);
            plain.set(change.name, info);
          } else if (change.kind === 'remove') {
            inventory.podSink.remove(pod(change.name));
            plain.delete(change.name);
          } else {
            const infos = change.names.map((name) => pod(name, `${name}-9`, { app: 'x' }));
            inventory.podSink.replace(infos);
            plain.clear();
            for (const info of infos) plain.set(keys([info])[0] ?? '', info);
          }
          const sorted = [...plain.keys()].sort().map((key) => plain.get(key));
          assert.deepEqual(inventory.pods(), sorted);
          assert.deepEqual(
            inventory.pods('a'),
            sorted.filter((info) => info?.namespace === 'a'),
          );
          for (const namespace of [undefined, 'a'])
            assert.deepEqual(
              [...inventory.podBlocks(namespace)].flatMap(({ pods }) => pods),
              inventory.pods(namespace),
            );
          for (const app of ['x', 'y'])
            assert.deepEqual(
              inventory.podsWithLabel('a', 'app', app),
              sorted.filter((info) => info?.namespace === 'a' && info.labels['app'] === app),
            );
          assert.deepEqual(
            [...inBatches<ObjectKey, PodInfo>(2, (part) => inventory.pods(undefined, part))].flat(),
            sorted,
          );
          assert.equal(inventory.podCount, plain.size);
          assert.equal(inventory.podCountOf('a'), inventory.pods('a').length);
          for (const info of plain.values()) assert.equal(inventory.pod(info.namespace, info.name)?.uid, info.uid);
        }
        const living = new Set([...plain.values()].map(({ uid }) => uid));
        for (const [uid, sum] of balance) assert.equal(sum, living.has(uid) ? 1 : 0, uid);
      }),
    );
  });
});
