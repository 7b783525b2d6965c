import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { KubeClient } from '../../src/kube/client.ts';
import { KubeError } from '../../src/kube/kube-error.ts';
import { seconds } from '../../src/model/units.ts';
import { FakeApiServer, failure, hang, json, OpenStream, reset, text } from '../support/fake-api-server.ts';
import { apiServer } from '../support/fake-credentials.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { eventually } from '../support/eventually.ts';
import { fails } from '../support/kube-fails.ts';
import { testAuthority } from '../support/pki.ts';

describe('the client of the API server', () => {
  let server: FakeApiServer;
  let client: KubeClient;
  let clock: FakeClock;

  beforeEach(async () => {
    server = await FakeApiServer.start();
    clock = new FakeClock();
    client = new KubeClient(await apiServer(server), { clock, userAgent: 'kubetally/test' });
  });

  afterEach(async () => {
    await client.close();
    await server.close();
    assert.equal(clock.waiting, 0, 'timers left behind');
  });

  it('keeps connections for the next requests', async () => {
    server.on('/version', json({ minor: '37' }));
    for (let i = 0; i < 20; i++) assert.deepEqual(await client.get('/version'), { minor: '37' });
    // The pool may open a second one while the end of an answer is still on its way.
    assert.ok(server.connections <= 2, `${server.connections} connections`);
  });

  it('tells of every request how it was answered', async () => {
    const told: string[] = [];
    const onRequest = (method: string, status: number | undefined): void => void told.push(`${method} ${status}`);
    const observed = new KubeClient(await apiServer(server), { clock, onRequest });
    server.on('/version', json({}), failure(404, 'NotFound', 'gone'), reset, reset);
    await observed.get('/version');
    await assert.rejects(observed.get('/version'));
    await assert.rejects(observed.get('/version'));
    await observed.close();
    assert.deepEqual(told, ['GET 200', 'GET 404', 'GET undefined', 'GET undefined']);
  });

  it('sends its token, its name and the query', async () => {
    server.on('/api/v1/nodes', json({}));
    await client.get('/api/v1/nodes', { query: { limit: 500, labelSelector: 'a in (b,c)', continue: undefined } });
    const [request] = server.requests;
    assert.equal(request?.headers.authorization, 'Bearer sesame');
    assert.equal(request.headers['user-agent'], 'kubetally/test');
    assert.equal(request.headers.accept, 'application/json');
    assert.deepEqual(
      [...request.query],
      [
        ['limit', '500'],
        ['labelSelector', 'a in (b,c)'],
      ],
    );
  });

  it('keeps the path of the server URL before the path of the request', async () => {
    server.on('/clusters/c1/version', json({}));
    const prefixed = new KubeClient(await apiServer(server, { url: new URL(`${server.url}/clusters/c1/`) }));
    await prefixed.get('/version');
    await prefixed.close();
    assert.equal(server.requests[0]?.path, '/clusters/c1/version');
  });

  it('names that path in errors', async () => {
    server.on('/clusters/c1/x', (_, response) => response.writeHead(502).end('bad gateway\n'));
    const prefixed = new KubeClient(await apiServer(server, { url: new URL(`${server.url}/clusters/c1/`) }));
    await assert.rejects(prefixed.get('/x'), (error: Error) =>
      error.message.startsWith(`GET ${server.url}/clusters/c1/x: 502`),
    );
    await prefixed.close();
  });

  it('posts a review and carries the status of a refusal', async () => {
    server.on(
      '/reviews',
      json({ status: { authenticated: true } }, 201),
      failure(403, 'Forbidden', 'no reviews for you'),
    );
    assert.deepEqual(await client.create('/reviews', { kind: 'TokenReview' }), { status: { authenticated: true } });
    assert.equal(server.requests[0]?.body, '{"kind":"TokenReview"}');
    await assert.rejects(client.create('/reviews', {}), (error) => {
      assert.ok(error instanceof KubeError);
      assert.equal(error.status, 403);
      assert.equal(error.reason, 'Forbidden');
      assert.match(error.message, /^POST https:\/\/127\.0\.0\.1:\d+\/reviews: 403: no reviews for you$/);
      return fails('status')(error);
    });
  });

  it('carries Retry-After', async () => {
    server.on('/x', failure(429, 'TooManyRequests', 'later', { 'retry-after': '7' }));
    await assert.rejects(client.get('/x'), (error) => error instanceof KubeError && error.retryAfterSeconds === 7);
  });

  it('quotes an error answer that is no Status', async () => {
    server.on('/x', (_, response) => response.writeHead(502).end('bad gateway\n'));
    await assert.rejects(client.get('/x'), fails('status', /: 502: bad gateway$/));
  });

  it('gives up when the answer takes longer than the deadline', async () => {
    server.on('/x', hang);
    const answer = assert.rejects(client.get('/x', { timeout: seconds(5) }), fails('timeout', /no answer within 5 s$/));
    await eventually(() => server.requests.length === 1);
    await clock.advance(5000);
    await answer;
  });

  it('gives up on a body that drips past the deadline', async () => {
    const stream = new OpenStream();
    server.on('/x', stream.answer);
    const answer = assert.rejects(client.get('/x', { timeout: seconds(5) }), fails('timeout'));
    await stream.write('{');
    await clock.advance(4000);
    await stream.write(' ');
    await clock.advance(1000);
    await answer;
  });

  it('refuses an answer above the cap', async () => {
    server.on('/x', json({ text: 'x'.repeat(100_000) }));
    await assert.rejects(client.get('/x', { maxSize: 50_000 }), fails('too_large', /longer than 50000 bytes/));
    server.on('/x', json({ ok: true }));
    assert.deepEqual(await client.get('/x'), { ok: true });
  });

  it('refuses an answer that is not a JSON object', async () => {
    for (const body of ['{"a":', '<html>', '', '[]', 'null', '7']) {
      server.on('/x', text(body));
      await assert.rejects(client.get('/x'), fails('malformed'), body);
    }
  });

  it('calls a body that ends early unreachable', async () => {
    server.on('/x', (_, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"a":1', () => response.socket?.destroy());
    });
    await assert.rejects(client.get('/x'), fails('unreachable'));
  });

  it('repeats a GET once when the connection is closed under it', async () => {
    server.on('/x', reset, json({ ok: true }));
    assert.deepEqual(await client.get('/x'), { ok: true });
    server.on('/x', reset);
    await assert.rejects(client.get('/x'), fails('unreachable'));
    assert.equal(server.of('/x').length, 4);
  });

  it('never repeats a PATCH', async () => {
    server.on('/x', reset);
    await assert.rejects(client.patch('/x', { metadata: {} }), fails('unreachable'));
    assert.equal(server.requests.length, 1);
    assert.equal(server.requests[0]?.headers['content-type'], 'application/merge-patch+json');
  });

  it('goes on after the server was away', async () => {
    server.on('/x', json({ ok: true }));
    await client.get('/x');
    await server.close();
    await assert.rejects(client.get('/x'), fails('unreachable', /ECONNREFUSED/));
    await server.listen();
    assert.deepEqual(await client.get('/x'), { ok: true });
  });

  it('trusts only the authority it was given', async () => {
    const other = await testAuthority('other');
    const ca = { kind: 'inline', text: other.cert, field: 'ca' } as const;
    const wary = new KubeClient(await apiServer(server, { sources: { ca } }));
    await assert.rejects(wary.get('/x'), fails('tls'));
    await wary.close();
    const careless = new KubeClient(await apiServer(server, { sources: { ca }, insecure: true }));
    server.on('/x', json({}));
    await careless.get('/x');
    await careless.close();
  });

  it('checks the name in the certificate, or the one it is told to', async () => {
    const named = await FakeApiServer.start(server.authority, 'kubernetes.default.svc');
    named.on('/x', json({ ok: true }));
    const strict = new KubeClient(await apiServer(named));
    await assert.rejects(strict.get('/x'), fails('tls', /does not match certificate/));
    const told = new KubeClient(await apiServer(named, { serverName: 'kubernetes.default.svc' }));
    assert.deepEqual(await told.get('/x'), { ok: true });
    await Promise.all([strict.close(), told.close(), named.close()]);
  });

  it('impersonates whom the kubeconfig names', async () => {
    server.on('/x', json({}));
    const impersonation = { 'impersonate-user': 'jane', 'impersonate-group': ['devs', 'ops'] };
    const jane = new KubeClient(await apiServer(server, { sources: { impersonation } }));
    await jane.get('/x');
    await jane.close();
    assert.equal(server.requests[0]?.headers['impersonate-user'], 'jane');
    assert.equal(server.requests[0]?.headers['impersonate-group'], 'devs, ops');
  });

  it('goes through a proxy, with TLS to the API server itself', async () => {
    server.on('/x', json({ ok: true }));
    const tunnels: string[] = [];
    const proxy = createHttpServer().listen(0, '127.0.0.1');
    proxy.on('connect', (request: IncomingMessage, socket: Socket) => {
      tunnels.push(request.url ?? '');
      const upstream = connect(Number(new URL(server.url).port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        upstream.pipe(socket).pipe(upstream);
      });
      upstream.on('error', () => socket.destroy());
      socket.on('error', () => upstream.destroy());
    });
    await once(proxy, 'listening');
    const url = new URL(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
    const distant = new KubeClient(await apiServer(server, { proxy: url }));
    try {
      assert.deepEqual(await distant.get('/x'), { ok: true });
      assert.deepEqual(tunnels, [new URL(server.url).host]);
    } finally {
      await distant.close();
      proxy.close();
      proxy.closeAllConnections();
    }
  });

  it('calls what is not HTTP malformed', async () => {
    const garbage = createServer((socket) => {
      socket.resume();
      socket.on('error', () => {});
      socket.end('SSH-2.0-OpenSSH_9.2\r\n');
    }).listen(0, '127.0.0.1');
    await once(garbage, 'listening');
    const url = new URL(`http://127.0.0.1:${(garbage.address() as AddressInfo).port}`);
    const puzzled = new KubeClient(await apiServer(server, { url }));
    try {
      await assert.rejects(puzzled.get('/x'), fails('malformed'));
    } finally {
      await puzzled.close();
      garbage.close();
    }
  });

  it('says that the caller gave up', async () => {
    server.on('/x', hang);
    const controller = new AbortController();
    const answer = assert.rejects(client.get('/x', { signal: controller.signal }), fails('aborted'));
    await eventually(() => server.requests.length === 1);
    controller.abort();
    await answer;
  });

  it('breaks off what is under way when closed', async () => {
    server.on('/x', hang);
    const answer = assert.rejects(client.get('/x'), KubeError);
    await eventually(() => server.requests.length === 1);
    await client.close();
    await answer;
    await assert.rejects(client.get('/x'), KubeError);
  });
});
