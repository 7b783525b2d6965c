import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { rowsOf, type Kubectl } from '../../hack/e2e/kubectl.ts';
import { loneNode, sharedNodes } from '../../hack/e2e/living-nodes.ts';
import type { Stage } from '../../hack/e2e/stage.ts';
import { amount, near, workloads, type MetricsList } from './served.ts';

const shop = ['-n', 'shop'];

/** `kubectl get` and `describe` in every form people use. */
export function checkGet(stage: Stage): void {
  describe('kubectl get', () => {
    let kubectl: Kubectl;
    before(async () => {
      kubectl = await stage.kubectl('admin');
    });

    it('nodemetrics: a table with usage and window', async () => {
      const rows = rowsOf(await kubectl.run('get', 'nodemetrics'));
      assert.deepEqual(Object.keys(rows[0] ?? {}), ['NAME', 'CPU', 'MEMORY', 'WINDOW']);
      assert.deepEqual(
        rows.map((row) => row['NAME']),
        [...sharedNodes, loneNode],
      );
    });

    it('podmetrics -A -o wide: every pod with its namespace', async () => {
      const rows = rowsOf(await kubectl.run('get', 'podmetrics', '-A', '-o', 'wide'));
      assert.deepEqual(Object.keys(rows[0] ?? {}), ['NAMESPACE', 'NAME', 'CPU', 'MEMORY', 'WINDOW']);
      for (const name of workloads)
        assert.ok(
          rows.some((row) => row['NAME'] === name),
          name,
        );
    });

    it('podmetrics -o json and -o yaml: the same objects', async () => {
      const json = await kubectl.json<MetricsList>('get', 'podmetrics', ...shop);
      const yaml = parse(await kubectl.run('get', 'podmetrics', ...shop, '-o', 'yaml')) as MetricsList;
      for (const { items } of [json, yaml])
        assert.deepEqual(
          items.map(({ metadata, containers = [] }) => [
            metadata.name,
            metadata.labels,
            containers.map(({ usage }) => usage.memory),
          ]),
          [
            ['cart', { app: 'cart', tier: 'front' }, ['96Mi', '96Mi']],
            ['catalog', { app: 'catalog', tier: 'back' }, ['200Mi', '200Mi']],
          ],
        );
    });

    it('podmetrics NAME -o jsonpath: single values', async () => {
      const path = 'jsonpath={.containers[?(@.name=="proxy")].usage.cpu}';
      const cpu = await kubectl.run('get', 'podmetrics', 'cart', ...shop, '-o', path);
      assert.ok(near(amount(cpu), 0.25), cpu);
    });

    it('podmetrics -o custom-columns: the columns asked for', async () => {
      const columns = 'custom-columns=POD:.metadata.name,MEMORY:.containers[0].usage.memory';
      assert.deepEqual(rowsOf(await kubectl.run('get', 'podmetrics', ...shop, '-o', columns)), [
        { POD: 'cart', MEMORY: '96Mi' },
        { POD: 'catalog', MEMORY: '200Mi' },
      ]);
    });

    it('podmetrics -o name: names with kind and group', async () => {
      assert.equal(
        await kubectl.run('get', 'podmetrics', ...shop, '-o', 'name'),
        'podmetrics.metrics.k8s.io/cart\npodmetrics.metrics.k8s.io/catalog\n',
      );
    });

    it('podmetrics --show-labels: the labels of the pods', async () => {
      const rows = rowsOf(await kubectl.run('get', 'podmetrics', ...shop, '--show-labels'));
      assert.deepEqual(
        rows.map((row) => row['LABELS']),
        ['app=cart,tier=front', 'app=catalog,tier=back'],
      );
    });

    it('podmetrics --sort-by: in the order asked for', async () => {
      const sorted = await kubectl.run('get', 'podmetrics', '-A', '-l', 'tier', '--sort-by=.metadata.labels.app');
      assert.deepEqual(
        rowsOf(sorted).map((row) => row['NAME']),
        ['books', 'cart', 'catalog'],
      );
    });

    it('podmetrics --chunk-size: all pods, a few at a time', async () => {
      const names = async (...flags: string[]): Promise<string> =>
        await kubectl.run('get', 'podmetrics', '-A', '-o', 'name', ...flags);
      assert.equal(await names('--chunk-size=2'), await names());
      const page = await stage.plane.admin.read<{ items: unknown[]; metadata: { continue?: string } }>(
        '/apis/metrics.k8s.io/v1/pods?limit=2',
      );
      assert.equal(page.items.length, 2);
      assert.notEqual(page.metadata.continue ?? '', '');
    });

    it('podmetrics -l and --field-selector: only those that match', async () => {
      assert.equal(
        await kubectl.run('get', 'podmetrics', '-A', '-l', 'tier in (front),app!=books', '-o', 'name'),
        'podmetrics.metrics.k8s.io/cart\n',
      );
      assert.equal(
        await kubectl.run('get', 'podmetrics', '-A', '--field-selector', 'metadata.name=books', '-o', 'name'),
        'podmetrics.metrics.k8s.io/books\n',
      );
    });

    it('podmetrics of an empty namespace: says that there are none', async () => {
      const { code, stderr } = await kubectl.try(['get', 'podmetrics', '-n', 'kube-public']);
      assert.deepEqual([code, stderr.trim()], [0, 'No resources found in kube-public namespace.']);
    });

    it('pods.v1beta1.metrics.k8s.io: the older version by name', async () => {
      const version = await kubectl.run(
        'get',
        'pods.v1beta1.metrics.k8s.io',
        'cart',
        ...shop,
        '-o',
        'jsonpath={.apiVersion} {.kind}',
      );
      assert.equal(version, 'metrics.k8s.io/v1beta1 PodMetrics');
    });

    it('-w: refused, for metrics cannot be watched', async () => {
      assert.match(
        await kubectl.fail('get', 'podmetrics', ...shop, '-w'),
        /^Error from server \(MethodNotAllowed\): watch is not supported/,
      );
    });

    it('--raw: the list as it is served', async () => {
      const served = JSON.parse(await kubectl.run('get', '--raw', '/apis/metrics.k8s.io/v1/nodes')) as MetricsList;
      assert.deepEqual([served.kind, served.apiVersion], ['NodeMetricsList', 'metrics.k8s.io/v1']);
    });
  });

  describe('kubectl describe', () => {
    it('podmetrics NAME: labels, containers and usage', async () => {
      const text = await (await stage.kubectl('admin')).run('describe', 'podmetrics', 'cart', ...shop);
      assert.match(text, /^Name: +cart$/m);
      assert.match(text, /^Labels: +app=cart$/m);
      assert.match(text, /^ +Name: +proxy\n +Usage:\n +Cpu: +25\d\w+\n +Memory: +96Mi$/m);
      assert.match(text, /^Window: +\d/m);
    });
  });
}
