import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseFieldSelector } from '../../src/kube/selectors/field-selector.ts';
import { parseLabelSelector } from '../../src/kube/selectors/label-selector.ts';
import { MetricsCatalog, type ListQuery } from '../../src/metrics-api/catalog.ts';
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

/** Read to the end. */
function itemsOf<Metrics>({ batches }: { readonly batches: Iterable<readonly Metrics[]> }): Metrics[] {
  return [...batches].flat();
}

const podNames = (catalog: MetricsCatalog, namespace: string, asked: ListQuery): string[] =>
  itemsOf(catalog.listPods(namespace, asked)).map((pod) => `${pod.namespace}/${pod.name}`);

describe('MetricsCatalog', () => {
  it('lists in order and leaves out what has no metrics', () => {
    const catalog = catalogOf(someCluster());
    assert.deepEqual(podNames(catalog, '', query()), ['team-a/db-1', 'team-a/web-2', 'team-b/web-1']);
    assert.deepEqual(podNames(catalog, 'team-b', query()), ['team-b/web-1']);
    assert.deepEqual(
      itemsOf(catalog.listNodes(query())).map(({ name }) => name),
      ['node-a', 'node-b'],
    );
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

  it('keeps what is encoded with the usage, until the Pod or Node is another', () => {
    const cluster = someCluster();
    const catalog = catalogOf(cluster);
    const usage = podUsage('node-a');
    const info = podInfo('team-b', 'web-1', { app: 'web' });
    cluster.addPod(info, usage);
    const encoded = () => {
      const pod = catalog.pod('team-b', 'web-1');
      assert.ok(typeof pod === 'object');
      return pod.encoded;
    };
    const first = encoded();
    assert.equal(first.of, info);
    assert.equal(encoded(), first);
    assert.equal(itemsOf(catalog.listPods('team-b', query()))[0]?.encoded, first);
    cluster.addPod(podInfo('team-b', 'web-1', { app: 'new' }), usage);
    assert.notEqual(encoded(), first);
    assert.deepEqual({ ...itemsOf(catalog.listPods('team-b', query()))[0]?.labels }, { app: 'new' });
    const node = itemsOf(catalog.listNodes(query()))[0]?.encoded;
    cluster.addNode(nodeInfo('node-a'), nodeUsage(5));
    assert.notEqual(itemsOf(catalog.listNodes(query()))[0]?.encoded, node);
  });

  it('finds the items of a list batch by batch as they are taken', () => {
    const cluster = new TestCluster();
    const names = Array.from({ length: 2200 }, (_, index) => `web-${String(index).padStart(4, '0')}`);
    for (const name of names) cluster.addPod(podInfo('ns', name), name < 'web-0600' ? 'none' : podUsage('node-a'));
    const { batches, most } = catalogOf(cluster).listPods('', query());
    assert.equal(most, 2200);
    const taken: string[][] = [];
    for (const batch of batches) {
      taken.push(batch.map(({ name }) => name));
      cluster.addPod(podInfo('ns', 'web-1900'), 'none');
    }
    assert.deepEqual(
      taken.flat(),
      names.filter((name) => name >= 'web-0600' && name !== 'web-1900'),
    );
    assert.deepEqual(
      taken.map(({ length }) => length),
      [400, 999, 200],
    );
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
    const nodes = (fields: string): string[] => itemsOf(catalog.listNodes(query({ fields }))).map(({ name }) => name);
    assert.deepEqual(nodes('metadata.name=node-b'), ['node-b']);
    assert.deepEqual(nodes('metadata.name!=node-b'), ['node-a']);
    assert.deepEqual(nodes('metadata.namespace=x'), []);
  });

  it('looks only at the pods that have the first label asked for', (context) => {
    const cluster = someCluster();
    const walk = context.mock.method(cluster.objects, 'pods');
    assert.deepEqual(podNames(catalogOf(cluster), 'team-a', query({ labels: 'x!=y,app=db' })), ['team-a/db-1']);
    assert.equal(walk.mock.callCount(), 0);
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
          seen.push(...itemsOf(page).map(({ name }) => name));
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

  it('forgets what is encoded when it is told to', () => {
    const cluster = someCluster();
    const catalog = catalogOf(cluster);
    for (const block of cluster.objects.podBlocks()) block.kept = {};
    const all = () => [...itemsOf(catalog.listPods('', query())), ...itemsOf(catalog.listNodes(query()))];
    const before = all().map(({ encoded }) => encoded);
    assert.equal(before.length, 5);
    catalog.forgetEncoded();
    assert.ok([...cluster.objects.podBlocks()].every(({ kept }) => kept === undefined));
    for (const [index, { encoded }] of all().entries()) assert.notEqual(encoded, before[index]);
  });

  it('has blocks of pods where all of a namespace or of all are listed, and nowhere else', () => {
    const catalog = catalogOf(someCluster());
    const blocks = (namespace: string, asked: ListQuery) => {
      const made = catalog.listPods(namespace, asked).blocks;
      return made && [...made].length;
    };
    assert.deepEqual([blocks('', query()), blocks('team-a', query()), blocks('', query({ limit: 9 }))], [2, 1, 2]);
    const page = catalog.listPods('', query({ limit: 1 }));
    const { continueToken = '' } = page;
    const others = [{ limit: 1 }, { continueToken }, { labels: 'app' }, { fields: 'metadata.name!=x' }];
    for (const asked of others) assert.equal(blocks('', query(asked)), undefined, JSON.stringify(asked));
  });

  it('bounds the items of a list by what indexes tell', () => {
    const catalog = catalogOf(someCluster());
    const most = (namespace: string, asked: ListQuery): number => catalog.listPods(namespace, asked).most;
    assert.equal(most('', query()), 4);
    assert.equal(most('', query({ fields: 'metadata.namespace=team-b' })), 1);
    assert.equal(most('team-a', query()), 3);
    assert.equal(most('team-a', query({ fields: 'metadata.name=ghost' })), 0);
    assert.equal(most('', query({ limit: 2 })), 2);
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

  it('does not look at more than ten thousand objects for a page, and yet every object is on one', () => {
    const cluster = new TestCluster();
    const rare = [0, 9_999, 10_000, 10_499];
    const name = (index: number): string => `web-${String(index).padStart(5, '0')}`;
    for (let index = 0; index < 10_500; index++)
      cluster.addPod(podInfo('ns', name(index), rare.includes(index) ? { app: 'rare' } : {}));
    const catalog = catalogOf(cluster);
    assert.equal(catalog.listPods('', query({ limit: 5 })).remainingItemCount, undefined);
    for (const limit of [1, 2, 3, 4]) {
      const seen: string[] = [];
      let pages = 0;
      let continueToken: string | undefined = '';
      for (; continueToken !== undefined && pages < 10; pages++) {
        const page = catalog.listPods('', query({ limit, labels: 'app=rare', continueToken }));
        seen.push(...itemsOf(page).map((pod) => pod.name));
        continueToken = page.continueToken;
      }
      assert.deepEqual(seen, rare.map(name), `limit ${limit}`);
      assert.ok(pages >= 2);
    }
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
