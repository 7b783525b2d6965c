import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { routes } from '../../src/server/router.ts';
import { recordedCluster, routerDependencies } from '../conformance/recorded-cluster.ts';
import { clientCertificate } from '../support/pki.ts';
import { clusterCertificates, securedServer, type SecuredServer } from '../support/secured-server.ts';
import { ask, askHttp2, http2Session, rawConnection, untilClosed, type Target } from '../support/tls-client.ts';

const root = '/apis/metrics.k8s.io/v1beta1';

describe('The routes', () => {
  let server: SecuredServer;
  let admin: Target;
  before(async () => {
    const certificates = await clusterCertificates();
    server = await securedServer({ certificates, routes: [routes(routerDependencies(recordedCluster()))] });
    admin = { ...server.target, client: await clientCertificate(certificates.clients, 'admin', 'system:masters') };
  });
  after(async () => await server.stop());

  /** What a path leads to, in a word or two. */
  async function leadsTo(path: string, method = 'GET'): Promise<string> {
    const { status, headers, body } = await ask(admin, path, { method });
    if (headers['content-type'] !== 'application/json') return `${status} ${body}`;
    const { kind, reason, paths } = JSON.parse(body) as { kind?: string; reason?: string; paths?: unknown };
    return `${status} ${reason ?? kind ?? (paths === undefined ? 'document' : 'paths')}`;
  }

  for (const [path, expected] of [
    [`${root}/pods/`, '200 PodMetricsList'],
    [`${root}/pods//`, '200 PodMetricsList'],
    [`${root}/namespaces//pods`, '200 PodMetricsList'],
    [`${root}/namespaces/status/pods`, '200 PodMetricsList'],
    [`${root}/namespaces/team-0/status/pods`, '404 NotFound'],
    [`${root}/`, '200 APIResourceList'],
    ['/apis/metrics.k8s.io/', '200 APIGroup'],
    ['/apis/', '200 APIGroupList'],
    ['/apis//', '404 paths'],
    ['/apis/metrics.k8s.iox/', '404 paths'],
    ['/version/', '200 document'],
    ['/versions/', '404 paths'],
    ['/metrics', '200 up 1\n'],
    ['/metrics/', '404 paths'],
    ['/livez', '200 ok'],
    ['/livez/', '404 paths'],
    ['/livez/ping', '200 ok'],
    ['/livez/nope', '404 paths'],
    ['/Livez', '404 paths'],
    ['/openapi/v3/', '200 paths'],
    ['/openapi/v3/apis%2Fmetrics.k8s.io', '200 paths'],
    ['/index.html', '200 paths'],
    ['/apis%0A', '404 paths'],
    ['/%61pis/metrics.k8s.io/v1', '200 APIResourceList'],
  ] as const)
    it(`lead from ${path} to ${expected}`, async () => assert.equal(await leadsTo(path), expected));

  it('lead every method to the handler, also one that only HTTP/2 can carry', async () => {
    for (const method of ['POST', 'TRACE', 'PROPFIND'])
      assert.equal(await leadsTo(`${root}/nodes`, method), '405 MethodNotAllowed');
    const session = await http2Session(admin);
    const odd = { ':method': 'BREW' };
    assert.equal((await askHttp2(session, `${root}/nodes`, odd)).status, 405);
    assert.equal((await askHttp2(session, '/livez', odd)).body, 'ok');
    assert.equal((await askHttp2(session, '/nothing', odd)).status, 404);
    session.close();
  });

  for (const [target, status] of [
    [`https://x${root}/nodes`, 200],
    ['https://[/livez', 200],
    ['http://a:b:c/livez', 200],
    ['https://x', 404],
    ['https://x?/livez', 404],
    ['*', 404],
  ] as const)
    it(`read the absolute target ${target} as authorization does`, async () => {
      const socket = await rawConnection(admin, { ALPNProtocols: ['http/1.1'] });
      socket.write(`GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
      assert.equal(Number((await untilClosed(socket)).split(' ')[1]), status);
    });
});
