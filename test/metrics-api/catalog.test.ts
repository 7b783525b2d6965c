import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseFieldSelector } from '../../src/kube/selectors/field-selector.ts';
import { parseLabelSelector } from '../../src/kube/selectors/label-selector.ts';
import { MetricsCatalog, type ListQuery } from '../../src/metrics-api/catalog.ts';
import type { PodMetricsList } from '../../src/metrics-api/list.ts';
import { monotonicMs } from '../../src/model/units.ts';
import { nodeInfo, nodeUsage, podInfo, podUsage, TestCluster } from '../support/metrics-sources.ts';

function query(changes: { labels?: string; fields?: string; limit?: number; continueToken?: string } = {}): ListQuery {
  return {
    labelSelector: parseLabelSelector(changes.labels ?? ''),
    fieldSelector: parseFieldSelector(changes.fields ?? ''),
    limit: changes.limit ?? 0,
    continueToken: changes.continueToken ?? '',
  };
}

function catalogOf(cluster: TestCluster): MetricsCatalog {
  return new MetricsCatalog(cluster.objects, cluster.usage);
}

function someCluster(): TestCluster {
  return new TestCluster()
    .addNode(nodeInfo('node-b', { pool: 'x' }))
    .addNode(nodeInfo('node-a'))
    .addPod(podInfo('team-b', 'web-1', { app: 'web' }), podUsage('node-a'))
    .addPod(podInfo('team-a', 'web-2', { app: 'web' }), podUsage('node-b'))
    .addPod(podInfo('team-a', 'db-1', { app: 'db' }), podUsage('node-b'))
    .addPod(podInfo('team-a', 'young', { app: 'web' }), 'none');
}

const podNames = (catalog: MetricsCatalog, namespace: string, asked: ListQuery): string[] =>
  catalog.listPods(namespace, asked).items.map((pod) => `${pod.namespace}/${pod.name}`);

