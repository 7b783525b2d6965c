import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { loneNode, sharedNodes } from '../../hack/e2e/living-nodes.ts';
import type { Stage } from '../../hack/e2e/stage.ts';
import { until } from '../../hack/e2e/wait.ts';
import { epochMs } from '../../src/model/units.ts';
import {
  amount,
  everythingServed,
  list,
  near,
  windowLength,
  workloads,
  type MetricsList,
  type ServedMetrics,
} from './served.ts';

const nodes = [...sharedNodes, loneNode];

/** Both served values against what was really used in the window. */
function compare(
  served: ServedMetrics,
  usage: { readonly cpu: string; readonly memory: string } | undefined,
  truth: ReturnType<Stage['nodes']['nodeTruth']>,
  what: string,
  tolerance = 0.01,
): void {
  const end = Date.parse(served.timestamp);
  const cores = truth.trueRate(epochMs(end - windowLength(served)), epochMs(end)) / 1e9;
  const cpu = amount(usage?.cpu ?? '');
  assert.ok(near(cpu, cores, tolerance), `${what}: ${cpu} cores served, ${cores} used`);
  assert.equal(amount(usage?.memory ?? ''), truth.trueMemory(epochMs(end)), `${what}: memory`);
}

async function compareContainers(stage: Stage, tolerance: number): Promise<void> {
  const { items } = await list(stage, 'pods');
  assert.ok(items.length >= workloads.length, `${items.length} pods`);
  for (const pod of items) {
    const { namespace = '', name } = pod.metadata;
    for (const { name: container, usage } of pod.containers ?? []) {
      const truth = stage.nodes.containerTruth(namespace, name, container);
      compare(pod, usage, truth, `${name}/${container}`, tolerance);
    }
  }
}

/** Served numbers are what the simulated kubelets' pods really use. */
export function checkTruth(stage: Stage): void {
  describe('the numbers', () => {
    before(async () => await everythingServed(stage));

    it('of every container are within 10 % of the truth from the first, its memory exact', async () => {
      // The first window of a container begins at its start, which kubelets give in whole seconds.
      await compareContainers(stage, 0.1);
    });

    it('of every container are within 1 % of the truth from the second sample on', async () => {
      await until(45_000, 'every container', async () => await compareContainers(stage, 0.01));
    });

    it('of every node are within 1 % of the truth', async () => {
      // Once no pod started within the window.
      await until(40_000, 'every node', async () => {
        const { items } = await list(stage, 'nodes');
        assert.deepEqual(items.map(({ metadata }) => metadata.name).sort(), nodes.toSorted());
        for (const node of items)
          compare(node, node.usage, stage.nodes.nodeTruth(node.metadata.name), node.metadata.name);
      });
    });

    it('are recent, and of windows of at most 45 seconds', async () => {
      const now = Date.now();
      for (const kind of ['pods', 'nodes'])
        for (const served of (await list(stage, kind)).items) {
          const age = now - Date.parse(served.timestamp);
          assert.ok(age > -2000 && age < 45_000, `${served.metadata.name}: ${age} ms old`);
          const length = windowLength(served);
          assert.ok(length >= 8000 && length <= 45_000, `${served.metadata.name}: ${served.window}`);
        }
    });

    it('hold the container names that run: sidecars do, finished init containers do not', async () => {
      const { containers = [] } = await stage.plane.admin.read<ServedMetrics>(
        '/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods/catalog',
      );
      assert.deepEqual(containers.map(({ name }) => name).sort(), ['app', 'mesh']);
    });

    it('are the same in both versions', async () => {
      const answers = await Promise.all(
        ['v1', 'v1beta1'].map(
          async (version) => await stage.plane.admin.read<MetricsList>(`/apis/metrics.k8s.io/${version}/pods`),
        ),
      );
      assert.deepEqual(
        answers.map(({ kind, apiVersion, items }) => [kind, apiVersion, items.map(({ metadata }) => metadata.name)]),
        ['v1', 'v1beta1'].map((version) => [
          'PodMetricsList',
          `metrics.k8s.io/${version}`,
          answers[0]?.items.map(({ metadata }) => metadata.name),
        ]),
      );
    });
  });
}
