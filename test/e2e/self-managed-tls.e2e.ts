import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rowsOf } from '../../hack/e2e/kubectl.ts';
import type { Kubetally } from '../../hack/e2e/kubetally.ts';
import { outside, render } from '../../hack/e2e/registration.ts';
import type { Stage } from '../../hack/e2e/stage.ts';
import { until } from '../../hack/e2e/wait.ts';

interface ApiService {
  readonly spec: { readonly caBundle?: string; readonly insecureSkipTLSVerify?: boolean };
  readonly status: { readonly conditions: readonly { readonly status: string; readonly message: string }[] };
}

const versions = ['v1', 'v1beta1'];
const servername = 'kubetally.kube-system.svc';

/** The overlay `ha` over the base that was applied before, as in an upgrade. Leaves the cluster so; nothing may follow but the end. */
export function checkSelfManagedTls(stage: Stage): void {
  describe('the overlay ha', { concurrency: 1 }, () => {
    const replicas: Kubetally[] = [];
    let authority = '';

    it('replaces the base, and its replicas run with the rights of the service account', async () => {
      const kubectl = await stage.kubectl('admin');
      const apply = async (port: number): Promise<void> => {
        const patches = outside(port);
        const objects = await render(kubectl, await stage.folder('ha'), { resource: 'overlays/ha', patches });
        await kubectl.feed(objects, 'apply', '-f', '-');
      };
      await apply(stage.kubetally.port);
      const flags = await stage.deployedFlags();
      assert.ok(flags.includes('--patch-ca-bundle'), flags.join(' '));
      const token = await stage.tokenOf('kube-system', 'kubetally');
      for (let replica = 0; replica < 2; replica++) replicas.push(await stage.serve(flags, { token }));
      for (const replica of replicas) await replica.ready(30_000);
      await apply(replicas[0]?.port ?? 0);
    });

    it('tells the APIServices its own authority, with which the aggregator verifies it', async () => {
      const kubectl = await stage.kubectl('admin');
      await until(45_000, 'both APIServices are available', async () => {
        for (const version of versions) {
          const { spec, status } = await kubectl.json<ApiService>('get', 'apiservice', `${version}.metrics.k8s.io`);
          assert.equal(spec.insecureSkipTLSVerify ?? false, false);
          assert.notEqual(spec.caBundle, undefined, `${version} has no caBundle`);
          assert.deepEqual(
            status.conditions.map(({ status, message }) => [status, message]),
            [['True', 'all checks passed']],
          );
          authority = Buffer.from(spec.caBundle ?? '', 'base64').toString();
        }
      });
      assert.equal(rowsOf(await kubectl.run('top', 'nodes')).length, 4);
    });

    it('shares the authority: the certificates of both replicas verify', async () => {
      for (const replica of replicas) {
        const { status } = await replica.client({ ca: authority, servername }).ask('/readyz');
        assert.equal(status, 200);
      }
    });

    it('ends on a signal without an error', async () => {
      for (const { daemon } of replicas) {
        assert.equal(await daemon.stop(), 0, daemon.lastWords);
        assert.doesNotMatch(daemon.log, /^E\d/m);
      }
    });
  });
}
