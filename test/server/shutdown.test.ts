import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent } from 'node:https';
import type { Middleware } from 'koa';
import { afterEach, before, describe, it } from 'node:test';
import { stateOf } from '../../src/server/request-state.ts';
import { eventually } from '../support/eventually.ts';
import {
  clusterCertificates,
  securedServer,
  type ClusterCertificates,
  type SecuredServer,
} from '../support/secured-server.ts';
import {
  ask,
  askHttp2,
  http2Session,
  rawConnection,
  untilClosed,
  type Reply,
  type Target,
} from '../support/tls-client.ts';

const nodes = '/apis/metrics.k8s.io/v1beta1/nodes';
const shuttingDown = {
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message: 'apiserver is shutting down',
  reason: 'ServiceUnavailable',
  code: 503,
};

function assertRefused(reply: Reply): void {
  assert.equal(reply.status, 503);
  assert.equal(reply.headers['retry-after'], '1');
  assert.equal(reply.headers['content-type'], 'application/json');
  assert.deepEqual(JSON.parse(reply.body), shuttingDown);
  assert.ok(reply.body.endsWith('\n'));
}

describe('A server that shuts down', () => {
  let certificates: ClusterCertificates;
  let server: SecuredServer;
  let proxy: Target;
  /** Lets the answers to `/slow` go. */
  let release: (() => void)[] = [];
  const agents: Agent[] = [];

  before(async () => (certificates = await clusterCertificates()));
  afterEach(async () => {
    for (const agent of agents.splice(0)) agent.destroy();
    await server.stop();
  });

  const masters = { 'x-remote-user': 'boss', 'x-remote-group': 'system:masters' };
  const answer: Middleware = async (ctx) => {
    const { path } = stateOf(ctx).requestInfo;
    if (path === '/streamed') {
      ctx.status = 200;
      ctx.res.write('begun ');
    }
    if (path === '/slow' || path === '/streamed') await new Promise<void>((resolve) => release.push(resolve));
    if (path === '/streamed') ctx.respond = false;
    if (path === '/streamed') ctx.res.end('done');
    else ctx.body = 'done';
  };

  async function start(routes: readonly Middleware[] = [answer]): Promise<void> {
    release = [];
    server = await securedServer({ certificates, routes });
    proxy = { ...server.target, client: certificates.frontProxy };
  }
  function keptAlive(): Agent {
    const agent = new Agent({ keepAlive: true });
    agents.push(agent);
    return agent;
  }
  const get = async (agent: Agent, path = nodes): Promise<Reply> => await ask(proxy, path, { agent, headers: masters });

  it('refuses what still comes on a kept-alive HTTP/1.1 connection, and closes it', async () => {
    await start();
    const agent = keptAlive();
    assert.equal((await get(agent)).status, 200);
    const stopped = server.drain();
    const late = await get(agent);
    assertRefused(late);
    assert.equal(late.headers['connection'], 'close');
    await stopped;
  });

  it('says GOAWAY on HTTP/2, so that what still comes is known not to have been taken', async () => {
    await start();
    const session = await http2Session(proxy);
    assert.equal((await askHttp2(session, nodes, masters)).status, 200);
    const goaway = once(session, 'goaway');
    const stopped = server.drain();
    await assert.rejects(askHttp2(session, nodes, masters), /NGHTTP2_REFUSED_STREAM/);
    const [code] = await goaway;
    assert.equal(code, 0);
    await stopped;
    assert.equal(server.records.length, 1);
    session.destroy();
  });

  it('refuses on a connection that was still in its handshake', async () => {
    await start();
    const connecting = rawConnection(proxy, { ALPNProtocols: ['http/1.1'] });
    await eventually(() => server.listener.connectionCount === 1);
    const stopped = server.drain();
    const socket = await connecting;
    socket.write(`GET ${nodes} HTTP/1.1\r\nhost: x\r\n\r\n`);
    assert.match(await untilClosed(socket), /^HTTP\/1\.1 503 [^]*connection: close/i);
    await stopped;
  });

  it('asks nobody about what it refuses', async () => {
    await start();
    const agent = keptAlive();
    await ask(server.target, '/livez', { agent });
    const stopped = server.drain();
    assertRefused(await ask(server.target, nodes, { agent, headers: { authorization: 'Bearer some-token' } }));
    assert.deepEqual(server.reviews.tokens, []);
    await stopped;
  });

  it('finishes what is under way on both protocols', async () => {
    await start();
    const session = await http2Session(proxy);
    const running = [get(keptAlive(), '/slow'), askHttp2(session, '/slow', masters), get(keptAlive(), '/streamed')];
    await eventually(() => release.length === 3);
    const stopped = server.drain();
    await assert.rejects(askHttp2(session, nodes, masters), /NGHTTP2_REFUSED_STREAM/);
    for (const go of release) go();
    const replies = await Promise.all(running);
    assert.deepEqual(
      replies.map(({ status, body }) => [status, body]),
      [
        [200, 'done'],
        [200, 'done'],
        [200, 'begun done'],
      ],
    );
    await stopped;
    session.destroy();
  });

  it('answers probes and metrics to the end', async () => {
    const whichPath: Middleware = (ctx) => void (ctx.body = stateOf(ctx).requestInfo.path);
    await start([whichPath]);
    const paths = ['/readyz', '/livez/ping', '/healthz', '/metrics'];
    const watchers = paths.map((path) => ({ path, agent: keptAlive() }));
    for (const { agent } of watchers) await get(agent);
    const stopped = server.drain();
    const replies = await Promise.all(watchers.map(async ({ path, agent }) => await get(agent, path)));
    assert.deepEqual(
      replies.map(({ status, body }) => [status, body]),
      paths.map((path) => [200, path]),
    );
    await stopped;
  });
});
