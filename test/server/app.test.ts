import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import type { Middleware } from 'koa';
import { afterEach, before, describe, it } from 'node:test';
import { seconds } from '../../src/model/units.ts';
import { routes } from '../../src/server/router.ts';
import { badRequest } from '../../src/wire/status.ts';
import { routerDependencies } from '../conformance/recorded-cluster.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { TestCluster } from '../support/metrics-sources.ts';
import {
  clusterCertificates,
  ScriptedReviews,
  securedServer,
  type ClusterCertificates,
  type SecuredServer,
  type SecuredServerSetup,
} from '../support/secured-server.ts';
import { ask, askHttp2, http2Session, rawConnection, type Reply, type Target } from '../support/tls-client.ts';

const nodes = '/apis/metrics.k8s.io/v1beta1/nodes';

describe('The application', () => {
  let certificates: ClusterCertificates;
  const open: SecuredServer[] = [];

  before(async () => (certificates = await clusterCertificates()));
  afterEach(async () => {
    for (const server of open.splice(0)) await server.stop();
  });

  async function start(setup: Partial<SecuredServerSetup> = {}): Promise<SecuredServer & { readonly proxy: Target }> {
    const reviews = new ScriptedReviews();
    reviews.onAccess = ({ user }) => ({ allowed: user === 'jane' });
    const server = await securedServer({ certificates, reviews, ...setup });
    open.push(server);
    return { ...server, proxy: { ...server.target, client: certificates.frontProxy } };
  }

  const as = (name: string, ...groups: string[]) => ({
    headers: { 'x-remote-user': name, 'x-remote-group': groups, accept: 'application/json' },
  });

  function message(reply: Reply): string {
    return (JSON.parse(reply.body) as { message: string }).message;
  }

  it('marks every answer with an audit id and as not to be cached', async () => {
    const { target, proxy } = await start();
    for (const reply of [await ask(target, '/metrics'), await ask(proxy, nodes, as('jane')), await ask(proxy, nodes)]) {
      assert.equal(reply.headers['audit-id'], 'made-here');
      assert.equal(reply.headers['cache-control'], 'no-cache, private');
    }
    const given = await ask(target, '/metrics', { headers: { 'audit-id': `given-${'x'.repeat(100)}` } });
    assert.equal(given.headers['audit-id'], `given-${'x'.repeat(58)}`);
  });

  it('refuses who cannot be authenticated with 401', async () => {
    const { proxy } = await start();
    const reply = await ask(proxy, nodes);
    assert.equal(reply.status, 401);
    assert.deepEqual(JSON.parse(reply.body), {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'Unauthorized',
      reason: 'Unauthorized',
      code: 401,
    });
    assert.equal(reply.headers['www-authenticate'], undefined);
  });

  for (const [target, details, text] of [
    [
      nodes,
      { group: 'metrics.k8s.io', kind: 'nodes' },
      'nodes.metrics.k8s.io is forbidden: User "joe" cannot list resource "nodes" in API group "metrics.k8s.io" at the cluster scope',
    ],
    [
      '/apis/metrics.k8s.io/v1beta1/namespaces/team-1/pods/app',
      { name: 'app', group: 'metrics.k8s.io', kind: 'pods' },
      'pods.metrics.k8s.io "app" is forbidden: User "joe" cannot get resource "pods" in API group "metrics.k8s.io" in the namespace "team-1"',
    ],
    ['/metrics', {}, 'forbidden: User "joe" cannot get path "/metrics"'],
    ['/%3Ca%26b%3E', {}, 'forbidden: User "joe" cannot get path "/&lt;a&amp;b&gt;"'],
  ] as const) {
    it(`refuses ${target} with 403 and the words of Kubernetes`, async () => {
      const { proxy } = await start();
      const reply = await ask(proxy, target, as('joe'));
      assert.equal(reply.status, 403);
      assert.equal(reply.headers['x-content-type-options'], 'nosniff');
      assert.equal(message(reply), text);
      assert.deepEqual((JSON.parse(reply.body) as { details: object }).details, details);
    });
  }

  it('adds the reason of the reviewer to a refusal', async () => {
    const reviews = new ScriptedReviews();
    reviews.onAccess = () => ({ allowed: false, reason: 'not today' });
    const { proxy } = await start({ reviews });
    assert.match(message(await ask(proxy, nodes, as('joe'))), /at the cluster scope: not today$/);
  });

  it('answers an outage of authorization with 500 in plain text, and system:masters all the same', async () => {
    const reviews = new ScriptedReviews();
    reviews.onAccess = () => {
      throw Object.assign(new Error('dial tcp <nil>'), { status: 403 });
    };
    const { proxy } = await start({ reviews });
    const reply = await ask(proxy, `${nodes}?a=%3Cb`, as('joe'));
    assert.equal(reply.status, 500);
    assert.equal(reply.headers['content-type'], 'text/plain; charset=utf-8');
    assert.equal(reply.body, `Internal Server Error: "${nodes}?a=%3Cb": dial tcp &lt;nil&gt;\n`);
    assert.equal((await ask(proxy, nodes, as('boss', 'system:masters'))).status, 200);
  });

  it('answers 401 while tokens cannot be reviewed', async () => {
    const reviews = new ScriptedReviews();
    reviews.onToken = () => {
      throw Object.assign(new Error('refused'), { status: 403 });
    };
    const { target } = await start({ reviews });
    assert.equal((await ask(target, nodes, { headers: { authorization: 'Bearer x' } })).status, 401);
  });

  it('limits the requests in flight, but not those of system:masters', async () => {
    const waiting: (() => void)[] = [];
    const wait: Middleware = async (ctx) => {
      await new Promise<void>((resolve) => waiting.push(resolve));
      ctx.body = 'done';
    };
    const { proxy } = await start({ app: { maxRequestsInflight: 2 }, routes: [wait] });
    const running = [ask(proxy, nodes, as('jane')), ask(proxy, nodes, as('jane'))];
    await eventually(() => waiting.length === 2);
    const refused = await ask(proxy, nodes, as('jane'));
    assert.equal(refused.status, 429);
    assert.equal(refused.headers['retry-after'], '1');
    assert.equal(refused.headers['content-type'], 'text/plain; charset=utf-8');
    assert.equal(refused.body, 'Too many requests, please try again later.\n');
    assert.equal((await ask(proxy, nodes)).status, 401, 'authentication comes first');
    running.push(ask(proxy, nodes, as('boss', 'system:masters')));
    await eventually(() => waiting.length === 3);
    for (const go of waiting) go();
    for (const reply of await Promise.all(running)) assert.equal(reply.body, 'done');
    const after = ask(proxy, nodes, as('jane'));
    await eventually(() => waiting.length === 4);
    waiting[3]?.();
    assert.equal((await after).status, 200);
  });

  it('counts a request as in flight until its answer is taken or its client has left', async () => {
    const large: Middleware = (ctx) => void (ctx.body = Buffer.alloc(64 * 1024 * 1024));
    for (const protocol of ['http/1.1', 'h2']) {
      const { proxy } = await start({ app: { maxRequestsInflight: 1 }, routes: [large] });
      const socket = await rawConnection(proxy, { ALPNProtocols: ['http/1.1'] });
      const session = await http2Session(proxy);
      if (protocol === 'h2') {
        const stream = session.request({ ':path': nodes, 'x-remote-user': 'jane' });
        await once(stream, 'response');
      } else {
        socket.write(`GET ${nodes} HTTP/1.1\r\nhost: x\r\nx-remote-user: jane\r\n\r\n`);
        await once(socket, 'readable');
      }
      assert.equal((await ask(proxy, nodes, as('jane'))).status, 429, protocol);
      socket.destroy();
      session.destroy();
      await eventually(async () => (await ask(proxy, nodes, { ...as('jane'), method: 'HEAD' })).status === 200);
    }
  });

  it('cuts a request that takes too long with 504', async () => {
    const clock = new FakeClock();
    let started = 0;
    const hang: Middleware = async () => {
      started++;
      await new Promise(() => undefined);
    };
    const { proxy } = await start({ clock, routes: [hang] });
    const long = ask(proxy, nodes, as('boss', 'system:masters'));
    const short = ask(proxy, `${nodes}?timeout=2s`, as('boss', 'system:masters'));
    await eventually(() => started === 2);
    await clock.advance(2000);
    assert.equal((await short).status, 504);
    await clock.advance(58_000);
    const reply = await long;
    assert.equal(reply.status, 504);
    assert.equal(
      reply.body,
      '{"metadata":{},"status":"Failure","message":"Timeout: request did not complete within the allotted timeout","reason":"Timeout","details":{},"code":504}\n',
    );
  });

  it('refuses a timeout that is no duration before it asks who it is', async () => {
    const { target, proxy } = await start();
    const reply = await ask(target, `${nodes}?timeout=abc`);
    assert.equal(reply.status, 400);
    assert.equal(message(reply), 'invalid timeout specified in the request URL - time: invalid duration "abc"');
    assert.equal((await ask(proxy, `${nodes}?timeout=0s`, as('jane'))).status, 200);
    assert.equal((await ask(proxy, `${nodes}?timeout=`, as('jane'))).status, 200);
  });

  it('answers what it did not expect with a bare 500 and logs it', async () => {
    const broken: Middleware = () => {
      throw new TypeError('secret detail');
    };
    const { proxy, log } = await start({ routes: [broken] });
    const reply = await ask(proxy, nodes, as('jane'));
    assert.equal(reply.status, 500);
    assert.equal(reply.body, 'This request caused apiserver to panic. Look in the logs for details.\n');
    assert.ok(log.lines.some((line) => line.startsWith('error') && line.includes('secret detail')));
  });

  it('turns a thrown status into its answer', async () => {
    const refuse: Middleware = () => {
      throw badRequest('no good');
    };
    const { proxy } = await start({ routes: [refuse] });
    assert.equal(message(await ask(proxy, nodes, as('jane'))), 'no good');
  });

  it('sends a body that is a stream, without making Node load its fetch', async (t) => {
    const streamed: Middleware = (ctx) => {
      ctx.body = Readable.from(['{"kind":', '"List"}']);
      ctx.set('Content-Type', 'application/json');
    };
    const { proxy } = await start({ routes: [streamed] });
    const { Response } = globalThis;
    let asked = 0;
    const watched = { configurable: true, get: () => (asked++, Response) };
    Object.defineProperty(globalThis, 'Response', watched);
    t.after(() =>
      Object.defineProperty(globalThis, 'Response', { configurable: true, writable: true, value: Response }),
    );
    const reply = await ask(proxy, nodes, as('jane'));
    assert.deepEqual([reply.status, reply.body], [200, '{"kind":"List"}']);
    assert.equal(asked, 0);
  });

  it('sends no body to who asks for the head of a stream', async () => {
    const body = Readable.from(['never read']);
    const streamed: Middleware = (ctx) => {
      ctx.body = body;
    };
    const { proxy } = await start({ routes: [streamed] });
    const reply = await ask(proxy, nodes, { ...as('jane'), method: 'HEAD' });
    assert.deepEqual([reply.status, reply.body], [200, '']);
    await eventually(() => body.destroyed);
  });

  it('breaks an answer off whose stream fails, and logs it once', async () => {
    function* failing(): Generator<string> {
      yield '{"kind":';
      throw new TypeError('lost a block');
    }
    const streamed: Middleware = (ctx) => {
      ctx.body = Readable.from(failing());
    };
    const { proxy, log } = await start({ routes: [streamed] });
    await assert.rejects(ask(proxy, nodes, as('jane')));
    assert.equal(log.lines.filter((line) => line.includes('lost a block')).length, 1);
  });

  it('answers a request line that cannot be read as Go does', async () => {
    const { target } = await start();
    const reply = await ask(target, '/%zz');
    assert.equal(reply.status, 400);
    assert.equal(reply.body, '400 Bad Request');
    assert.equal(reply.headers['content-type'], 'text/plain; charset=utf-8');
    assert.equal(reply.headers['connection'], 'close');
  });

  it('ends the HTTP/2 connections of clients without an identity, after their answer', async () => {
    const { target, proxy } = await start();
    for (const session of [await http2Session(target), await http2Session(proxy)]) {
      const goaway = once(session, 'goaway');
      assert.ok([401, 403].includes((await askHttp2(session, nodes)).status));
      await goaway;
      session.destroy();
    }
    const session = await http2Session(proxy);
    await askHttp2(session, nodes, { 'x-remote-user': 'joe' });
    assert.equal((await askHttp2(session, nodes, { 'x-remote-user': 'jane' })).status, 200);
    session.destroy();
  });

  it('reports every request when it has ended, and those whose client left', async () => {
    let hung = false;
    const route: Middleware = async (ctx, next) => {
      if (!ctx.url.includes('hang')) {
        await next();
        return;
      }
      hung = true;
      await new Promise(() => undefined);
    };
    const done: Middleware = (ctx) => void (ctx.body = 'done');
    const clock = new FakeClock();
    const { proxy, records } = await start({ routes: [route, done], clock, app: { requestTimeout: seconds(5) } });
    await ask(proxy, nodes, { headers: { ...as('jane').headers, 'user-agent': 'kubectl/v1.32' } });
    await eventually(() => records.length === 1);
    const [record] = records;
    assert.equal(record?.info.verb, 'list');
    assert.equal(record.user?.name, 'jane');
    assert.equal(record.status, 200);
    assert.equal(record.aborted, false);
    assert.equal(record.protocol, 'http/1.1');
    assert.equal(record.userAgent, 'kubectl/v1.32');
    const socket = await rawConnection(proxy, { ALPNProtocols: ['http/1.1'] });
    socket.write(`GET ${nodes}?hang HTTP/1.1\r\nhost: x\r\nx-remote-user: jane\r\n\r\n`);
    await eventually(() => hung);
    socket.destroy();
    await eventually(() => records.length === 2);
    assert.equal(records[1]?.aborted, true);
    await clock.advance(5000);
  });

  it('serves health to everybody with any method, its parts and /metrics to the authorized', async () => {
    const { target, proxy } = await start({ routes: [routes(routerDependencies(new TestCluster()))] });
    for (const path of ['/livez', '/readyz', '/healthz']) {
      const reply = await ask(target, path);
      assert.equal(reply.body, 'ok');
      assert.equal(reply.headers['content-type'], 'text/plain; charset=utf-8');
      assert.equal(reply.headers['x-content-type-options'], 'nosniff');
      assert.equal((await ask(target, path, { method: 'POST' })).body, 'ok');
      const head = await ask(target, path, { method: 'HEAD' });
      assert.deepEqual([head.status, head.body], [200, '']);
    }
    assert.equal((await ask(target, '/readyz/ping')).status, 403);
    assert.equal((await ask(proxy, '/readyz/ping', as('jane'))).body, 'ok');
    assert.equal((await ask(target, '/metrics')).status, 403);
    const metrics = await ask(proxy, '/metrics', as('jane'));
    assert.equal(metrics.body, 'up 1\n');
    assert.equal(metrics.headers['content-type'], 'text/plain; version=0.0.4');
  });
});
