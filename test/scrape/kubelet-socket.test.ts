import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { kubeletSockets, type KubeletSocketOptions } from '../../src/scrape/kubelet-socket.ts';
import { systemClock } from '../../src/model/clock.ts';
import { seconds } from '../../src/model/units.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { servingCertificate, testAuthority } from '../support/pki.ts';

const options: KubeletSocketOptions = {
  memory: Buffer.alloc(1024),
  mayShare: () => true,
  tls: undefined,
  connectTimeout: seconds(10),
  resumes: false,
  clock: systemClock,
};

/** Both ends of a connection whose client reads into `memory`. */
async function connection(
  t: TestContext,
  memory: Buffer,
  mayShare: () => boolean = () => true,
): Promise<{ client: Socket; server: Socket }> {
  const listener = createServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const { connect } = kubeletSockets({ ...options, memory, mayShare });
  const accepted = once(listener, 'connection');
  const client = await new Promise<Socket>((resolve, reject) => {
    connect({ hostname: '127.0.0.1', protocol: 'http:', port: String(port) }, (...[error, socket]) =>
      error === null ? resolve(socket) : reject(error),
    );
  });
  const [server] = (await accepted) as [Socket];
  t.after(() => {
    client.destroy();
    server.destroy();
    listener.close();
  });
  return { client, server };
}

