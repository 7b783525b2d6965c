import assert from 'node:assert/strict';
import { request } from 'node:https';
import { after, before, describe, it } from 'node:test';
import { askApi } from '../support/cluster.ts';
import { accepts, Consumer, milliValue, type Measured } from '../support/consumer.ts';
import { serveCluster, type ServedCluster } from '../support/served-cluster.ts';

const group = '/apis/metrics.k8s.io';
const root = `${group}/v1beta1`;
const viewer = { user: 'viewer' };
const podNames = ['app-0-00000', 'app-1-00000', 'app-2-00000', 'app-3-00000'];
const byNode = (number: number): string[] => podNames.map((name) => name.replace(/0$/, String(number)));

interface GroupDiscovery {
  readonly metadata: { readonly name: string };
  readonly versions: readonly {
    readonly version: string;
    readonly freshness: string;
    readonly resources: readonly { readonly resource: string; readonly scope: string; readonly verbs: string[] }[];
  }[];
}

describe('What people look at', () => {
  const cleanups: (() => Promise<unknown>)[] = [];
  let served: ServedCluster;

  before(async () => {
    const context = { after: (cleanup: () => unknown) => void cleanups.unshift(async () => await cleanup()) };
    served = await serveCluster(context, { nodes: 2, podsPerNode: 4, containersPerPod: 2 });
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  const nodeNames = ['node-00000', 'node-00001'];
  const names = (list: readonly Measured[]): string[] => list.map(({ name }) => name);
  const as = (userAgent: string, accept: string): Consumer =>
    new Consumer(served.cluster, userAgent, { accept }, viewer);

  function assertMeasured({ name, usage }: Measured): void {
    assert.ok(usage.size > 0, name);
    for (const { cpu, memory } of usage.values()) {
      assert.ok(milliValue(cpu) > 0, `${name} ${cpu}`);
      assert.ok(milliValue(memory) > 0, `${name} ${memory}`);
    }
  }

  describe('with kubectl top', () => {
    const agent = 'kubectl/v1.36.0 (linux/amd64) kubernetes/0000000';
    const top = (): Consumer => as(agent, accepts.kubectlTop);

    it('is found by discovery, both versions current', async () => {
      const kubectl = as(agent, accepts.discovery);
      assert.equal((await kubectl.get('/api')).status, 200);
      const reply = await kubectl.get('/apis');
      const { items } = JSON.parse(reply.body.toString()) as { items: GroupDiscovery[] };
      const found = items.find(({ metadata }) => metadata.name === 'metrics.k8s.io');
      assert.deepEqual(
        found?.versions.map(({ version, freshness }) => [version, freshness]),
        [
          ['v1', 'Current'],
          ['v1beta1', 'Current'],
        ],
      );
      for (const { resources } of found.versions)
        assert.deepEqual(
          resources.map(({ resource, scope, verbs }) => [resource, scope, verbs]),
          [
            ['nodes', 'Cluster', ['get', 'list']],
            ['pods', 'Namespaced', ['get', 'list']],
          ],
        );
    });

    it('shows nodes: all, by label, one', async () => {
      const nodes = await top().list(`${root}/nodes`);
      assert.deepEqual(names(nodes), nodeNames);
      nodes.forEach(assertMeasured);
      const even = await top().list(`${root}/nodes?labelSelector=kubernetes.io%2Fhostname%3Dnode-00000`);
      assert.deepEqual(names(even), ['node-00000']);
      assertMeasured(await top().one(`${root}/nodes/node-00001`));
      const { body } = await askApi(served.cluster, '/api/v1/nodes', { as: viewer });
      const { items } = JSON.parse(body) as { items: { metadata: { name: string } }[] };
      assert.deepEqual(names(nodes), items.map(({ metadata }) => metadata.name).sort());
    });

    it('shows pods: everywhere, in a namespace, by labels and fields, one', async () => {
      const everywhere = await top().list(`${root}/pods`);
      assert.deepEqual(names(everywhere).sort(), [...byNode(0), ...byNode(1)].sort());
      everywhere.forEach(assertMeasured);
      for (const { usage } of everywhere) assert.equal(usage.size, 2);
      const team = await top().list(`${root}/namespaces/team-1/pods?labelSelector=app%3Dapp-1`);
      assert.deepEqual(names(team), ['app-1-00000', 'app-1-00001']);
      const fields = 'fieldSelector=metadata.name%3Dapp-3-00001';
      assert.deepEqual(names(await top().list(`${root}/namespaces/team-1/pods?${fields}`)), ['app-3-00001']);
      assert.equal((await top().one(`${root}/namespaces/team-0/pods/app-0-00001`)).namespace, 'team-0');
    });

    it('is told what there is not', async () => {
      const status = await top().read(`${root}/namespaces/team-0/pods/ghost`, 404);
      assert.deepEqual([status.kind, status['reason']], ['Status', 'NotFound']);
      assert.equal(status['message'], 'pods "ghost" not found');
      assert.deepEqual(await top().list(`${root}/namespaces/void/pods`), []);
      assert.equal((await top().read(`${root}/nodes/ghost`, 404))['reason'], 'NotFound');
    });

    it('says the same to versions that ask for JSON', async () => {
      const old = as('kubectl/v1.20.0 (linux/amd64) kubernetes/0000000', accepts.jsonFirst);
      const shape = ({ name, namespace, labels, usage }: Measured): unknown => [
        name,
        namespace,
        labels,
        [...usage.keys()],
      ];
      assert.deepEqual((await old.list(`${root}/pods`)).map(shape), (await top().list(`${root}/pods`)).map(shape));
    });
  });

  it('with the Dashboard: its scraper stores name, namespace, an empty uid and numbers each minute', async () => {
    const scraper = as('dashboard-metrics-scraper/v1.2.2', accepts.jsonFirst);
    const [nodes, pods] = [await scraper.list(`${root}/nodes`), await scraper.list(`${root}/pods`)];
    assert.equal(nodes.length, 2);
    assert.equal(pods.length, 8);
    for (const object of [...nodes, ...pods]) {
      assert.equal(object.uid, '');
      assertMeasured(object);
    }
    for (const { namespace } of nodes) assert.equal(namespace, '');
    for (const { namespace } of pods) assert.match(namespace, /^team-[01]$/);
  });

  it('with k9s: it asks whether it may, then lists everything and single objects', async () => {
    const k9s = as('k9s/v0.50.6', accepts.jsonFirst);
    const resources = (await k9s.read(root)) as unknown as { resources: { name: string }[] };
    assert.deepEqual(
      resources.resources.map(({ name }) => name),
      ['nodes', 'pods'],
    );
    const review = {
      kind: 'SelfSubjectAccessReview',
      apiVersion: 'authorization.k8s.io/v1',
      spec: { resourceAttributes: { group: 'metrics.k8s.io', resource: 'pods', verb: 'list', namespace: '' } },
    };
    const { body } = await askApi(served.cluster, '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      as: viewer,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(review),
    });
    assert.equal((JSON.parse(body) as { status: { allowed: boolean } }).status.allowed, true);
    const [nodes, pods] = [await k9s.list(`${root}/nodes`), await k9s.list(`${root}/pods`)];
    assert.deepEqual([nodes.length, pods.length], [2, 8]);
    for (const { namespace, name } of pods)
      assertMeasured(await k9s.one(`${root}/namespaces/${namespace}/pods/${name}`));
    for (const { name } of nodes) assertMeasured(await k9s.one(`${root}/nodes/${name}`));
  });

  it('with Headlamp: a browser behind a proxy reads plain JSON of each version', async () => {
    const agent = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0';
    for (const version of ['v1', 'v1beta1']) {
      const browser = new Consumer(served.cluster, agent, { accept: 'application/json', origin: 'http://x' }, viewer);
      for (const resource of ['nodes', 'pods', 'pods?labelSelector=&fieldSelector='])
        (await browser.list(`${group}/${version}/${resource}`)).forEach(assertMeasured);
      const { headers, body } = await browser.get(`${group}/${version}/nodes`);
      assert.equal(headers['content-type'], 'application/json');
      const { items } = JSON.parse(body.toString()) as { items: { usage: Record<string, unknown> }[] };
      for (const { usage } of items)
        assert.deepEqual([typeof usage['cpu'], typeof usage['memory']], ['string', 'string']);
    }
  });

  it('with Prometheus and probes: health is open on the port itself, over HTTP/1.1', async () => {
    for (const path of ['/livez', '/readyz', '/healthz?verbose']) {
      const status = await new Promise((resolve, reject) => {
        const asked = { host: '127.0.0.1', port: served.port, path, agent: false, rejectUnauthorized: false } as const;
        request({ ...asked, headers: { 'user-agent': 'kube-probe/1.36' } }, (reply) => {
          reply.resume();
          resolve(reply.statusCode);
        })
          .on('error', reject)
          .end();
      });
      assert.equal(status, 200, path);
    }
  });
});
