import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:https';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { after, afterEach, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { systemClock, type Clock } from '../../src/model/clock.ts';
import { milliseconds, seconds } from '../../src/model/units.ts';
import type { CertificateAuthority, CertifiedKey } from '../../src/pki/authority.ts';
import { connectionOf, type ServerRequest } from '../../src/server/connection.ts';
import { defaultLimits, type ListenerLimits } from '../../src/server/listener-limits.ts';
import { Listener } from '../../src/server/listener.ts';
import { ServerError } from '../../src/server/server-error.ts';
import type { ServerReply } from '../../src/server/tracked-connection.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { clientCertificate, servingCertificate, testAuthority } from '../support/pki.ts';
import { ask, askHttp2, http2Session, rawConnection, untilClosed, type Target } from '../support/tls-client.ts';

interface Setup {
  readonly handler?: (request: ServerRequest, reply: ServerReply) => void;
  readonly clock?: Clock;
  readonly http2?: boolean;
  readonly limits?: Partial<ListenerLimits>;
}

describe('Listener', () => {
  let authority: CertificateAuthority;
  let certificate: CertifiedKey;
  const open: Listener[] = [];

  before(async () => {
    authority = await testAuthority('serving-ca');
    certificate = await servingCertificate(authority, 'localhost', '127.0.0.1');
  });
  afterEach(async () => {
    for (const listener of open.splice(0)) await listener.stop(milliseconds(0));
  });
  after(() => assert.equal(open.length, 0));

  async function start(setup: Setup = {}): Promise<{ listener: Listener; target: Target }> {
    const listener = new Listener(
      {
        host: '127.0.0.1',
        port: 0,
        http2: setup.http2 ?? true,
        minVersion: 'TLSv1.2',
        ciphers: undefined,
        limits: { ...defaultLimits, ...setup.limits },
      },
      certificate,
      {
        handler: setup.handler ?? ((request, reply) => void reply.end(`${request.httpVersion} ${request.url}`)),
        clock: setup.clock ?? systemClock,
        random: () => 0.5,
        log: silentLogger,
      },
    );
    open.push(listener);
    return { listener, target: { port: await listener.listen(), ca: authority.cert } };
  }

  it('serves HTTP/1.1 and HTTP/2 on one port', async () => {
    const { target } = await start();
    assert.equal((await ask(target, '/a')).body, '1.1 /a');
    const session = await http2Session(target);
    assert.equal((await askHttp2(session, '/b')).body, '2.0 /b');
    session.close();
  });

  it('offers HTTP/1.1 only when told so', async () => {
    const { target } = await start({ http2: false });
    const socket = await rawConnection(target, { ALPNProtocols: ['h2', 'http/1.1'] });
    assert.equal(socket.alpnProtocol, 'http/1.1');
    socket.destroy();
  });

  it('asks for a client certificate, shows it to the handler and judges none', async () => {
    const seen: (string | undefined)[] = [];
    const { target } = await start({
      handler: (request, reply) => {
        seen.push(connectionOf(request).peer?.leaf.subject);
        reply.end();
      },
    });
    const client = await clientCertificate(await testAuthority('anybody'), 'jane');
    await ask(target, '/');
    await ask({ ...target, client }, '/');
    const session = await http2Session({ ...target, client });
    await askHttp2(session, '/');
    session.close();
    assert.deepEqual(seen, [undefined, 'CN=jane', 'CN=jane']);
  });

  it('asks those again who showed no certificate when the acceptable authorities change', async () => {
    const { listener, target } = await start();
    const agent = new Agent({ keepAlive: true });
    const client = await clientCertificate(await testAuthority('anybody'), 'jane');
    const certified = new Agent({ keepAlive: true });
    await ask(target, '/a', { agent });
    await ask({ ...target, client }, '/a', { agent: certified });
    listener.setClientAuthorities([(await testAuthority('front-proxy-ca')).cert]);
    assert.equal((await ask(target, '/b', { agent })).headers['connection'], 'close');
    assert.equal((await ask({ ...target, client }, '/b', { agent: certified })).headers['connection'], 'keep-alive');
    agent.destroy();
    certified.destroy();
  });

  it('shows a new certificate to new connections and keeps the old one when the new one is bad', async () => {
    const { listener, target } = await start();
    const old = await rawConnection(target);
    const renewed = await servingCertificate(authority, 'renewed', '127.0.0.1');
    listener.setCertificate(renewed);
    const socket = await rawConnection(target);
    assert.equal(socket.getPeerCertificate().subject.CN, 'renewed');
    assert.throws(() => listener.setCertificate({ cert: certificate.cert, key: renewed.key }));
    const another = await rawConnection(target);
    assert.equal(another.getPeerCertificate().subject.CN, 'renewed');
    old.write('GET /old HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    assert.match(await untilClosed(old), /1\.1 \/old/);
    socket.destroy();
    another.destroy();
  });

  it('does not resume sessions, which would lose the intermediates of client certificates', async () => {
    const { target } = await start();
    const sessions: Buffer[] = [];
    const socket = await rawConnection(target, { ALPNProtocols: ['http/1.1'] });
    socket.on('session', (session: Buffer) => sessions.push(session));
    socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    await untilClosed(socket);
    const [session] = sessions;
    const again = await rawConnection(target, session === undefined ? {} : { session });
    assert.equal(again.isSessionReused(), false);
    again.destroy();
  });

  it('says which address it cannot listen on', async () => {
    const { target } = await start();
    const listener = new Listener(
      {
        host: '127.0.0.1',
        port: target.port,
        http2: true,
        minVersion: 'TLSv1.2',
        ciphers: undefined,
        limits: defaultLimits,
      },
      certificate,
      { handler: () => undefined, clock: systemClock, random: Math.random, log: silentLogger },
    );
    await assert.rejects(
      listener.listen(),
      (error) =>
        error instanceof ServerError &&
        error.code === 'listen' &&
        error.message === `cannot listen on 127.0.0.1:${target.port}: the port is already in use`,
    );
  });

  describe('when stopped', () => {
    it('lets a running HTTP/1.1 request finish, closes idle connections and takes no new ones', async () => {
      let reply: ServerReply | undefined;
      const { listener, target } = await start({
        handler: (request, running) => {
          if (request.url === '/slow') reply = running;
          else running.end();
        },
      });
      const agent = new Agent({ keepAlive: true });
      await ask(target, '/', { agent });
      const slow = ask(target, '/slow');
      await eventually(() => reply !== undefined);
      const stopped = listener.stop(seconds(30));
      await assert.rejects(ask(target, '/'), /ECONNREFUSED/);
      reply?.end('done');
      const answered = await slow;
      assert.equal(answered.body, 'done');
      assert.equal(answered.headers['connection'], 'close');
      await stopped;
      await eventually(() => listener.connectionCount === 0);
      agent.destroy();
    });

    it('sends GOAWAY and lets a running HTTP/2 request finish', async () => {
      let reply: ServerReply | undefined;
      const { listener, target } = await start({ handler: (_, running) => void (reply = running) });
      const session = await http2Session(target);
      const slow = askHttp2(session, '/slow');
      await eventually(() => reply !== undefined);
      const goaway = once(session, 'goaway');
      const stopped = listener.stop(seconds(30));
      await goaway;
      reply?.end('done');
      assert.equal((await slow).body, 'done');
      await stopped;
      if (!session.closed) await once(session, 'close');
    });

    it('does not wait for a connection that never asked anything', { timeout: 10_000 }, async () => {
      const clock = new FakeClock();
      const { listener, target } = await start({ clock, http2: false });
      const silent = await rawConnection(target);
      await eventually(() => listener.connectionCount === 1);
      const stopped = listener.stop(seconds(30));
      await clock.advance(1000);
      await Promise.all([stopped, untilClosed(silent)]);
    });

    it('cuts what is left when the grace period is over', async () => {
      const clock = new FakeClock();
      let requests = 0;
      const { listener, target } = await start({ clock, handler: () => void requests++ });
      const refused = assert.rejects(ask(target, '/never'));
      const session = await http2Session(target);
      const reset = assert.rejects(askHttp2(session, '/never'));
      await eventually(() => requests === 2);
      const idle = await rawConnection(target);
      const stopped = listener.stop(seconds(5));
      await clock.advance(5000);
      await Promise.all([refused, reset, stopped, untilClosed(idle)]);
      session.destroy();
    });

    it('is done before its process ends, also when all that is left is a connection that stands still', async (t) => {
      const script = new URL('../support/stopping-process.ts', import.meta.url).pathname;
      const child = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['ignore', 'pipe', 'inherit'] });
      t.after(() => child.kill('SIGKILL'));
      const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
      const { value: port } = await lines.next();
      const socket = connectTls({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false });
      socket.on('error', () => undefined);
      // More than the listener takes in of a body that nobody reads: soon it waits for neither more bytes nor for the client to take any.
      socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9999999\r\n\r\n${'x'.repeat(9_000_000)}`);
      assert.deepEqual(await lines.next(), { value: 'asked', done: false });
      child.kill('SIGTERM');
      assert.deepEqual(await lines.next(), { value: 'stopped', done: false });
      socket.destroy();
    });

    it('is done at once without connections, and can be told twice', async () => {
      const { listener } = await start();
      await Promise.all([listener.stop(seconds(30)), listener.stop(seconds(30))]);
    });
  });

  describe('retires connections by age', () => {
    it('with Connection: close on HTTP/1.1', async () => {
      const clock = new FakeClock();
      const { target } = await start({ clock, limits: { connectionLifetime: seconds(60) } });
      const agent = new Agent({ keepAlive: true });
      assert.equal((await ask(target, '/', { agent })).headers['connection'], 'keep-alive');
      await clock.advance(60_000);
      assert.equal((await ask(target, '/', { agent })).headers['connection'], 'close');
      agent.destroy();
    });

    it('with GOAWAY on HTTP/2', async () => {
      const clock = new FakeClock();
      const { target } = await start({ clock, limits: { connectionLifetime: seconds(60) } });
      const session = await http2Session(target);
      await askHttp2(session, '/');
      const goaway = once(session, 'goaway');
      await clock.advance(61_000);
      assert.equal((await goaway)[0], 0);
    });

    it('never when the lifetime is 0', async () => {
      const clock = new FakeClock();
      const { target } = await start({ clock, limits: { connectionLifetime: milliseconds(0) } });
      const session = await http2Session(target);
      await clock.advance(10_000_000);
      assert.equal((await askHttp2(session, '/')).status, 200);
      session.close();
    });
  });

  describe('is finite', () => {
    it('in the size of headers, on both protocols', async () => {
      const { target } = await start({ limits: { maxHeaderBytes: 16 * 1024 } });
      assert.equal((await ask(target, `/${'a'.repeat(20_000)}`)).status, 431);
      assert.equal((await ask(target, '/', { headers: { 'x-remote-group': 'g'.repeat(20_000) } })).status, 431);
      const session = await http2Session(target);
      // Before the client has acknowledged our settings the limit is ours alone to keep.
      assert.equal((await askHttp2(session, '/', { 'x-long': 'g'.repeat(40_000) })).status, 431);
      const settled = await http2Session(target);
      await askHttp2(settled, '/');
      await assert.rejects(askHttp2(settled, '/', { 'x-long': 'g'.repeat(40_000) }), /ENHANCE_YOUR_CALM/);
      session.destroy();
      settled.destroy();
    });

    it('but lets a user of two thousand groups in, every one of them', async () => {
      let lines = 0;
      const { target } = await start({
        handler: (request, reply) => {
          lines = request.rawHeaders.filter((name) => name === 'x-remote-group').length;
          reply.end();
        },
      });
      const headers = { 'x-remote-group': Array.from({ length: 2500 }, (_, index) => `group-${index}`) };
      assert.equal((await ask(target, '/', { headers })).status, 200);
      assert.equal(lines, 2500);
      const session = await http2Session(target);
      lines = 0;
      assert.equal((await askHttp2(session, '/', headers)).status, 200);
      assert.equal(lines, 2500);
      session.close();
    });

    it('in how long headers may dribble in', async () => {
      const { target } = await start({ limits: { headersTimeout: milliseconds(200) } });
      const socket = await rawConnection(target);
      socket.write('GET / HTTP/1.1\r\nhost: x\r\nx-slow: ');
      assert.match(await untilClosed(socket), /^HTTP\/1\.1 408 /);
    });

    it('in how long a connection may stay without any request', async () => {
      const { target } = await start({ limits: { headersTimeout: milliseconds(200), idleTimeout: milliseconds(200) } });
      const silent = await rawConnection(target, { ALPNProtocols: ['http/1.1'] });
      const silent2 = await rawConnection(target, { ALPNProtocols: ['h2'] });
      await Promise.all([untilClosed(silent), untilClosed(silent2)]);
    });

    it('in how long a connection may idle between requests, beside HTTP/2, too', async () => {
      const { target } = await start({ limits: { idleTimeout: milliseconds(100) } });
      const socket = await rawConnection(target, { ALPNProtocols: ['http/1.1'] });
      socket.write('GET /once HTTP/1.1\r\nhost: x\r\n\r\n');
      assert.match(await untilClosed(socket), /1\.1 \/once/);
    });

    it('in how long a handshake may take', async () => {
      const { target } = await start({ limits: { handshakeTimeout: milliseconds(100) } });
      const socket = connect(target.port, '127.0.0.1');
      await once(socket, 'close');
    });

    it('in how long an answer may wait for its reader, on both protocols', async () => {
      const clock = new FakeClock();
      let running = 0;
      const { target } = await start({
        clock,
        limits: { responseTimeout: seconds(30) },
        handler: (_, reply) => {
          running++;
          reply.once('close', () => running--);
          reply.end(Buffer.alloc(64 * 1024 * 1024));
        },
      });
      const socket = await rawConnection(target, { ALPNProtocols: ['http/1.1'] });
      socket.pause();
      socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
      const session = await http2Session(target);
      const stream = session.request({ ':path': '/' });
      stream.on('error', () => undefined);
      await eventually(() => running === 2);
      await clock.advance(20_000);
      assert.equal(running, 2);
      await clock.advance(12_000);
      await eventually(() => running === 0, 'the end of both answers');
      socket.destroy();
      session.destroy();
    });

    it('in connections, where the idle give way to the new', async () => {
      const { listener, target } = await start({ limits: { maxConnections: 3 } });
      const idle = [await rawConnection(target), await rawConnection(target), await rawConnection(target)];
      assert.equal((await ask(target, '/in')).status, 200);
      await eventually(() => idle.filter((socket) => socket.closed).length === 1);
      assert.equal(idle[0]?.closed, true);
      assert.ok(listener.connectionCount <= 3);
      for (const socket of idle) socket.destroy();
    });

    it('in connections, where those at work stay', async () => {
      const replies: ServerReply[] = [];
      const { target } = await start({
        limits: { maxConnections: 2 },
        handler: (_, reply) => void replies.push(reply),
      });
      const working = [ask(target, '/1'), ask(target, '/2')];
      await eventually(() => replies.length === 2);
      await assert.rejects(ask(target, '/3'));
      for (const reply of replies) reply.end('done');
      assert.deepEqual(await Promise.all(working.map(async (asked) => (await asked).body)), ['done', 'done']);
    });

    it('in streams at once on one HTTP/2 connection', async () => {
      const { target } = await start({ limits: { maxConcurrentStreams: 7 } });
      const session = await http2Session(target);
      if (session.remoteSettings.maxConcurrentStreams !== 7) await once(session, 'remoteSettings');
      assert.equal(session.remoteSettings.maxConcurrentStreams, 7);
      session.close();
    });
  });

  it('does not use a connection again that carries a body', async () => {
    const { target } = await start();
    const socket = await rawConnection(target, { ALPNProtocols: ['http/1.1'] });
    socket.write('POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 40\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n');
    const answers = await untilClosed(socket);
    assert.match(answers, /connection: close/i);
    assert.doesNotMatch(answers, /smuggled/);
  });

  for (const [name, rest] of [
    ['what cannot be read', 'NONSENSE\r\n\r\n'],
    ['a tunnel', 'CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n'],
  ] as const) {
    it(`answers a request that is under way though ${name} follows, and closes`, async () => {
      let reply: ServerReply | undefined;
      const { target } = await start({ handler: (_, running) => void (reply = running) });
      const socket = await rawConnection(target, { ALPNProtocols: ['http/1.1'] });
      const answers = untilClosed(socket);
      socket.write(`GET /slow HTTP/1.1\r\nhost: x\r\n\r\n${rest}`);
      await eventually(() => reply !== undefined);
      socket.write('more of it');
      await new Promise((resolve) => setImmediate(resolve));
      reply?.end('done');
      assert.match(await answers, /^HTTP\/1\.1 200 [^]*connection: close[^]*done/i);
    });
  }

  it('refuses ambiguous lengths', async () => {
    const { target } = await start();
    const socket = await rawConnection(target, { ALPNProtocols: ['http/1.1'] });
    socket.write(
      'GET /a HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /b HTTP/1.1\r\n\r\n',
    );
    const answers = await untilClosed(socket);
    assert.match(answers, /^HTTP\/1\.1 400 /);
    assert.doesNotMatch(answers, /\/b/);
  });
});
