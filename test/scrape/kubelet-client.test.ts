import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import { createServer as createHttpServer } from 'node:http';
import type { RequestListener, Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { systemClock } from '../../src/model/clock.ts';
import { asError } from '../../src/model/errors.ts';
import type { NodeInfo } from '../../src/model/inventory.ts';
import { bytes, milliseconds, seconds } from '../../src/model/units.ts';
import type { CertificateAuthority } from '../../src/pki/authority.ts';
import {
  KubeletClient,
  type AnswerTiming,
  type KubeletClientOptions,
  type KubeletIdentity,
} from '../../src/scrape/kubelet-client.ts';
import { ScrapeError, type ScrapeErrorCode } from '../../src/scrape/scrape-error.ts';
import { eventually } from '../support/eventually.ts';
import { heapUsed } from '../support/heap.ts';
import { clientCertificate, servingCertificate, testAuthority } from '../support/pki.ts';

/** A kubelet on loopback that does what the test says. */
class FakeKubelet {
  readonly server: Server | HttpServer;
  readonly sockets = new Set<Socket>();
  connections = 0;
  answer: RequestListener = (_request, response) => response.end('{"pods":[]}');

  private constructor(server: Server | HttpServer) {
    this.server = server;
    server.on('request', (request, response) => this.answer(request, response));
    server.on('connection', (socket: Socket) => {
      this.connections++;
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket));
    });
  }

  static async start(
    certificate: { cert: string; key: string } | undefined,
    clientCa?: string,
    host = '127.0.0.1',
  ): Promise<FakeKubelet> {
    const server =
      certificate === undefined
        ? createHttpServer()
        : createServer({
            ...certificate,
            requestCert: true,
            rejectUnauthorized: false,
            ...(clientCa === undefined ? {} : { ca: clientCa }),
          });
    server.listen(0, host);
    await once(server, 'listening');
    return new FakeKubelet(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}

function nodeAt(port: number, ...addresses: string[]): NodeInfo {
  return {
    name: 'worker-1',
    labels: {},
    addresses: addresses.map((address) => ({ type: 'InternalIP', address })),
    kubeletPort: port,
    ready: true,
    cpuCapacity: undefined,
    resourceMetricsPath: undefined,
  };
}

class TestIdentity implements KubeletIdentity {
  token: string | undefined = 'secret';
  authority: string;
  certificate: { cert: string; key: string } | undefined;
  #listener = (): void => {};
  constructor(authority: string) {
    this.authority = authority;
  }
  async authorizationHeader(_signal?: AbortSignal): Promise<string | undefined> {
    return await Promise.resolve(this.token === undefined ? undefined : `Bearer ${this.token}`);
  }
  clientCertificate(): { cert: string; key: string } | undefined {
    return this.certificate;
  }
  ca(): string {
    return this.authority;
  }
  onRotate(listener: () => void): () => void {
    this.#listener = listener;
    return () => (this.#listener = () => {});
  }
  rotate(): void {
    this.#listener();
  }
}

describe('the kubelet client', () => {
  let authority: CertificateAuthority;
  let kubelet: FakeKubelet;
  const open: { close(): Promise<void> }[] = [];

  before(async () => {
    authority = await testAuthority('kubelet-ca');
    kubelet = await FakeKubelet.start(await servingCertificate(authority, '127.0.0.1'), authority.cert);
  });
  after(async () => {
    for (const client of open) await client.close();
    await kubelet.stop();
  });

  function client(options: Partial<KubeletClientOptions> = {}): KubeletClient {
    const created = new KubeletClient({
      clock: systemClock,
      port: 10250,
      useNodeStatusPort: true,
      addressTypes: ['InternalIP'],
      identity: new TestIdentity(authority.cert),
      insecureTls: false,
      maxBodySize: bytes(1 << 20),
      maxIdleConnections: 1000,
      ...options,
    });
    open.push(created);
    return created;
  }

  async function get(
    from: KubeletClient,
    node: NodeInfo,
    deadline = seconds(5),
  ): Promise<AnswerTiming & { body: string }> {
    const { signal } = new AbortController();
    return await from.get(node, '/stats/summary', deadline, signal, (body, timing) => ({
      body: body.toString(),
      ...timing,
    }));
  }

  async function assertFails(promise: Promise<unknown>, code: ScrapeErrorCode, message: RegExp): Promise<void> {
    await assert.rejects(promise, (error) => {
      assert.ok(error instanceof ScrapeError, String(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      return true;
    });
  }

  it('gets a body with the token, over one kept connection', async () => {
    let authorization: string | undefined;
    kubelet.answer = (request, response) => {
      authorization = request.headers.authorization;
      response.end('body');
    };
    const before = kubelet.connections;
    const one = client();
    const answer = await get(one, nodeAt(kubelet.port, '127.0.0.1'));
    await get(one, nodeAt(kubelet.port, '127.0.0.1'));
    assert.equal(answer.body, 'body');
    assert.equal(authorization, 'Bearer secret');
    assert.equal(kubelet.connections - before, 1);
    assert.ok(answer.answeredAt >= answer.requestedAt && answer.date !== undefined);
  });

  it('keeps the bodies of kubelets apart that answer at the same time', async () => {
    const text = (path = ''): string => path.repeat(100_000);
    kubelet.answer = ({ url }, response) => response.end(text(url));
    const one = client();
    const { signal } = new AbortController();
    const paths = Array.from({ length: 8 }, (_, index) => `/${index}`);
    const bodies = await Promise.all(
      paths.map(async (path) => {
        const node = { ...nodeAt(kubelet.port, '127.0.0.1'), name: `worker${path}` };
        return await one.get(node, path, seconds(5), signal, (body) => body.toString());
      }),
    );
    assert.ok(bodies.every((body, index) => body === text(paths[index])));
  });

  for (const [name, before, behind] of [
    ['a head', '', '\r\n'],
    ['a head whose end is apart', '', '\r\n\r'],
    ['a head behind an interim one', 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n', '\r\n'],
    ['a head behind an empty line', '\r\nHTTP/1.1 103 Early Hints\r\n\r\n', '\r\n'],
  ] as const) {
    it(`keeps ${name} that comes in two parts apart from what another kubelet answers in between`, async () => {
      const [ownDate, otherDate] = ['Sun, 22 Nov 2026 10:00:00 GMT', 'Mon, 01 Jan 2001 00:00:00 GMT'];
      const head = (date: string): string => `HTTP/1.1 200 OK\r\nDate: ${date}\r\nContent-Length: 2`;
      let finish: (() => void) | undefined;
      kubelet.answer = ({ url, socket }) => {
        if (url === '/slow') {
          socket.write(`${before}${head(ownDate)}${behind}`);
          finish = () => void socket.write(`${'\r\n\r\n'.slice(behind.length)}ok`);
        } else socket.write(`${before}${head(otherDate)}\r\n\r\nok`);
      };
      const one = client();
      const { signal } = new AbortController();
      const date = async (path: string): Promise<number | undefined> => {
        const node = { ...nodeAt(kubelet.port, '127.0.0.1'), name: `worker${path}` };
        return await one.get(node, path, seconds(5), signal, (_body, timing) => timing.date);
      };
      const slow = date('/slow');
      await eventually(() => finish !== undefined);
      // Its first part has surely been read when another exchange is over, on the same loop.
      assert.equal(await date('/other'), Date.parse(otherDate));
      finish?.();
      assert.equal(await slow, Date.parse(ownDate));
    });
  }

  it('asks the port of the flag unless told to use that of the node', async () => {
    kubelet.answer = (_request, response) => response.end('body');
    const answer = await get(client({ port: kubelet.port, useNodeStatusPort: false }), nodeAt(1, '127.0.0.1'));
    assert.equal(answer.body, 'body');
  });

  it('reads the token anew for each request', async () => {
    const identity = new TestIdentity(authority.cert);
    const seen: (string | undefined)[] = [];
    kubelet.answer = (request, response) => {
      seen.push(request.headers.authorization);
      response.end();
    };
    const one = client({ identity });
    await get(one, nodeAt(kubelet.port, '127.0.0.1'));
    identity.token = 'rotated';
    await get(one, nodeAt(kubelet.port, '127.0.0.1'));
    assert.deepEqual(seen, ['Bearer secret', 'Bearer rotated']);
  });

  it('shows its client certificate, and the new one after a rotation', async () => {
    const identity = new TestIdentity(authority.cert);
    identity.certificate = await clientCertificate(authority, 'first');
    const seen: unknown[] = [];
    kubelet.answer = (request, response) => {
      seen.push((request.socket as TLSSocket).getPeerCertificate().subject.CN);
      response.end();
    };
    const one = client({ identity });
    await get(one, nodeAt(kubelet.port, '127.0.0.1'));
    identity.certificate = await clientCertificate(authority, 'second');
    identity.rotate();
    await get(one, nodeAt(kubelet.port, '127.0.0.1'));
    assert.deepEqual(seen, ['first', 'second']);
  });

  it('follows the authority when it rotates', async () => {
    kubelet.answer = (_request, response) => response.end();
    const identity = new TestIdentity((await testAuthority('another')).cert);
    const one = client({ identity });
    await assertFails(get(one, nodeAt(kubelet.port, '127.0.0.1')), 'tls', /--kubelet-certificate-authority/);
    identity.authority = authority.cert;
    identity.rotate();
    await get(one, nodeAt(kubelet.port, '127.0.0.1'));
  });

  it('believes a certificate that names the node instead of its address', async () => {
    const named = await FakeKubelet.start(await servingCertificate(authority, 'worker-1'));
    const answer = await get(client(), nodeAt(named.port, '127.0.0.1'));
    assert.equal(answer.body, '{"pods":[]}');
    await named.stop();
  });

  it('refuses a certificate for somebody else, and says whom it names', async () => {
    const other = await FakeKubelet.start(await servingCertificate(authority, 'worker-2', '10.0.0.9'));
    await assertFails(
      get(client(), nodeAt(other.port, '127.0.0.1')),
      'tls',
      /names neither 127\.0\.0\.1 nor worker-1, but: DNS:worker-2, IP Address:10\.0\.0\.9/,
    );
    await other.stop();
  });

  it('takes any certificate when told so', async () => {
    const other = await FakeKubelet.start(await servingCertificate(await testAuthority('unknown'), 'nobody'));
    await get(client({ insecureTls: true }), nodeAt(other.port, '127.0.0.1'));
    await other.stop();
  });

  it('speaks plain HTTP without credentials when completely insecure', async () => {
    const plain = await FakeKubelet.start(undefined);
    let authorization: string | undefined = 'none yet';
    plain.answer = (request, response) => {
      authorization = request.headers.authorization;
      response.end();
    };
    await get(client({ identity: undefined }), nodeAt(plain.port, '127.0.0.1'));
    assert.equal(authorization, undefined);
    await plain.stop();
  });

  it('turns to the next address when connecting fails, and remembers which one answered', async () => {
    kubelet.answer = (_request, response) => response.end('body');
    const one = client();
    const node = nodeAt(kubelet.port, '127.9.9.9', '127.0.0.1');
    assert.equal((await get(one, node)).body, 'body');
    const before = kubelet.connections;
    await get(one, node);
    assert.equal(kubelet.connections, before);
  });

  it('passes over an address that is none', async () => {
    kubelet.answer = (_request, response) => response.end('body');
    assert.equal((await get(client(), nodeAt(kubelet.port, 'bad host', '127.0.0.1'))).body, 'body');
    await assertFails(get(client(), nodeAt(1, 'bad host')), 'no_address', /can be connected to: "bad host"/);
  });

  it('reaches a kubelet over IPv6', async () => {
    const six = await FakeKubelet.start(await servingCertificate(authority, '::1'), undefined, '::1');
    assert.equal((await get(client(), nodeAt(six.port, '::1'))).body, '{"pods":[]}');
    await six.stop();
  });

  it('keeps no more connections open than it may, and resumes the sessions of the others', async () => {
    let resumed = 0;
    kubelet.answer = (request, response) => {
      if ((request.socket as TLSSocket).isSessionReused()) resumed++;
      response.end('body');
    };
    const one = client({ maxIdleConnections: 1 });
    const nodes = ['first', 'second'].map((name) => ({ ...nodeAt(kubelet.port, '127.0.0.1'), name }));
    const others = new Set(kubelet.sockets);
    const before = kubelet.connections;
    for (let round = 0; round < 3; round++) {
      for (const node of nodes) assert.equal((await get(one, node)).body, 'body');
      await heapUsed();
    }
    assert.equal(kubelet.connections - before, 1 + 3);
    assert.equal(resumed, 2);
    await eventually(() => [...kubelet.sockets].filter((socket) => !others.has(socket)).length === 1, 'one to stay');
    // The place of a node that left is another's.
    await one.forget('first');
    await get(one, { ...nodes[0], name: 'third' } as NodeInfo);
    await get(one, { ...nodes[0], name: 'third' } as NodeInfo);
    assert.equal(kubelet.connections - before, 1 + 3 + 1);
  });

  it('connects anew when the kubelet closed the kept connection', async () => {
    kubelet.answer = (_request, response) => response.end('body');
    const one = client();
    await get(one, nodeAt(kubelet.port, '127.0.0.1'));
    for (const socket of kubelet.sockets) socket.destroy();
    assert.equal((await get(one, nodeAt(kubelet.port, '127.0.0.1'))).body, 'body');
  });

  it('says that a node has no usable address', async () => {
    await assertFails(get(client(), nodeAt(1)), 'no_address', /no address matched types \[InternalIP]/);
  });

  it('says that nothing answers', async () => {
    await assertFails(get(client(), nodeAt(1, '127.0.0.1')), 'connect', /127\.0\.0\.1.*ECONNREFUSED/);
  });

  it('says with what status and words the kubelet refused', async () => {
    kubelet.answer = (_request, response) => {
      response.statusCode = 403;
      response.end('Forbidden (user=system:anonymous, verb=get, resource=nodes, subresource(s)=[stats])\n');
    };
    await assertFails(
      get(client(), nodeAt(kubelet.port, '127.0.0.1')),
      'status',
      /\/stats\/summary answered 403: Forbidden \(user=system:anonymous/,
    );
  });

  it('gives up at the deadline on a kubelet that never answers', async () => {
    kubelet.answer = () => {};
    await assertFails(
      get(client(), nodeAt(kubelet.port, '127.0.0.1'), milliseconds(150)),
      'timeout',
      /no whole answer within 0\.15 s/,
    );
  });

  it('gives up at the deadline on a kubelet that drips', async () => {
    const timers: NodeJS.Timeout[] = [];
    kubelet.answer = (_request, response) => {
      response.writeHead(200);
      timers.push(setInterval(() => response.write(' '), 20));
    };
    await assertFails(
      get(client(), nodeAt(kubelet.port, '127.0.0.1'), milliseconds(200)),
      'timeout',
      /no whole answer/,
    );
    for (const timer of timers) clearInterval(timer);
  });

  it('stops reading a body that is too large', async () => {
    kubelet.answer = (_request, response) => {
      response.on('error', () => {});
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    await assertFails(get(client(), nodeAt(kubelet.port, '127.0.0.1')), 'too_large', /larger than 1048576 bytes/);
  });

  it('knows a body that broke off', async () => {
    kubelet.answer = (request, response) => {
      response.writeHead(200, { 'content-length': '1000' });
      response.write('{"pods"');
      setTimeout(() => request.socket.destroy(), 20);
    };
    await assertFails(get(client(), nodeAt(kubelet.port, '127.0.0.1')), 'truncated', /broke off/);
  });

  it('hands on what its reader throws as it is, and keeps the connection', async () => {
    kubelet.answer = (_request, response) => response.end();
    const one = client();
    const node = nodeAt(kubelet.port, '127.0.0.1');
    await get(one, node);
    const before = kubelet.connections;
    const fault = new TypeError('a fault of the reader');
    const { signal } = new AbortController();
    const read = (): never => {
      throw fault;
    };
    await assert.rejects(one.get(node, '/', seconds(5), signal, read), (error) => error === fault);
    await get(one, node);
    assert.equal(kubelet.connections, before);
  });

  it('abandons the request when the node leaves', async () => {
    kubelet.answer = () => {};
    const leave = new AbortController();
    const request = client().get(nodeAt(kubelet.port, '127.0.0.1'), '/', seconds(5), leave.signal, String);
    setTimeout(() => leave.abort(new ScrapeError('timeout', 'the node left')), 30);
    await assertFails(request, 'timeout', /the node left/);
  });

  it(
    'gives up at the deadline that passed while credentials were being fetched for a kept connection',
    { timeout: 10_000 },
    async () => {
      kubelet.answer = (_request, response) => response.end();
      const identity = new TestIdentity(authority.cert);
      const one = client({ identity });
      await get(one, nodeAt(kubelet.port, '127.0.0.1'));
      kubelet.answer = () => {};
      let fetched = (): void => {};
      identity.authorizationHeader = async () => await new Promise((resolve) => (fetched = () => resolve(undefined)));
      const leave = new AbortController();
      const request = one.get(nodeAt(kubelet.port, '127.0.0.1'), '/', seconds(5), leave.signal, String);
      leave.abort(new ScrapeError('timeout', 'the deadline passed'));
      fetched();
      // Were it never settled, the test would time out.
      await assertFails(request, 'timeout', /the deadline passed/);
    },
  );

  it('blames the credentials when they fail or do not come in time, and keeps the connection', async () => {
    kubelet.answer = (_request, response) => response.end();
    const identity = new TestIdentity(authority.cert);
    const one = client({ identity });
    const node = nodeAt(kubelet.port, '127.0.0.1');
    await get(one, node);
    const before = kubelet.connections;
    const header = identity.authorizationHeader.bind(identity);
    identity.authorizationHeader = async () => await Promise.reject(new Error('the plugin failed'));
    await assertFails(get(one, node), 'credentials', /^the plugin failed$/);
    identity.authorizationHeader = async (signal?: AbortSignal) =>
      await new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(asError(signal.reason))));
    await assertFails(get(one, node, milliseconds(50)), 'credentials', /^no credentials within 0\.05 s$/);
    identity.authorizationHeader = header;
    await get(one, node);
    assert.equal(kubelet.connections, before);
  });

  it('opens no connection to a node that left while credentials were being fetched', async () => {
    kubelet.answer = (_request, response) => response.end();
    const identity = new TestIdentity(authority.cert);
    let fetched = (): void => {};
    identity.authorizationHeader = async () => await new Promise((resolve) => (fetched = () => resolve(undefined)));
    const one = client({ identity });
    const leave = new AbortController();
    const request = one.get(nodeAt(kubelet.port, '127.0.0.1'), '/', seconds(5), leave.signal, String);
    leave.abort(new ScrapeError('timeout', 'the node left'));
    await one.forget('worker-1');
    fetched();
    await assertFails(request, 'timeout', /the node left/);
    assert.equal(one.size, 0);
  });

  it('drops the connection of a node that left', async () => {
    kubelet.answer = (_request, response) => response.end();
    const one = client();
    await get(one, nodeAt(kubelet.port, '127.0.0.1'));
    await one.forget('worker-1');
    assert.equal(one.size, 0);
  });
});
