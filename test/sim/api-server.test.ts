import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import { milliseconds } from '../../src/model/units.ts';
import type { SimulatedCluster } from '../../src/sim/cluster.ts';
import { serverAccount } from '../../src/sim/identity.ts';
import { askApi, startCluster, type ClusterRequest } from '../support/cluster.ts';
import { FakeClock } from '../support/fake-clock.ts';

interface List {
  readonly kind: string;
  readonly apiVersion: string;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly {
    readonly kind?: string;
    readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Record<string, string> };
    readonly spec?: unknown;
  }[];
}

const partialList = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json';

describe('the simulated API server', () => {
  let cluster: SimulatedCluster;
  const cleanups: (() => unknown)[] = [];
  const context = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) };

  before(async () => {
    cluster = await startCluster(context, { nodes: 3, podsPerNode: 4, namespaces: 2, startup: milliseconds(1) });
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  const list = async (path: string, asked: ClusterRequest = {}): Promise<List> =>
    JSON.parse((await askApi(cluster, path, asked)).body) as List;
  const names = async (path: string): Promise<string[]> =>
    (await list(path)).items.map(({ metadata }) => metadata.name);

  it('lists nodes and pods whole or as metadata alone', async () => {
    const nodes = await list('/api/v1/nodes');
    assert.deepEqual([nodes.kind, nodes.apiVersion, nodes.items.length], ['NodeList', 'v1', 3]);
    assert.deepEqual(nodes.items[1]?.metadata.labels, {
      'kubernetes.io/os': 'linux',
      'kubernetes.io/hostname': 'node-00001',
      pool: 'odd',
    });
    const partial = await list('/api/v1/pods', { headers: { accept: partialList } });
    assert.equal(partial.kind, 'PartialObjectMetadataList');
    assert.equal(partial.items.length, 12);
    assert.deepEqual([partial.items[0]?.kind, partial.items[0]?.spec], ['PartialObjectMetadata', undefined]);
  });

  it('lays pods out over namespaces and nodes', async () => {
    assert.deepEqual(await names('/api/v1/namespaces/team-1/pods?fieldSelector=spec.nodeName%3Dnode-00002'), [
      'app-1-00002',
      'app-3-00002',
    ]);
    assert.deepEqual(await names('/api/v1/pods?labelSelector=tier%3Dfront%2Capp%20in%20(app-0%2Capp-1)'), [
      'app-0-00000',
      'app-0-00001',
      'app-0-00002',
    ]);
    assert.deepEqual(await names('/api/v1/pods?fieldSelector=metadata.name%3Dapp-3-00001'), ['app-3-00001']);
    assert.equal((await names('/api/v1/pods?fieldSelector=status.phase%3DRunning')).length, 12);
    assert.equal((await names('/api/v1/pods?fieldSelector=status.phase!%3DRunning')).length, 0);
  });

  it('hands out pages of one revision until that is forgotten', async () => {
    const seen: string[] = [];
    let token: string | undefined = '';
    let revision: string | undefined;
    while (token !== undefined) {
      const page: List = await list(`/api/v1/pods?limit=5&continue=${token}`);
      assert.ok(page.items.length <= 5);
      assert.equal((revision ??= page.metadata.resourceVersion), page.metadata.resourceVersion);
      seen.push(...page.items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`));
      token = page.metadata.continue;
    }
    assert.equal(new Set(seen).size, 12);
    assert.deepEqual(seen, seen.toSorted());
    const first = await list('/api/v1/pods?limit=5');
    cluster.setReady('node-00000', true);
    cluster.resources.pods.store.compact();
    const late = await askApi(cluster, `/api/v1/pods?limit=5&continue=${first.metadata.continue ?? ''}`);
    assert.equal(late.status, 410);
    assert.equal((JSON.parse(late.body) as { reason: string }).reason, 'Expired');
  });

  it('refuses what it cannot read', async () => {
    for (const query of ['limit=x', 'labelSelector=%3D%3Dx', 'fieldSelector=x', 'continue=nonsense'])
      assert.equal((await askApi(cluster, `/api/v1/pods?${query}`)).status, 400, query);
    const protobuf = { headers: { accept: 'application/vnd.kubernetes.protobuf' } };
    assert.equal((await askApi(cluster, '/api/v1/pods', protobuf)).status, 406);
    assert.equal((await askApi(cluster, '/api/v1/flowers')).status, 404);
    assert.equal((await askApi(cluster, '/api/v1/nodes/none')).status, 404);
    assert.equal((await askApi(cluster, '/api/v1/nodes', { method: 'POST', body: '{}' })).status, 405);
  });

  it('knows its users, and nobody else', async () => {
    const status = async (as: NonNullable<ClusterRequest['as']>, path: string): Promise<number> =>
      (await askApi(cluster, path, { as })).status;
    const server = { token: await cluster.tokens.issue(serverAccount) };
    assert.equal(await status({ user: 'viewer' }, '/api/v1/pods'), 200);
    assert.equal(await status({ user: 'viewer' }, '/api/v1/pods?watch=true'), 403);
    assert.equal(await status({ user: 'nobody' }, '/api/v1/pods'), 403);
    assert.equal(await status({ user: 'nobody' }, '/apis'), 200);
    assert.equal(await status({ nobody: true }, '/apis'), 403);
    assert.equal(await status({ nobody: true }, '/livez'), 200);
    assert.equal(await status({ token: 'wrong' }, '/livez'), 401);
    assert.equal(await status(server, '/api/v1/nodes'), 200);
    const config = '/api/v1/namespaces/kube-system/configmaps';
    assert.equal(await status(server, `${config}/extension-apiserver-authentication`), 200);
    assert.equal(
      await status(server, `${config}?fieldSelector=metadata.name%3Dextension-apiserver-authentication`),
      200,
    );
    assert.equal(await status(server, config), 403);
  });

  it('says in a 403 who may not do what', async () => {
    const { body } = await askApi(cluster, '/api/v1/namespaces/team-0/pods', { as: { user: 'nobody' } });
    const { message } = JSON.parse(body) as { message: string };
    assert.equal(
      message,
      'pods is forbidden: User "nobody" cannot list resource "pods" in API group "" in the namespace "team-0"',
    );
  });

  it('reviews tokens and access', async () => {
    const review = async (group: string, plural: string, spec: unknown): Promise<Record<string, unknown>> => {
      const { status, body } = await askApi(cluster, `/apis/${group}/v1/${plural}`, {
        method: 'POST',
        body: JSON.stringify({ spec }),
      });
      assert.equal(status, 201, body);
      return (JSON.parse(body) as { status: Record<string, unknown> }).status;
    };
    const token = await cluster.tokens.issue(serverAccount);
    const known = await review('authentication.k8s.io', 'tokenreviews', { token });
    assert.equal(known['authenticated'], true);
    assert.deepEqual(known['user'], {
      username: serverAccount,
      groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
    });
    const unknown = await review('authentication.k8s.io', 'tokenreviews', { token: `${token}x` });
    assert.deepEqual([unknown['authenticated'], unknown['user']], [undefined, {}]);
    const resourceAttributes = { verb: 'list', group: 'metrics.k8s.io', resource: 'pods' };
    const access = async (user: string): Promise<unknown> =>
      (await review('authorization.k8s.io', 'subjectaccessreviews', { user, resourceAttributes }))['allowed'];
    assert.deepEqual([await access('viewer'), await access('nobody')], [true, false]);
    const nonResourceAttributes = { verb: 'get', path: '/metrics' };
    const spec = { user: 'x', groups: ['system:monitoring'], nonResourceAttributes };
    assert.equal((await review('authorization.k8s.io', 'subjectaccessreviews', spec))['allowed'], true);
  });

  it('accepts a token until it expires or is revoked, however often it has seen it', async (test) => {
    const clock = new FakeClock();
    const short = await startCluster(test, { clock, nodes: 1, podsPerNode: 0 });
    const status = async (token: string): Promise<number> =>
      (await askApi(short, '/api/v1/nodes', { as: { token } })).status;
    const token = await short.tokens.issue(serverAccount, 60);
    assert.deepEqual([await status(token), await status(token)], [200, 200]);
    await clock.advance(61_000);
    assert.equal(await status(token), 401);
    const other = await short.tokens.issue(serverAccount, 60);
    assert.equal(await status(other), 200);
    short.tokens.revoke(other);
    assert.equal(await status(other), 401);
  });

  it('publishes the keys of its tokens', async () => {
    const { body } = await askApi(cluster, '/openid/v1/jwks');
    const token = await cluster.tokens.issue('system:serviceaccount:team-0:robot');
    const { payload } = await jwtVerify(token, createLocalJWKSet(JSON.parse(body) as JSONWebKeySet));
    assert.equal(payload.sub, 'system:serviceaccount:team-0:robot');
    assert.equal(payload.iss, 'https://kubernetes.default.svc');
  });

  it('creates and deletes pods', async () => {
    const manifest = (name: string): string =>
      JSON.stringify({ metadata: { name }, spec: { containers: [{ name: 'm' }] } });
    const path = '/api/v1/namespaces/team-0/pods';
    const create = async (name: string): Promise<number> =>
      (await askApi(cluster, path, { method: 'POST', body: manifest(name) })).status;
    assert.deepEqual([await create('web'), await create('web'), await create('Not a name')], [201, 409, 422]);
    const elsewhere = await askApi(cluster, '/api/v1/namespaces/void/pods', { method: 'POST', body: manifest('w') });
    assert.equal(elsewhere.status, 404);
    const now = { method: 'DELETE', body: JSON.stringify({ gracePeriodSeconds: 0 }) };
    assert.equal((await askApi(cluster, `${path}/web`, now)).status, 200);
    assert.equal((await askApi(cluster, `${path}/web`)).status, 404);
  });

  it('describes its resources both ways', async () => {
    const legacy = JSON.parse((await askApi(cluster, '/apis')).body) as { kind: string; groups: { name: string }[] };
    assert.equal(legacy.kind, 'APIGroupList');
    assert.ok(!legacy.groups.some(({ name }) => name === 'metrics.k8s.io'));
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
    const aggregated = await askApi(cluster, '/api', { headers: { accept } });
    assert.match(aggregated.headers['content-type'] ?? '', /as=APIGroupDiscoveryList/);
    assert.match(aggregated.body, /"resource":"pods"/);
    assert.match((await askApi(cluster, '/api/v1')).body, /"shortNames":\["po"\]/);
  });

  it('comes back on the same port after a restart, with everything it knew', async () => {
    const { url } = cluster.apiServer;
    const before = await list('/api/v1/nodes');
    await cluster.apiServer.pause();
    await assert.rejects(askApi(cluster, '/livez'), /ECONNREFUSED/);
    await cluster.apiServer.start();
    assert.equal(cluster.apiServer.url, url);
    assert.deepEqual(await list('/api/v1/nodes'), before);
  });

  it('misbehaves when told to', async () => {
    cluster.apiServer.setFault({ kind: 'garbage' });
    assert.equal((await askApi(cluster, '/api/v1/nodes')).body, '<<< this is not JSON');
    cluster.apiServer.setFault({ kind: 'status', status: 503 });
    assert.equal((await askApi(cluster, '/api/v1/nodes')).status, 503);
    cluster.apiServer.setFault({ kind: 'reviews-fail' });
    const path = '/apis/authentication.k8s.io/v1/tokenreviews';
    assert.equal((await askApi(cluster, path, { method: 'POST', body: '{}' })).status, 500);
    cluster.apiServer.setFault({ kind: 'hang' });
    const ended = assert.rejects(askApi(cluster, '/livez'));
    await cluster.apiServer.restart();
    cluster.apiServer.dropConnections();
    await ended;
    cluster.apiServer.setFault(undefined);
    assert.equal((await askApi(cluster, '/livez')).body, 'ok');
  });
});
