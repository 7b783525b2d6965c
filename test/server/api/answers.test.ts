import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { Readable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { createGunzip } from 'node:zlib';
import type { Context } from 'koa';
import { writeAnswer } from '../../../src/server/api/answer-writer.ts';
import { routes } from '../../../src/server/router.ts';
import { routerDependencies } from '../../conformance/recorded-cluster.ts';
import { eventually } from '../../support/eventually.ts';
import { podInfo, podUsage, TestCluster } from '../../support/metrics-sources.ts';
import { clientCertificate } from '../../support/pki.ts';
import { clusterCertificates, securedServer, type SecuredServer } from '../../support/secured-server.ts';
import { ask, askHttp2, http2Session, type Target } from '../../support/tls-client.ts';

const root = '/apis/metrics.k8s.io/v1beta1';

describe('answers over the wire', () => {
  const others = ['apples', 'pears', 'plums'];
  let server: SecuredServer;
  let target: Target;
  before(async () => {
    const cluster = new TestCluster();
    for (let number = 0; number < 16_000; number++)
      cluster.addPod(podInfo('many', `pod-${number}`, { app: 'a' }), podUsage('node-a'));
    for (let number = 0; number < 2_000; number++)
      for (const namespace of others) cluster.addPod(podInfo(namespace, `${namespace}-${number}`), podUsage('node-a'));
    for (let number = 0; number < 10; number++) cluster.addPod(podInfo('few', `pod-${number}`));
    const certificates = await clusterCertificates();
    server = await securedServer({ certificates, routes: [routes(routerDependencies(cluster))] });
    target = { ...server.target, client: await clientCertificate(certificates.clients, 'admin', 'system:masters') };
  });
  after(async () => await server.stop());

  /** Different objects. */
  const countOf = (body: string): number =>
    new Set(
      (JSON.parse(body) as { items: { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name),
    ).size;

  it('are sent whole with their length when they are small', async () => {
    const reply = await ask(target, `${root}/namespaces/few/pods`, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(reply.headers['content-encoding'], undefined);
    assert.equal(reply.headers['vary'], undefined);
    assert.equal(reply.headers['content-length'], String(Buffer.byteLength(reply.body)));
    assert.equal(countOf(reply.body), 10);
  });

  it('have a type only where there is something to be of it', async () => {
    const refused = await ask(target, '/openapi/v3/version', { headers: { accept: 'text/html' } });
    assert.deepEqual(
      [refused.status, refused.headers['content-type'], refused.headers['content-length'], refused.body],
      [406, undefined, '0', ''],
    );
    const moved = await ask(target, '/openapi/v3/version?hash=x', { headers: { accept: '*/*' } });
    assert.deepEqual([moved.status, moved.headers['content-type'], moved.body], [301, 'application/json', '']);
  });

  it('are sent while they are made when they are large', async () => {
    const reply = await ask(target, `${root}/namespaces/many/pods`);
    assert.equal(reply.headers['transfer-encoding'], 'chunked');
    assert.equal(countOf(reply.body), 16_000);
  });

  it('arrive whole at a client that reads slowly', async () => {
    const { port, ca, client } = target;
    const options = { host: '127.0.0.1', port, path: `${root}/namespaces/many/pods`, ca, agent: false, ...client };
    const chunks: Buffer[] = [];
    await new Promise<void>((resolve, reject) => {
      const read = async (response: IncomingMessage): Promise<void> => {
        for await (const chunk of response as AsyncIterable<Buffer>) {
          chunks.push(chunk);
          await new Promise((next) => setTimeout(next, 2));
        }
      };
      request(options, (response) => void read(response).then(resolve, reject))
        .on('error', reject)
        .end();
    });
    assert.equal(countOf(Buffer.concat(chunks).toString()), 16_000);
  });

  it('are sent in quarters of the window of an HTTP/2 client, of 4 to 16 KiB', async () => {
    const sizes: number[] = [];
    const certificates = await clusterCertificates();
    const large = (context: Context): void => {
      const body = { pieces: [Buffer.alloc(1 << 18)], release: () => undefined };
      writeAnswer(context, { status: 200, headers: {}, body }, '');
      (context.body as Readable).on('data', (slice: Buffer) => sizes.push(slice.length));
    };
    const server = await securedServer({ certificates, routes: [large] });
    try {
      const client = await clientCertificate(certificates.clients, 'admin', 'system:masters');
      const greatestOf = async (initialWindowSize: number): Promise<number> => {
        sizes.length = 0;
        const session = await http2Session({ ...server.target, client }, { initialWindowSize });
        const { body } = await askHttp2(session, '/x');
        session.close();
        assert.equal(body.length, 1 << 18);
        return Math.max(...sizes);
      };
      assert.equal(await greatestOf(65_535), 16_384);
      assert.equal(await greatestOf(4 << 20), 16_384);
      assert.equal(await greatestOf(1024), 4096);
    } finally {
      await server.stop();
    }
  });

  it('break off visibly, with one line of log, when one cannot be made to its end', async () => {
    function* pieces(): Generator<Buffer> {
      yield Buffer.alloc(1 << 20);
      throw new Error('a fault of ours');
    }
    const certificates = await clusterCertificates();
    const broken = (context: Context): void =>
      writeAnswer(
        context,
        { status: 200, headers: {}, body: { pieces: pieces(), release: () => void released++ } },
        context.get('Accept-Encoding'),
      );
    let released = 0;
    const faulty = await securedServer({ certificates, routes: [broken] });
    try {
      const admin = await clientCertificate(certificates.clients, 'admin', 'system:masters');
      for (const encoding of ['identity', 'gzip'])
        await assert.rejects(
          ask({ ...faulty.target, client: admin }, '/x', { headers: { 'accept-encoding': encoding } }),
        );
      const errors = faulty.log.lines.filter((line) => line.includes('Answer broke off'));
      assert.equal(errors.length, 2, faulty.log.lines.join('\n'));
      assert.equal(released, 0);
    } finally {
      await faulty.stop();
    }
  });

  it('are compressed when they are large and the client says exactly gzip', async () => {
    for (const path of ['pods?limit=1000', 'pods']) {
      const { headers, body } = await unzipped(target, `${root}/namespaces/many/${path}`, 'br, gzip');
      assert.equal(headers['content-encoding'], 'gzip');
      assert.equal(headers['vary'], 'Accept-Encoding');
      assert.equal(headers['content-type'], 'application/json');
      assert.equal(countOf(body), path === 'pods' ? 16_000 : 1000);
    }
    const weighted = await ask(target, `${root}/namespaces/many/pods`, { headers: { 'accept-encoding': 'gzip;q=1' } });
    assert.equal(weighted.headers['content-encoding'], undefined);
  });

  it('follow the first of several Accept headers', async () => {
    const headers = { accept: ['application/yaml', 'application/json'] };
    const reply = await ask(target, `${root}/namespaces/few/pods`, { headers });
    assert.equal(reply.headers['content-type'], 'application/yaml');
  });

  it('are the same over HTTP/2', async () => {
    const session = await http2Session(target);
    const large = await askHttp2(session, `${root}/namespaces/many/pods`);
    assert.equal(countOf(large.body), 16_000);
    const refused = await askHttp2(session, `${root}/nodes?limit=x`, { accept: 'application/yaml' });
    assert.equal(refused.status, 400);
    assert.match(refused.body, /^apiVersion: v1\ncode: 400\n/);
    session.close();
  });

  it('have no body for HEAD, which is allowed outside the resources', async () => {
    const head = await ask(target, '/openapi/v2', { method: 'HEAD' });
    assert.equal(head.status, 200);
    assert.equal(head.body, '');
    const refused = await ask(target, `${root}/nodes`, { method: 'HEAD' });
    assert.equal(refused.status, 405);
    assert.equal(refused.headers['allow'], undefined);
  });

  it('are each their own when many are made at once and some are given up', async () => {
    const path = `${root}/namespaces/many/pods`;
    const session = await http2Session(target);
    for (let round = 0; round < 3; round++) {
      const bodies = await Promise.all([
        ...Array.from({ length: 4 }, async () => (await ask(target, path)).body),
        ...Array.from({ length: 4 }, async () => (await askHttp2(session, path, {})).body),
        ...Array.from({ length: 2 }, async () => (await unzipped(target, path, 'gzip')).body),
        ...['identity', 'gzip'].map(async (encoding) => {
          await abandon(target, path, encoding);
          return (await ask(target, path)).body;
        }),
      ]);
      for (const body of bodies) assert.equal(countOf(body), 16_000);
    }
    session.close();
  });

  it('hold no bytes of each other when different lists are made at once', async () => {
    const session = await http2Session(target);
    for (let round = 0; round < 10; round++)
      await Promise.all(
        others.map(async (namespace) => {
          const path = `${root}/namespaces/${namespace}/pods`;
          const bodies = [
            await ask(target, path),
            await askHttp2(session, path, {}),
            await unzipped(target, path, 'gzip'),
          ];
          for (const { body } of bodies) {
            const { items } = JSON.parse(body) as { items: { metadata: { name: string } }[] };
            assert.equal(items.filter(({ metadata }) => metadata.name.startsWith(`${namespace}-`)).length, 2_000);
          }
        }),
      );
    session.close();
  });

  it('leave nothing behind when the client goes away in the middle', async () => {
    const warnings: string[] = [];
    const onWarning = ({ message }: Error): void => void warnings.push(message);
    process.on('warning', onWarning);
    for (const encoding of ['identity', 'gzip']) await abandon(target, `${root}/namespaces/many/pods`, encoding);
    const reply = await ask(target, `${root}/namespaces/few/pods`);
    process.off('warning', onWarning);
    assert.equal(reply.status, 200);
    assert.deepEqual(warnings, []);
    assert.deepEqual(
      server.log.lines.filter((line) => line.startsWith('error')),
      [],
    );
  });
});

describe('the memory of a large answer', () => {
  it('is released once all of it was sent, whatever the transport, and not before', async () => {
    const piece = Buffer.alloc(1 << 20);
    let released = 0;
    const certificates = await clusterCertificates();
    const large = (context: Context): void => {
      const count = context.path === '/one' ? 1 : 32;
      const body = { pieces: Array.from({ length: count }, () => piece), release: () => void released++ };
      writeAnswer(context, { status: 200, headers: {}, body }, context.get('Accept-Encoding'));
    };
    const server = await securedServer({ certificates, routes: [large] });
    try {
      const target = { ...server.target, client: await clientCertificate(certificates.clients, 'a', 'system:masters') };
      await ask(target, '/x');
      await eventually(() => released === 1);
      await ask(target, '/x', { headers: { 'accept-encoding': 'gzip' } });
      await eventually(() => released === 2);
      const session = await http2Session(target);
      await askHttp2(session, '/x', {});
      await eventually(() => released === 3);
      // A piece larger than the window of HTTP/2: all is made, but waits until the client reads.
      const held = session.request({ ':path': '/one' });
      await once(held, 'response');
      await ask(target, '/one');
      await ask(target, '/one');
      await eventually(() => released >= 5);
      assert.equal(released, 5);
      held.resume();
      await eventually(() => released === 6);
      session.close();
      await abandon(target, '/x', 'identity');
      await ask(target, '/x');
      await eventually(() => released === 7);
    } finally {
      await server.stop();
    }
  });
});

async function unzipped(target: Target, path: string, acceptEncoding: string) {
  return await new Promise<{ headers: Readonly<Record<string, unknown>>; body: string }>((resolve, reject) => {
    const { port, ca, client } = target;
    const headers = { 'accept-encoding': acceptEncoding };
    const options = { host: '127.0.0.1', port, path, headers, ca, agent: false, ...client };
    request(options, (response) => {
      const chunks: Buffer[] = [];
      response
        .pipe(createGunzip())
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('error', reject)
        .on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }));
    })
      .on('error', reject)
      .end();
  });
}

/** Takes the first bytes of an answer and hangs up. */
async function abandon(target: Target, path: string, acceptEncoding: string): Promise<void> {
  const { port, ca, client } = target;
  const headers = { 'accept-encoding': acceptEncoding };
  await new Promise<void>((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, path, headers, ca, agent: false, ...client }, (response) => {
      response.once('data', () => asking.destroy());
      response.once('close', resolve);
      response.once('error', () => undefined);
    });
    asking.on('error', (error) => (asking.destroyed ? undefined : reject(error)));
    asking.end();
  });
}
