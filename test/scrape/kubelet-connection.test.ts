import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../src/model/clock.ts';
import { bytes, seconds } from '../../src/model/units.ts';
import { BodyBuffers, type BodyBuffer } from '../../src/scrape/body-buffers.ts';
import { KubeletConnection } from '../../src/scrape/kubelet-connection.ts';
import { eventually } from '../support/eventually.ts';

/** Tells how many are in use. */
class CountedBuffers extends BodyBuffers {
  inUse = 0;

  override take(): BodyBuffer {
    this.inUse++;
    return super.take();
  }

  override giveBack(buffer: BodyBuffer): void {
    this.inUse--;
    super.giveBack(buffer);
  }
}

/** A connection to a kubelet whose answers the test writes. */
async function connection(t: TestContext) {
  const answers: ServerResponse[] = [];
  const server = createServer((_request, response) => answers.push(response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const buffers = new CountedBuffers();
  const client = new KubeletConnection({
    origin: `http://127.0.0.1:${port}`,
    address: '127.0.0.1',
    nodeName: 'node-a',
    tls: undefined,
    connectTimeout: seconds(10),
    clock: systemClock,
    maxBodySize: bytes(1024),
    lasting: true,
    buffers,
  });
  t.after(async () => {
    await client.destroy();
    server.close();
  });
  const get = (signal = new AbortController().signal): Promise<string> =>
    client.get('/', {}, signal, ({ body }) => body.toString());
  const answer = async (): Promise<ServerResponse> => {
    await eventually(() => answers.length > 0);
    return answers.shift() as ServerResponse;
  };
  return { buffers, get, answer };
}

describe('A connection to a kubelet', () => {
  it('holds no memory for a body until the first of it has come', async (t) => {
    const { buffers, get, answer } = await connection(t);
    const body = get();
    const response = await answer();
    response.flushHeaders();
    assert.equal(buffers.inUse, 0);
    response.write('{"pods":');
    await eventually(() => buffers.inUse === 1);
    response.end('[]}');
    assert.equal(await body, '{"pods":[]}');
    assert.equal(buffers.inUse, 0);
  });

  it('gives the memory of a body back that breaks off or is given up', async (t) => {
    const { buffers, get, answer } = await connection(t);
    for (const end of ['breaks off', 'is given up']) {
      const control = new AbortController();
      const body = get(control.signal);
      const response = await answer();
      response.write('{"pods":');
      await eventually(() => buffers.inUse === 1);
      if (end === 'breaks off') response.destroy();
      else control.abort();
      await assert.rejects(body);
      assert.equal(buffers.inUse, 0, end);
    }
  });

  it('reads an answer without a body', async (t) => {
    const { get, answer } = await connection(t);
    const body = get();
    (await answer()).end();
    assert.equal(await body, '');
  });
});
