import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { socketsReadingInto } from '../../src/scrape/kubelet-socket.ts';
import { eventually } from '../support/eventually.ts';

/** Both ends of a connection whose client reads into `memory`. */
async function connection(t: TestContext, memory: Buffer): Promise<{ client: Socket; server: Socket }> {
  const listener = createServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const connect = socketsReadingInto(memory, {});
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
    assert.equal((client.read() as Buffer).toString(), 'abcdefghijklmnop');
  });

  it('tells of the end', async (t) => {
    const { client, server } = await connection(t, Buffer.alloc(8));
    client.on('readable', () => {
      while (client.read() !== null);
    });
    server.end('last words, longer than the memory');
    await once(client, 'end');
  });

  it('says why it could not connect', async () => {
    const connect = socketsReadingInto(Buffer.alloc(8), {});
    const error = await new Promise<Error | null>((resolve) => {
      connect({ hostname: '127.0.0.1', protocol: 'http:', port: '1' }, (...[failure]) => resolve(failure));
    });
    assert.match(String(error), /ECONNREFUSED/);
  });
});
