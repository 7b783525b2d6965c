import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { describe, it, type TestContext } from 'node:test';
import type { SimulatedCluster } from '../../src/sim/cluster.ts';
import { askApi, startCluster } from '../support/cluster.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { servingCertificate, testAuthority } from '../support/pki.ts';

interface Seen {
  readonly url: string;
  readonly headers: IncomingMessage['headersDistinct'];
  readonly client: string | undefined;
}

const v2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const resource = (name: string, kind: string): object => ({
  resource: name,
  responseKind: { group: '', version: '', kind },
  scope: name === 'nodes' ? 'Cluster' : 'Namespaced',
  singularResource: '',
  verbs: ['get', 'list'],
});
const discovery = {
  kind: 'APIGroupDiscoveryList',
  apiVersion: 'apidiscovery.k8s.io/v2',
  metadata: {},
  items: [
    {
      metadata: { name: 'metrics.k8s.io' },
      versions: [{ version: 'v1beta1', resources: [resource('nodes', 'NodeMetrics')], freshness: 'Current' }],
    },
  ],
};

/** A backend that answers everything and remembers what it was asked. */
class RecordingBackend {
  readonly seen: Seen[] = [];
  readonly caBundle: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(cluster: SimulatedCluster, caBundle: string, cert: string, key: string) {
    this.caBundle = caBundle;
    const tls = { cert, key, ca: cluster.certificates.frontProxy.cert, requestCert: true };
    this.#server = createServer(tls, (request, response) => {
      const { url = '', headersDistinct: headers } = request;
      const [client] = [(request.socket as TLSSocket).getPeerCertificate().subject.CN].flat();
      this.seen.push({ url, headers, client });
      const discovers = url === '/apis' && request.headers.accept === v2;
      response.setHeader('Content-Type', discovers ? v2 : 'application/json');
      response.statusCode = url.includes('teapot') ? 418 : 200;
      response.end(JSON.stringify(discovers ? discovery : { hello: url }));
    });
    this.#server.on('connection', (socket: Socket) => void this.#sockets.add(socket));
  }

  /** Also closes connections that are still shaking hands. */
  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  static async start(context: TestContext, cluster: SimulatedCluster): Promise<RecordingBackend> {
    const authority = await testAuthority('backend-ca');
    const { cert, key } = await servingCertificate(authority, 'kubetally.kube-system.svc');
    const backend = new RecordingBackend(cluster, authority.cert, cert, key);
    await new Promise<void>((resolve) => void backend.#server.listen(0, '127.0.0.1', resolve));
    context.after(() => backend.stop());
    return backend;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The last request that came for a path. */
  last(path: string): Seen | undefined {
    return this.seen.findLast(({ url }) => url === path);
  }
}

async function withBackend(context: TestContext): Promise<[SimulatedCluster, RecordingBackend]> {
  // Time stands still, so the backend is checked only when a test says so.
  const cluster = await startCluster(context, { clock: new FakeClock(), nodes: 1, podsPerNode: 1 });
  const backend = await RecordingBackend.start(context, cluster);
  const { url, caBundle } = backend;
  cluster.setBackend({ url, caBundle, serverName: 'kubetally.kube-system.svc' });
  await cluster.aggregator.check();
  return [cluster, backend];
}

const pods = '/apis/metrics.k8s.io/v1beta1/pods';

describe('the aggregation layer', () => {
  it('passes requests on with the caller in X-Remote headers and its own certificate', async (context) => {
    const [cluster, backend] = await withBackend(context);
    const headers = { 'x-remote-user': 'forged', 'x-remote-extra-scope': 'all', accept: 'application/json' };
    const path = `${pods}?labelSelector=a%3Db`;
    const reply = await askApi(cluster, path, { as: { user: 'viewer' }, headers });
    assert.equal(reply.body, JSON.stringify({ hello: path }));
    const seen = backend.last(path);
    assert.equal(seen?.client, 'front-proxy-client');
    assert.deepEqual(seen.headers['x-remote-user'], ['viewer']);
    assert.deepEqual(seen.headers['x-remote-group'], ['system:authenticated']);
    assert.equal(seen.headers['x-remote-extra-scope'], undefined);
    assert.deepEqual(seen.headers['accept'], ['application/json']);
    assert.deepEqual(seen.headers['x-forwarded-uri'], [path]);
  });

  it('sends each group on a line of its own and drops the token', async (context) => {
    const [cluster, backend] = await withBackend(context);
    const token = await cluster.tokens.issue('system:serviceaccount:team-0:robot');
    cluster.authorizer.grant({
      role: 'robots',
      groups: ['system:serviceaccounts:team-0'],
      verbs: ['list'],
      resources: ['metrics.k8s.io/pods'],
    });
    assert.equal((await askApi(cluster, pods, { as: { token } })).status, 200);
    const seen = backend.last(pods);
    assert.deepEqual(seen?.headers['x-remote-group'], [
      'system:serviceaccounts',
      'system:serviceaccounts:team-0',
      'system:authenticated',
    ]);
    assert.equal(seen.headers['authorization'], undefined);
  });

  it('impersonates before it passes a request on', async (context) => {
    const [cluster, backend] = await withBackend(context);
    assert.equal((await askApi(cluster, pods, { headers: { 'impersonate-user': 'viewer' } })).status, 200);
    assert.deepEqual(backend.last(pods)?.headers['x-remote-user'], ['viewer']);
    assert.equal(backend.last(pods)?.headers['impersonate-user'], undefined);
    assert.equal((await askApi(cluster, pods, { headers: { 'impersonate-user': 'nobody' } })).status, 403);
  });

  it('refuses callers itself and leaves answers of the backend as they are', async (context) => {
    const [cluster, backend] = await withBackend(context);
    assert.equal((await askApi(cluster, pods, { as: { user: 'nobody' } })).status, 403);
    assert.equal(backend.last(pods), undefined);
    assert.equal((await askApi(cluster, `${pods}?teapot`)).status, 418);
  });

  it('merges the group into its discovery documents', async (context) => {
    const [cluster] = await withBackend(context);
    const { body } = await askApi(cluster, '/apis', { headers: { accept: v2 } });
    const { items } = JSON.parse(body) as { items: { metadata: { name: string }; versions: unknown[] }[] };
    const merged = items.find(({ metadata }) => metadata.name === 'metrics.k8s.io');
    assert.deepEqual(merged?.versions, [
      { version: 'v1beta1', resources: [resource('nodes', 'NodeMetrics')], freshness: 'Current' },
    ]);
    assert.match((await askApi(cluster, '/apis/metrics.k8s.io')).body, /"preferredVersion":\{"groupVersion"/);
    assert.match((await askApi(cluster, '/apis/apiregistration.k8s.io/v1/apiservices')).body, /"status":"True"/);
  });

  it('says so when the backend is not available, and marks what it knew as stale', async (context) => {
    const [cluster, backend] = await withBackend(context);
    backend.stop();
    const direct = await askApi(cluster, pods);
    assert.equal(direct.status, 503);
    assert.match(direct.body, /^error trying to reach service: /);
    await cluster.aggregator.check();
    assert.equal(cluster.aggregator.availability.reason, 'FailedDiscoveryCheck');
    assert.deepEqual(await askApi(cluster, pods).then(({ status, body }) => [status, body]), [
      503,
      'service unavailable\n',
    ]);
    assert.match((await askApi(cluster, '/apis', { headers: { accept: v2 } })).body, /"freshness":"Stale"/);
  });

  it('does not trust a backend whose certificate is for another name', async (context) => {
    const [cluster, { url, caBundle }] = await withBackend(context);
    cluster.setBackend({ url, caBundle, serverName: 'other.kube-system.svc' });
    await cluster.aggregator.check();
    assert.match(cluster.aggregator.availability.message, /other\.kube-system\.svc/);
    cluster.setBackend({ url });
    await cluster.aggregator.check();
    assert.ok(cluster.aggregator.availability.available);
  });

  it('knows nothing of the group while no backend is registered', async (context) => {
    const [cluster] = await withBackend(context);
    cluster.setBackend(undefined);
    assert.equal((await askApi(cluster, pods)).status, 404);
    assert.ok(!(await askApi(cluster, '/apis')).body.includes('metrics.k8s.io'));
    assert.match((await askApi(cluster, '/apis/apiregistration.k8s.io/v1/apiservices')).body, /"items":\[\]/);
  });
});
