import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rowsOf, type Kubectl } from '../../hack/e2e/kubectl.ts';
import type { Stage } from '../../hack/e2e/stage.ts';
import { until } from '../../hack/e2e/wait.ts';
import { amount, near } from './served.ts';

const file = 'test/e2e/data/autoscaled.yaml';

async function replicas(kubectl: Kubectl, wanted: number): Promise<void> {
  await until(100_000, `${wanted} pods are ready`, async () => {
    const path = 'jsonpath={.spec.replicas} {.status.readyReplicas}';
    const found = await kubectl.run('get', 'deployment', 'web', '-n', 'shop', '-o', path);
    const why = 'jsonpath={.status.conditions[?(@.type=="ScalingActive")].message}';
    if (found !== `${wanted} ${wanted}`)
      throw new Error(`${found}; ${await kubectl.run('get', 'hpa', 'web', '-n', 'shop', '-o', why)}`);
  });
}

/** A real HorizontalPodAutoscaler on a Deployment whose pods share a load: at 50 % of 100m each. */
export function checkAutoscaling(stage: Stage): void {
  describe('the HorizontalPodAutoscaler', () => {
    it('scales a Deployment up under load, and down again when the load falls', async (t) => {
      if (!stage.hasControllers) return t.skip('no kube-controller-manager');
      const kubectl = await stage.kubectl('admin');
      stage.nodes.pods.setLoad('shop', 'web', 300);
      await kubectl.run('apply', '-f', file);
      const begun = performance.now();
      const passed = (): string => `${Math.round((performance.now() - begun) / 1000)} s after its creation`;
      await replicas(kubectl, 6);
      t.diagnostic(`6 pods ${passed()}`);
      await until(45_000, 'the load is measured on six pods', async () => {
        const rows = rowsOf(await kubectl.run('top', 'pods', '-n', 'shop', '-l', 'app=web'));
        assert.equal(rows.length, 6);
        const total = rows.reduce((sum, row) => sum + amount(row['CPU(cores)'] ?? ''), 0);
        assert.ok(near(total, 0.3, 0.03), `${total} cores`);
      });
      stage.nodes.pods.setLoad('shop', 'web', 40);
      await replicas(kubectl, 2);
      t.diagnostic(`2 pods ${passed()}`);
      const path = 'jsonpath={.status.conditions[?(@.type=="ScalingActive")].reason}';
      assert.equal(await kubectl.run('get', 'hpa', 'web', '-n', 'shop', '-o', path), 'ValidMetricFound');
      await kubectl.run('delete', '-f', file);
    });
  });
}
