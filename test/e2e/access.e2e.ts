import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rowsOf } from '../../hack/e2e/kubectl.ts';
import type { Stage } from '../../hack/e2e/stage.ts';
import { until } from '../../hack/e2e/wait.ts';
import { metricsPath, workloads } from './served.ts';

interface Status {
  readonly kind: string;
  readonly reason: string;
  readonly message: string;
}

/** Who may read metrics, through the aggregator and past it. */
export function checkAccess(stage: Stage): void {
  describe('access', () => {
    it('lets a viewer with the role system:aggregated-metrics-reader read pods and nodes', async () => {
      const viewer = await stage.kubectl('viewer');
      const rows = rowsOf(await viewer.run('top', 'pods', '-A'));
      for (const name of workloads)
        assert.ok(
          rows.some((row) => row['NAME'] === name),
          name,
        );
      assert.equal(rowsOf(await viewer.run('get', 'nodemetrics')).length, 4);
    });

    for (const [what, args, message] of [
      [
        'all pods',
        ['get', 'podmetrics', '-A'],
        'pods.metrics.k8s.io is forbidden: User "nobody" cannot list resource "pods" in API group "metrics.k8s.io" at the cluster scope',
      ],
      [
        'nodes',
        ['top', 'nodes'],
        'nodes.metrics.k8s.io is forbidden: User "nobody" cannot list resource "nodes" in API group "metrics.k8s.io" at the cluster scope',
      ],
      [
        'one pod',
        ['get', 'podmetrics', 'cart', '-n', 'shop'],
        'pods.metrics.k8s.io "cart" is forbidden: User "nobody" cannot get resource "pods" in API group "metrics.k8s.io" in the namespace "shop"',
      ],
    ] as const)
      it(`refuses ${what} to a user without a role`, async () => {
        const nobody = await stage.kubectl('nobody');
        assert.equal(await nobody.fail(...args), `Error from server (Forbidden): ${message}`);
      });

    it('says the same to those who ask past the aggregator', async () => {
      const client = stage.kubetally.client({ client: stage.certificateOf('nobody') });
      const { status, body } = await client.ask(`${metricsPath}/namespaces/shop/pods`);
      assert.equal(status, 403);
      const { kind, reason, message } = JSON.parse(body) as Status;
      assert.deepEqual(
        [kind, reason, message],
        [
          'Status',
          'Forbidden',
          'pods.metrics.k8s.io is forbidden: User "nobody" cannot list resource "pods" in API group "metrics.k8s.io" in the namespace "shop"',
        ],
      );
    });

    it('lets a service account with the role view read its own namespace only', async (t) => {
      if (!stage.hasControllers) return t.skip('no controller aggregates roles');
      const dashboard = await stage.kubectl('dashboard', { token: await stage.tokenOf('shop', 'dashboard') });
      await until(30_000, 'the role is aggregated', async () => await dashboard.run('get', 'podmetrics', '-n', 'shop'));
      assert.equal(rowsOf(await dashboard.run('top', 'pods', '-n', 'shop')).length, 2);
      assert.match(await dashboard.fail('top', 'pods', '-n', 'ledger'), /in the namespace "ledger"$/);
      assert.match(await dashboard.fail('top', 'pods', '-A'), /at the cluster scope$/);
    });

    it('reviews a service account token shown to it directly', async () => {
      const token = await stage.tokenOf('shop', 'dashboard');
      const { status } = await stage.kubetally.client({ token }).ask(`${metricsPath}/nodes`);
      assert.equal(status, 403);
      const forged = `${token.slice(0, -8)}AAAAAAAA`;
      const answer = await stage.kubetally.client({ token: forged }).ask(`${metricsPath}/nodes`);
      assert.equal(answer.status, 401, answer.body);
    });

    it('takes nobody for another whose headers say so', async () => {
      const headers = { 'x-remote-user': 'admin', 'x-remote-group': 'system:masters' };
      const clients = [
        [403, stage.kubetally.client({})],
        [403, stage.kubetally.client({ client: stage.certificateOf('nobody') })],
        [401, stage.kubetally.client({ client: stage.certificates.impostor })],
      ] as const;
      for (const [expected, client] of clients) {
        const { status, body } = await client.ask(`${metricsPath}/nodes`, { headers });
        assert.equal(status, expected, body);
      }
      const viaAggregator = await stage.kubectl('nobody');
      assert.match(await viaAggregator.fail('get', 'nodemetrics', '--as', 'admin'), /cannot impersonate/);
    });

    it('knows whom the API server impersonates', async () => {
      const admin = await stage.kubectl('admin');
      assert.match(await admin.fail('get', 'nodemetrics', '--as', 'mallory'), /User "mallory" cannot list/);
      assert.equal(rowsOf(await admin.run('get', 'nodemetrics', '--as', 'viewer')).length, 4);
    });

    it('keeps its own metrics from those who may not read them', async () => {
      const nobody = await stage.kubetally.client({ client: stage.certificateOf('nobody') }).ask('/metrics');
      assert.equal(nobody.status, 403);
      const admin = await stage.kubetally.client({ client: stage.certificateOf('admin') }).ask('/metrics');
      assert.equal(admin.status, 200);
      assert.match(admin.body, /^apiserver_request_total\{/m);
    });
  });
}
