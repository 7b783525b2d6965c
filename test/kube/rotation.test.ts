import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { KubeClient } from '../../src/kube/client.ts';
import type { CredentialSources } from '../../src/kube/credentials.ts';
import { KubeError } from '../../src/kube/kube-error.ts';
import { FakeApiServer, failure, json, OpenStream } from '../support/fake-api-server.ts';
import { apiServer } from '../support/fake-credentials.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { clientCertificate, servingCertificate, testAuthority } from '../support/pki.ts';

const unauthorized = failure(401, 'Unauthorized', 'Unauthorized');

describe('while the process runs', () => {
  let folder: string;
  let server: FakeApiServer;
  let clock: FakeClock;
  let client: KubeClient;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rotation-'));
    server = await FakeApiServer.start();
    clock = new FakeClock();
  });
  afterEach(async () => {
    await client.close();
    await server.close();
    await rm(folder, { recursive: true });
  });

  async function file(name: string, text: string): Promise<{ kind: 'file'; path: string; field: string }> {
    const path = join(folder, name);
    await writeFile(path, text);
    return { kind: 'file', path, field: name };
  }

  async function connect(sources: CredentialSources): Promise<void> {
    client = new KubeClient(await apiServer(server, { sources, clock }), { clock });
  }

  it('a refused token is read anew and the request repeated', async () => {
    await connect({ token: await file('token', 'old') });
    server.on('/x', unauthorized, json({ ok: true }));
    await file('token', 'new');
    assert.deepEqual(await client.get('/x'), { ok: true });
    assert.deepEqual(
      server.requests.map(({ headers }) => headers.authorization),
      ['Bearer old', 'Bearer new'],
    );
  });

  it('a refused request is not repeated with the same token', async () => {
    await connect({ token: await file('token', 'only') });
    server.on('/x', unauthorized);
    for (let i = 0; i < 3; i++)
      await assert.rejects(client.get('/x'), (error) => error instanceof KubeError && error.status === 401);
    assert.equal(server.requests.length, 3);
  });

  it('the server may change to another authority once the file says so', async () => {
    const ca = await file('ca.crt', server.authority.cert);
    await connect({ ca });
    server.on('/x', json({ ok: true }));
    await client.get('/x');
    const other = await testAuthority('other');
    await server.close();
    await server.listen(await servingCertificate(other, '127.0.0.1'));
    await assert.rejects(client.get('/x'), (error) => error instanceof KubeError && error.code === 'tls');
    await file('ca.crt', other.cert);
    await clock.advance(61_000);
    assert.deepEqual(await client.get('/x'), { ok: true });
  });

  it('a failed handshake makes the authority be read at once', async () => {
    const other = await testAuthority('other');
    await connect({ ca: await file('ca.crt', other.cert) });
    server.on('/x', json({ ok: true }));
    await file('ca.crt', server.authority.cert);
    assert.deepEqual(await client.get('/x'), { ok: true });
  });

  it('new requests show the new client certificate, while an open stream goes on', async () => {
    const alice = await clientCertificate(server.authority, 'alice');
    const bob = await clientCertificate(server.authority, 'bob');
    const certificate = { cert: await file('u.crt', alice.cert), key: await file('u.key', alice.key) };
    await connect({ certificate });
    const stream = new OpenStream();
    server.on('/w', stream.answer).on('/x', json({}));
    const lines = (await client.stream('/w'))[Symbol.asyncIterator]();
    await file('u.crt', bob.cert);
    await file('u.key', bob.key);
    await clock.advance(61_000);
    await client.get('/x');
    assert.deepEqual(
      server.requests.map(({ clientName }) => clientName),
      ['alice', 'bob'],
    );
    await stream.write('still here\n');
    assert.equal((await lines.next()).value, 'still here');
    await lines.return?.();
  });
});
