import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { rowsOf, type Kubectl } from '../../hack/e2e/kubectl.ts';
import { loneNode, sharedNodes } from '../../hack/e2e/living-nodes.ts';
import type { Stage } from '../../hack/e2e/stage.ts';
import { until } from '../../hack/e2e/wait.ts';
import { amount, near, workloads } from './served.ts';

/** `kubectl top`, which speaks protobuf. */
export function checkTop(stage: Stage): void {
  describe('kubectl top', () => {
    let kubectl: Kubectl;
    before(async () => {
      kubectl = await stage.kubectl('admin');
    });

    it('nodes: every node, in cores, bytes and parts of its capacity', async () => {
      const rows = rowsOf(await kubectl.run('top', 'nodes'));
      assert.deepEqual(
        rows.map((row) => row['NAME']),
        [...sharedNodes, loneNode],
      );
      for (const row of rows) {
        assert.match(row['CPU(cores)'] ?? '', /^[1-9]\d*m$/);
        assert.match(row['CPU(%)'] ?? '', /^[1-9]\d*%$/);
        assert.match(row['MEMORY(bytes)'] ?? '', /^[1-9]\d*Mi$/);
        assert.match(row['MEMORY(%)'] ?? '', /^[1-9]\d*%$/);
      }
    });

    it('node NAME: that node alone', async () => {
      // Once its pod did not start within the window.
      await until(40_000, 'the whole usage', async () => {
        const rows = rowsOf(await kubectl.run('top', 'node', loneNode));
        assert.deepEqual(
          rows.map((row) => row['NAME']),
          [loneNode],
        );
        // 100m of the system, 60m of its only pod.
        assert.ok(near(amount(rows[0]?.['CPU(cores)'] ?? ''), 0.16, 0.02), JSON.stringify(rows));
        assert.equal(rows[0]?.['MEMORY(bytes)'], '560Mi');
      });
    });

    it('pods -A: every pod of every namespace', async () => {
      const rows = rowsOf(await kubectl.run('top', 'pods', '-A'));
      const found = new Map(rows.map((row) => [row['NAME'], row]));
      for (const name of workloads) assert.ok(found.has(name), name);
      const cart = found.get('cart');
      assert.equal(cart?.['NAMESPACE'], 'shop');
      assert.ok(near(amount(cart['CPU(cores)'] ?? ''), 0.5), JSON.stringify(cart));
      assert.equal(cart['MEMORY(bytes)'], '192Mi');
    });

    it('pods --containers -l: a line for each container of the pods selected', async () => {
      const rows = rowsOf(await kubectl.run('top', 'pods', '-n', 'shop', '--containers', '-l', 'app=cart'));
      assert.deepEqual(
        rows.map((row) => [row['POD'], row['NAME'], row['MEMORY(bytes)']]),
        [
          ['cart', 'app', '96Mi'],
          ['cart', 'proxy', '96Mi'],
        ],
      );
      for (const row of rows) assert.ok(near(amount(row['CPU(cores)'] ?? ''), 0.25, 0.02), JSON.stringify(row));
    });

    it('pods --sort-by=cpu --sum: the busiest first, the sum last', async () => {
      const rows = rowsOf(await kubectl.run('top', 'pods', '-A', '-l', 'tier', '--sort-by=cpu', '--sum'));
      assert.deepEqual(
        rows.slice(0, 3).map((row) => row['NAME']),
        ['books', 'cart', 'catalog'],
      );
      const last = Object.values(rows.at(-1) ?? {});
      assert.ok(near(amount(last[0] ?? ''), 2.24, 0.02), JSON.stringify(last));
      assert.equal(last[1], '1616Mi');
    });

    it('pods --field-selector spec.nodeName: the pods of one node', async () => {
      const rows = rowsOf(await kubectl.run('top', 'pods', '-A', '--field-selector', `spec.nodeName=${loneNode}`));
      assert.deepEqual(
        rows.map((row) => row['NAME']),
        ['hermit'],
      );
    });

    it('pods of an empty namespace: says that there are none', async () => {
      const { stderr } = await kubectl.try(['top', 'pods', '-n', 'kube-public']);
      assert.equal(stderr.trim(), 'No resources found in kube-public namespace.');
    });

    it('pod NAME of a pod that does not exist: not found', async () => {
      assert.equal(
        await kubectl.fail('top', 'pod', 'ghost', '-n', 'shop'),
        'Error from server (NotFound): pods "ghost" not found',
      );
    });
  });
}
