import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import Koa from 'koa';
import { serveMetrics } from '../../src/server/plain-routes.ts';

describe('The page of metrics', () => {
  const contentType = 'text/plain; version=0.0.4; charset=utf-8';
  const large = Array.from({ length: 10_000 }, (_, at) => `up{instance="é ${at}"} 1\n`).join('');
  let page = large;
  let server: Server;

  before(async () => {
    const app = new Koa().use(serveMetrics(() => ({ contentType, body: page })));
    server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => server.close());

  async function scrape(acceptEncoding: string): Promise<{ answer: IncomingMessage; body: Buffer }> {
    const { port } = server.address() as AddressInfo;
    const headers = { 'accept-encoding': acceptEncoding };
    const asking = request({ host: '127.0.0.1', port, path: '/metrics', headers, agent: false }).end();
    const [answer] = (await once(asking, 'response')) as [IncomingMessage];
    assert.equal(answer.statusCode, 200);
    assert.equal(answer.headers['content-type'], contentType);
    return { answer, body: await buffer(answer) };
  }

  it('is compressed for who asks as Prometheus does', async () => {
    const { answer, body } = await scrape('gzip');
    assert.equal(answer.headers['content-encoding'], 'gzip');
    assert.equal(answer.headers.vary, 'Accept-Encoding');
    assert.equal(gunzipSync(body).toString(), large);
    assert.ok(body.length * 5 < large.length);
  });

  it('is as it is for others, and where it is small', async () => {
    assert.equal((await scrape('identity')).body.toString(), large);
    page = 'up 1\n';
    const { answer, body } = await scrape('gzip');
    assert.equal(answer.headers['content-encoding'], undefined);
    assert.equal(body.toString(), page);
  });
});
