import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { epochMs } from '../../src/model/units.ts';
import { askApi } from '../support/cluster.ts';
import { accepts, Consumer, milliValue, type Measured } from '../support/consumer.ts';
import { serveCluster, type ServedCluster } from '../support/served-cluster.ts';

const root = '/apis/metrics.k8s.io/v1beta1';
const viewer = { user: 'viewer' };

interface Pod {
  readonly metadata: { readonly namespace: string; readonly name: string; readonly labels: Record<string, string> };
  readonly spec: { readonly containers: readonly { readonly name: string }[] };
}

describe('Autoscalers', () => {
  const cleanups: (() => Promise<unknown>)[] = [];
  let served: ServedCluster;
  let pods: readonly Pod[];

  before(async () => {
    const context = { after: (cleanup: () => unknown) => void cleanups.unshift(async () => await cleanup()) };
    served = await serveCluster(context, { nodes: 3, podsPerNode: 4, containersPerPod: 2 });
    const { body } = await askApi(served.cluster, '/api/v1/pods');
    pods = (JSON.parse(body) as { items: Pod[] }).items;
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  const key = ({ namespace, name }: { namespace: string; name: string }): string => `${namespace}/${name}`;

  /** Every container's usage is there, true, and about a time that is stated honestly. */
  function assertTrue(pod: Measured): void {
    const now = Date.now();
    assert.ok(pod.timestamp <= now && now - pod.timestamp < 30_000, `${key(pod)} is of ${now - pod.timestamp} ms ago`);
    assert.ok(pod.window > 0 && pod.window < 60, `${key(pod)} has a window of ${pod.window} s`);
    const spec = pods.find(({ metadata }) => key(metadata) === key(pod))?.spec;
    assert.deepEqual([...pod.usage.keys()], spec?.containers.map(({ name }) => name).sort());
    for (const [container, { cpu, memory }] of pod.usage) {
      const truth = served.cluster.containerTruth(pod.namespace, pod.name, container);
      const from = epochMs(pod.timestamp - pod.window * 1000);
      const rate = truth.trueRate(from, epochMs(pod.timestamp)) / 1e6;
      // Go clients round a container's CPU up to whole millicores.
      assert.ok(Math.abs(milliValue(cpu) - rate) <= 1 + rate * 0.02, `${key(pod)} ${container}: ${cpu} of ${rate}m`);
      assert.equal(milliValue(memory), 1000 * truth.trueMemory(epochMs(pod.timestamp)));
    }
  }

  describe('of pods (kube-controller-manager)', () => {
    let hpa: Consumer;
    before(() => {
      const agent = 'kube-controller-manager/v1.36.0 (linux/amd64) kubernetes/0000000/horizontal-pod-autoscaler';
      hpa = new Consumer(served.cluster, agent, { accept: accepts.protobufFirst }, viewer);
    });

    for (const [selector, matches] of [
      ['app=app-1', (labels: Record<string, string>) => labels['app'] === 'app-1'],
      ['app in (app-1,app-3),tier notin (front)', ({ app = '', tier }) => /[13]/.test(app) && tier !== 'front'],
      ['tier=front,app', ({ tier }: Record<string, string>) => tier === 'front'],
    ] as readonly (readonly [string, (labels: Record<string, string>) => boolean])[])
      it(`find the pods of the scale selector ${selector}, once each, and their usage`, async () => {
        const found = [];
        for (const namespace of ['team-0', 'team-1']) {
          const query = `labelSelector=${encodeURIComponent(selector)}`;
          const list = await hpa.list(`${root}/namespaces/${namespace}/pods?${query}`);
          for (const pod of list) assert.equal(pod.namespace, namespace);
          found.push(...list);
        }
        const expected = pods.filter(({ metadata }) => matches(metadata.labels)).map(({ metadata }) => key(metadata));
        assert.ok(expected.length > 0);
        assert.deepEqual(found.map(key).sort(), expected.sort());
        for (const pod of found) {
          assert.ok(matches(pod.labels));
          assertTrue(pod);
        }
      });

    it('are answered in protobuf', async () => {
      const { headers, body } = await hpa.get(`${root}/namespaces/team-0/pods?labelSelector=app%3Dapp-0`);
      assert.equal(headers['content-type'], 'application/vnd.kubernetes.protobuf');
      assert.equal(body.subarray(0, 4).toString('latin1'), 'k8s\0');
    });

    it('get an empty list where nothing matches, which is no error', async () => {
      for (const path of ['team-0/pods?labelSelector=app%3Dnone', 'void/pods?labelSelector=app%3Dapp-0'])
        assert.deepEqual(await hpa.list(`${root}/namespaces/${path}`), []);
    });
  });

  describe('of requests (VPA recommender)', () => {
    for (const accept of [accepts.jsonFirst, accepts.protobufFirst])
      it(`see every pod in each round, no measurement older than before (${accept})`, async () => {
        const agent = 'recommender/v1.4.1 (linux/amd64) kubernetes/$Format';
        const vpa = new Consumer(served.cluster, agent, { accept }, viewer);
        const before = new Map((await vpa.list(`${root}/pods`)).map((pod) => [key(pod), pod]));
        const later = await vpa.list(`${root}/pods`);
        assert.equal(later.length, pods.length);
        for (const pod of later) {
          assertTrue(pod);
          assert.ok(pod.timestamp >= (before.get(key(pod))?.timestamp ?? Infinity));
        }
        const one = await vpa.list(`${root}/namespaces/team-1/pods`);
        assert.deepEqual(one.map(key), later.filter(({ namespace }) => namespace === 'team-1').map(key));
      });
  });
});
