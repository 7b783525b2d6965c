import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { rowsOf, type Kubectl } from '../../hack/e2e/kubectl.ts';
import type { Stage } from '../../hack/e2e/stage.ts';
import { until } from '../../hack/e2e/wait.ts';

interface GroupDiscoveryList {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly versions: readonly { readonly version: string; readonly freshness: string }[];
  }[];
}

interface ApiService {
  readonly status: {
    readonly conditions: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
  };
}

const aggregatedDiscovery = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** What the aggregator and kubectl learn about the group. */
export function checkDiscovery(stage: Stage): void {
  describe('discovery', () => {
    let kubectl: Kubectl;
    before(async () => {
      kubectl = await stage.kubectl('admin');
    });

    for (const version of ['v1beta1', 'v1'])
      it(`APIService ${version}: available`, async () => {
        const { status } = await kubectl.json<ApiService>('get', 'apiservice', `${version}.metrics.k8s.io`);
        assert.deepEqual(
          status.conditions.map(({ type, status, reason }) => [type, status, reason]),
          [['Available', 'True', 'Passed']],
        );
      });

    it('is fresh: both versions are current, the newer one first', async () => {
      const { items } = await stage.plane.admin.read<GroupDiscoveryList>('/apis', {
        headers: { accept: aggregatedDiscovery },
      });
      const group = items.find(({ metadata }) => metadata.name === 'metrics.k8s.io');
      assert.deepEqual(
        group?.versions.map(({ version, freshness }) => [version, freshness]),
        [
          ['v1', 'Current'],
          ['v1beta1', 'Current'],
        ],
      );
    });

    it('kubectl api-resources: nodes and pods with their kinds', async () => {
      assert.deepEqual(rowsOf(await kubectl.run('api-resources', '--api-group=metrics.k8s.io', '--no-headers=false')), [
        { NAME: 'nodes', SHORTNAMES: 'metrics.k8s.io/v1', APIVERSION: 'false', NAMESPACED: 'NodeMetrics', KIND: '' },
        { NAME: 'pods', SHORTNAMES: 'metrics.k8s.io/v1', APIVERSION: 'true', NAMESPACED: 'PodMetrics', KIND: '' },
      ]);
    });

    it('kubectl api-versions: both versions', async () => {
      const versions = (await kubectl.run('api-versions')).split('\n');
      for (const version of ['v1', 'v1beta1']) assert.ok(versions.includes(`metrics.k8s.io/${version}`), version);
    });

    for (const version of ['v1', 'v1beta1'])
      it(`kubectl explain podmetrics --recursive of ${version}: every field`, async () => {
        // The aggregator fetches OpenAPI documents in its own time.
        const text = await until(90_000, 'the schema is there', async () =>
          kubectl.run('explain', 'podmetrics', '--recursive', `--api-version=metrics.k8s.io/${version}`),
        );
        assert.match(text, /^KIND: +PodMetrics$/m);
        assert.match(text, new RegExp(`^VERSION: +${version}$`, 'm'));
        for (const field of ['timestamp', 'window', 'containers', 'usage', 'labels'])
          assert.match(text, new RegExp(`^ +${field}\t<`, 'm'));
        assert.match(text, /^ +usage\t<map\[string\]Quantity>/m);
      });

    it('kubectl explain nodemetrics.usage: what it means', async () => {
      assert.match(await kubectl.run('explain', 'nodemetrics.usage'), /DESCRIPTION:\n +\S/);
    });

    it('answers a kind of the group that does not exist with 404', async () => {
      const { status } = await stage.plane.admin.ask('/apis/metrics.k8s.io/v1/services');
      assert.equal(status, 404);
    });

    it('refuses every verb that writes', async () => {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
        const path = `/apis/metrics.k8s.io/v1/namespaces/shop/pods${method === 'POST' ? '' : '/cart'}`;
        const { status, body } = await stage.plane.admin.ask(path, { method, body: {} });
        assert.equal(status, 405, `${method}: ${body}`);
      }
    });
  });
}
