import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { routes } from '../../../src/server/router.ts';
import { routerDependencies } from '../../conformance/recorded-cluster.ts';
import { nodeInfo, podInfo, podUsage, TestCluster } from '../../support/metrics-sources.ts';
import { clientCertificate } from '../../support/pki.ts';
import { clusterCertificates, securedServer, type SecuredServer } from '../../support/secured-server.ts';
import { ask, type Reply, type Target } from '../../support/tls-client.ts';

const root = '/apis/metrics.k8s.io/v1beta1';
const protobuf = 'application/vnd.kubernetes.protobuf';
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';

describe('while memory is short', () => {
  let server: SecuredServer;
  let target: Target;
  let short = true;
  let begun = 0;

  before(async () => {
    const certificates = await clusterCertificates();
    const admin = await clientCertificate(certificates.clients, 'admin', 'system:masters');
    const cluster = new TestCluster().addNode(nodeInfo('node-a'));
    for (let pod = 0; pod < 600; pod++)
      for (const team of ['team-0', 'team-1']) cluster.addPod(podInfo(team, `app-${pod}`), podUsage('node-a'));
    const deps = { ...routerDependencies(cluster), admitsLargeList: () => !short, largeListBegins: () => begun++ };
    server = await securedServer({ certificates, routes: [routes(deps)] });
    target = { ...server.target, client: admin };
  });
  after(async () => await server.stop());

  const get = async (path: string, accept = 'application/json'): Promise<Reply> =>
    await ask(target, path, { headers: { accept } });

  for (const accept of ['application/json', protobuf, table, 'application/yaml'])
    it(`a list of all pods as ${accept} is put off`, async () => {
      const { status, headers } = await get(`${root}/pods`, accept);
      assert.deepEqual([status, headers['retry-after']], [429, '5']);
    });

  it('the refusal is a Status as Kubernetes gives it, and says what is answered', async () => {
    assert.deepEqual(JSON.parse((await get(`${root}/pods`)).body), {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'too little memory for this list; ask again, for one namespace, or for pages (limit=500)',
      reason: 'TooManyRequests',
      details: { retryAfterSeconds: 5 },
      code: 429,
    });
  });

  for (const path of [
    'namespaces/team-0/pods',
    'namespaces/team-0/pods/app-0',
    'nodes',
    'nodes/node-a',
    'pods?limit=500',
    'pods?fieldSelector=metadata.namespace%3Dteam-1',
  ])
    it(`${path} is answered`, async () => assert.equal((await get(`${root}/${path}`)).status, 200));

  it('larger pages are put off', async () => assert.equal((await get(`${root}/pods?limit=501`)).status, 429));

  it('a wrong request is told so, as always', async () =>
    assert.equal((await get(`${root}/pods?labelSelector=%3D%3D`)).status, 400));

  it('large lists are told of when they begin, of one namespace as well, and no others', async () => {
    begun = 0;
    await get(`${root}/namespaces/team-0/pods`);
    assert.equal(begun, 1);
    for (const path of ['pods', 'pods?limit=500', 'namespaces/team-0/pods?limit=500', 'nodes'])
      await get(`${root}/${path}`);
    assert.equal(begun, 1);
  });

  it('everything is answered again as soon as there is memory', async () => {
    short = false;
    const { status, body } = await get(`${root}/pods`);
    assert.deepEqual([status, (JSON.parse(body) as { items: unknown[] }).items.length], [200, 1200]);
  });
});