describe('MetricsCatalog', () => {
  it('lists in order and leaves out what has no metrics', () => {
    const catalog = catalogOf(someCluster());
    assert.deepEqual(podNames(catalog, '', query()), ['team-a/db-1', 'team-a/web-2', 'team-b/web-1']);
    assert.deepEqual(podNames(catalog, 'team-b', query()), ['team-b/web-1']);
    assert.deepEqual(
      catalog.listNodes(query()).items.map(({ name }) => name),
      ['node-a', 'node-b'],
    );
  });

  it('gives the list of all pods again for a quarter of a second, while nothing changes', () => {
    const cluster = someCluster();
    let present = 0;
    let version = 1;
    let pods = cluster.objects.pods();
    const objects = { ...cluster.objects, pods: () => pods };
    const usage = {
      ...cluster.usage,
      now: () => monotonicMs(present),
      get version() {
        return version;
      },
    };
    const catalog = new MetricsCatalog(objects, usage);
    const list = (): PodMetricsList => catalog.listPods('', query());
    const first = list();
    present = 249;
    assert.equal(list(), first);
    assert.deepEqual(podNames(catalog, '', query({ labels: 'app=db' })), ['team-a/db-1']);
    assert.deepEqual(podNames(catalog, '', query({ limit: 1 })), ['team-a/db-1']);
    version = 2;
    const afterUsage = list();
    assert.notEqual(afterUsage, first);
    assert.equal(list(), afterUsage);
    pods = pods.slice(1);
    assert.equal(list().items.length, 2);
    const afterPods = list();
    present += 250;
    assert.notEqual(list(), afterPods);
    assert.deepEqual(list(), afterPods);
  });

  it('tells what does not exist from what has no metrics', () => {
    const cluster = someCluster();
    cluster.forgetNodeUsage('node-a');
    const catalog = catalogOf(cluster);
    assert.equal(catalog.node('ghost'), 'no-object');
    assert.equal(catalog.node('node-a'), 'no-metrics');
    assert.equal(catalog.pod('team-a', 'ghost'), 'no-object');
    assert.equal(catalog.pod('team-a', 'young'), 'no-metrics');
  });

  it('gives the same object until usage or labels change', () => {
    const cluster = someCluster();
    const catalog = catalogOf(cluster);
    const first = catalog.pod('team-b', 'web-1');
    assert.equal(catalog.pod('team-b', 'web-1'), first);
    assert.equal(catalog.listPods('team-b', query()).items[0], first);
    cluster.addPod(podInfo('team-b', 'web-1', { app: 'new' }), podUsage('node-a'));
    const second = catalog.pod('team-b', 'web-1');
    assert.ok(typeof second === 'object');
    assert.deepEqual({ ...second.labels }, { app: 'new' });
    const node = catalog.node('node-a');
    cluster.addNode(nodeInfo('node-a'), nodeUsage(5));
    assert.notEqual(catalog.node('node-a'), node);
  });

  it('selects by labels and fields', () => {
    const catalog = catalogOf(someCluster());
    const selections: readonly (readonly [Parameters<typeof query>[0], string[]])[] = [
      [{ labels: 'app=web' }, ['team-a/web-2', 'team-b/web-1']],
      [{ fields: 'metadata.name=web-1' }, ['team-b/web-1']],
      [{ fields: 'metadata.namespace!=team-a' }, ['team-b/web-1']],
      [{ fields: 'metadata.namespace=team-a,metadata.name=db-1' }, ['team-a/db-1']],
      [{ fields: 'spec.nodeName=node-b' }, ['team-a/db-1', 'team-a/web-2']],
      [{ fields: 'spec.nodeName=node-b', labels: 'app!=web' }, ['team-a/db-1']],
      [{ fields: 'metadata.name=a,metadata.name=web-1' }, []],
    ];
    for (const [selection, names] of selections) assert.deepEqual(podNames(catalog, '', query(selection)), names);
    const nodes = (fields: string): string[] => catalog.listNodes(query({ fields })).items.map(({ name }) => name);
    assert.deepEqual(nodes('metadata.name=node-b'), ['node-b']);
    assert.deepEqual(nodes('metadata.name!=node-b'), ['node-a']);
    assert.deepEqual(nodes('metadata.namespace=x'), []);
  });

  it('uses an index of labels where there is one', () => {
    const cluster = someCluster();
    const asked: string[] = [];
    const objects = {
      ...cluster.objects,
      podsWithLabel(namespace: string, key: string, value: string) {
        asked.push(`${namespace} ${key}=${value}`);
        return cluster.objects.pods(namespace).filter((pod) => pod.labels[key] === value);
      },
    };
    const catalog = new MetricsCatalog(objects, cluster.usage);
    assert.deepEqual(podNames(catalog, 'team-a', query({ labels: 'app=web,x!=y' })), ['team-a/web-2']);
    assert.deepEqual(asked, ['team-a app=web']);
  });

  it('pages through everything once, whatever comes and goes', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-c]{1,4}$/), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(names, names, fc.integer({ min: 1, max: 5 }), (staying, passing, limit) => {
        const cluster = new TestCluster();
        for (const name of staying) cluster.addPod(podInfo('ns', name));
        const catalog = catalogOf(cluster);
        const seen: string[] = [];
        let continueToken = '';
        let round = 0;
        do {
          const page = catalog.listPods('', query({ limit, continueToken }));
          seen.push(...page.items.map(({ name }) => name));
          const visitor = passing[round++ % passing.length] ?? '';
          if (!staying.includes(visitor)) {
            if (round % 2 === 0) cluster.removePod('ns', visitor);
            else cluster.addPod(podInfo('ns', visitor));
          }
          continueToken = page.continueToken ?? '';
        } while (continueToken !== '' && round < 200);
        assert.deepEqual(
          seen.filter((name) => staying.includes(name)),
          staying.toSorted(),
        );
        assert.equal(new Set(seen).size, seen.length);
      }),
    );
  });

  it('makes objects again, with nothing encoded, after it forgot them', () => {
    const catalog = catalogOf(someCluster());
    const all = () => [...catalog.listPods('', query()).items, ...catalog.listNodes(query()).items];
    const before = all();
    for (const { fragments, metadata } of before) {
      const encoded = { bytes: Buffer.of(1), stampAt: 0, contentAt: 0, metadataEnd: 0 };
      fragments.json = encoded;
      metadata.json = encoded;
    }
    catalog.forgetObjects();
    const after = all();
    for (const { fragments, metadata } of after) assert.deepEqual([fragments, metadata], [{}, {}]);
    const content = ({ name, timestamp, window }: (typeof before)[number]): unknown => [name, timestamp, window];
    assert.deepEqual(after.map(content), before.map(content));
    assert.deepEqual(all(), after);
    for (const [index, object] of all().entries()) assert.equal(object, after[index]);
  });

  it('bounds the items of a list by what indexes tell', () => {
    const catalog = catalogOf(someCluster());
    assert.equal(catalog.mostPods('', query()), 4);
    assert.equal(catalog.mostPods('', query({ fields: 'metadata.namespace=team-b' })), 1);
    assert.equal(catalog.mostPods('team-a', query()), 3);
    assert.equal(catalog.mostPods('team-a', query({ fields: 'metadata.name=ghost' })), 0);
  });

  it('says how many remain unless a selector hides it', () => {
    const catalog = catalogOf(someCluster());
    const page = catalog.listPods('', query({ limit: 1 }));
    assert.equal(page.remainingItemCount, 2);
    const selected = catalog.listPods('', query({ limit: 1, labels: 'app=web' }));
    assert.equal(selected.remainingItemCount, undefined);
    assert.ok(selected.continueToken);
    const exact = catalog.listPods('', query({ limit: 3 }));
    assert.equal(exact.continueToken, undefined);
    assert.equal(exact.remainingItemCount, undefined);
  });

  it('refuses tokens that it did not give out for the resource', () => {
    const catalog = catalogOf(someCluster());
    const { continueToken = '' } = catalog.listNodes(query({ limit: 1 }));
    for (const token of [continueToken, 'x', '%', `${continueToken}!`, Buffer.from('[1]').toString('base64url')])
      assert.throws(() => catalog.listPods('', query({ continueToken: token })), {
        name: 'ContinueTokenError',
        message: /^invalid continue token: continue key is not valid/,
      });
  });
});