describe('A socket that reads into a shared memory', () => {
  it('gives slices of that memory to who takes them at once', async (t) => {
    const memory = Buffer.alloc(1024);
    const { client, server } = await connection(t, memory);
    const taken: { text: string; shared: boolean }[] = [];
    client.on('readable', () => {
      for (let bytes: Buffer | null; (bytes = client.read() as Buffer | null) !== null;)
        taken.push({ text: bytes.toString(), shared: bytes.buffer === memory.buffer });
    });
    server.write('one');
    await eventually(() => taken.length === 1);
    server.write('two');
    await eventually(() => taken.length === 2);
    assert.deepEqual(taken, [
      { text: 'one', shared: true },
      { text: 'two', shared: true },
    ]);
  });

  it('gives slices of it over TLS, too', async (t) => {
    const authority = await testAuthority('kubelet-ca');
    const listener = createTlsServer(await servingCertificate(authority, '127.0.0.1'), (socket) =>
      socket.end('secret'),
    );
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    t.after(() => listener.close());
    const memory = Buffer.alloc(1024);
    const { connect } = kubeletSockets({ ...options, memory, tls: { ca: authority.cert } });
    const { port } = listener.address() as AddressInfo;
    const taken: { text: string; shared: boolean }[] = [];
    connect({ hostname: '127.0.0.1', protocol: 'https:', port: String(port) }, (_error, client) => {
      client?.on('readable', () => {
        const bytes = client.read() as Buffer | null;
        if (bytes !== null) taken.push({ text: bytes.toString(), shared: bytes.buffer === memory.buffer });
      });
    });
    await eventually(() => taken.length > 0);
    assert.deepEqual(taken, [{ text: 'secret', shared: true }]);
  });

  it('keeps what nobody takes, in order, apart from the memory', async (t) => {
    const memory = Buffer.alloc(8);
    const { client, server } = await connection(t, memory);
    let readables = 0;
    client.on('readable', () => void readables++);
    server.write('abcdefgh');
    await eventually(() => readables >= 1);
    server.write('ijklmnop');
    await eventually(() => client.readableLength === 16);
    memory.fill('!');
    let text = '';
    for (let bytes; (bytes = client.read() as Buffer | null) !== null;) text += bytes.toString();
    assert.equal(text, 'abcdefghijklmnop');
  });

  it('gives what was left before what came later', async (t) => {
    const { client, server } = await connection(t, Buffer.alloc(8));
    let text = '';
    let readables = 0;
    client.on('readable', () => {
      if (++readables >= 3)
        for (let bytes; (bytes = client.read() as Buffer | null) !== null;) text += bytes.toString();
    });
    for (const part of ['1', '2', '3']) {
      const seen = readables;
      server.write(part);
      await eventually(() => readables > seen);
    }
    await eventually(() => text.length === 3);
    assert.equal(text, '123');
  });

  it('gives copies while the memory may not be shared', async (t) => {
    const memory = Buffer.alloc(1024);
    const { client, server } = await connection(t, memory, () => false);
    const taken: Buffer[] = [];
    client.on('readable', () => {
      for (let bytes; (bytes = client.read() as Buffer | null) !== null;) taken.push(bytes);
    });
    server.write('one');
    await eventually(() => taken.length === 1);
    server.write('two');
    await eventually(() => taken.length === 2);
    assert.equal(taken.join(' '), 'one two');
  });

  it('tells of the end, after the last bytes', { timeout: 10_000 }, async (t) => {
    const { client, server } = await connection(t, Buffer.alloc(8));
    let text = '';
    client.on('readable', () => {
      for (let bytes; (bytes = client.read() as Buffer | null) !== null;) text += bytes.toString();
    });
    server.end('last words, longer than the memory');
    await once(client, 'end');
    assert.equal(text, 'last words, longer than the memory');
  });

  it('says why it could not connect', async () => {
    const { connect } = kubeletSockets(options);
    const error = await new Promise<Error | null>((resolve) => {
      connect({ hostname: '127.0.0.1', protocol: 'http:', port: '1' }, (...[failure]) => resolve(failure));
    });
    assert.match(String(error), /ECONNREFUSED/);
  });

  it('gives up a handshake that takes too long', async (t) => {
    const listener = createServer();
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const accepted = once(listener, 'connection') as Promise<[Socket]>;
    t.after(() => listener.close());
    const clock = new FakeClock();
    const { connect } = kubeletSockets({ ...options, tls: {}, connectTimeout: seconds(3), clock });
    const { port } = listener.address() as AddressInfo;
    const failed = new Promise<Error | null>((resolve) => {
      connect({ hostname: '127.0.0.1', protocol: 'https:', port: String(port) }, (...[error]) => resolve(error));
    });
    const [silent] = await accepted;
    await clock.advance(3000);
    assert.equal((await failed)?.message, 'no connection within 3 s');
    silent.destroy();
    assert.equal(clock.waiting, 0);
  });

  it('leaves nothing of who listened when it is closed', async (t) => {
    const listener = createServer((socket) => socket.resume());
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    t.after(() => listener.close());
    const { port } = listener.address() as AddressInfo;
    const { connect, close } = kubeletSockets(options);
    const client = await new Promise<Socket | null>((resolve) => {
      connect({ hostname: '127.0.0.1', protocol: 'http:', port: String(port) }, (...[, socket]) => resolve(socket));
    });
    client?.on('readable', () => undefined);
    close();
    await eventually(() => client?.listenerCount('readable') === 0);
    assert.equal(client?.listenerCount('close'), 0);
    close();
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
    it(`resumes one session as long as it is taken, then the next, with ${version}`, async (t) => {
      const authority = await testAuthority('kubelet-ca');
      const identity = await servingCertificate(authority, '127.0.0.1');
      const resumed: boolean[] = [];
      const listener = createTlsServer({ ...identity, maxVersion: version }, (socket) => {
        resumed.push(socket.isSessionReused());
        socket.on('error', () => undefined);
        socket.write('hello');
      });
      listener.listen(0, '127.0.0.1');
      await once(listener, 'listening');
      t.after(() => listener.close());
      const { port } = listener.address() as AddressInfo;
      const { connect, close } = kubeletSockets({ ...options, tls: { ca: authority.cert }, resumes: true });
      for (let connection = 1; connection <= 6; connection++) {
        // The kubelet forgets its keys.
        if (connection === 4) listener.setTicketKeys(Buffer.alloc(48, 7));
        await new Promise<void>((resolve, reject) => {
          connect({ hostname: '127.0.0.1', protocol: 'https:', port: String(port) }, (...[error, socket]) => {
            if (error !== null) return reject(error);
            socket.once('close', () => resolve());
            socket.on('readable', () => {
              socket.read();
              close();
            });
          });
        });
      }
      assert.deepEqual(resumed, [false, true, true, false, true, true]);
    });
});
