import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { socketsReadingInto } from '../../src/scrape/kubelet-socket.ts';
import { eventually } from '../support/eventually.ts';
import { servingCertificate, testAuthority } from '../support/pki.ts';

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
  const connect = socketsReadingInto(memory, {}, mayShare);
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
    const connect = socketsReadingInto(memory, { ca: authority.cert }, () => true);
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
    const connect = socketsReadingInto(Buffer.alloc(8), {}, () => true);
    const error = await new Promise<Error | null>((resolve) => {
      connect({ hostname: '127.0.0.1', protocol: 'http:', port: '1' }, (...[failure]) => resolve(failure));
    });
    assert.match(String(error), /ECONNREFUSED/);
  });
});
