import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { servingCertificate as chooseCertificate } from '../../../src/commands/serve/certificate.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import { parseServeOptions } from '../../../src/options/serve-options.ts';
import type { ServingCertificate } from '../../../src/server/serving-certificate.ts';
import { FakeApiServer } from '../../support/fake-api-server.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { apiServer } from '../../support/fake-credentials.ts';
import { servingCertificate, testAuthority } from '../../support/pki.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

describe('The serving certificate that flags ask for', () => {
  let directory: string;
  let server: FakeApiServer;
  let kube: KubeClient;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kubetally-'));
    server = await FakeApiServer.start();
    kube = new KubeClient(await apiServer(server));
  });

  afterEach(async () => {
    await kube.close();
    await server.close();
    await rm(directory, { recursive: true });
  });

  async function choose(...args: string[]): Promise<ServingCertificate> {
    const request = parseServeOptions([`--cert-dir=${directory}`, ...args]);
    assert.ok(request.kind === 'serve');
    const deps = { kube, clock: new FakeClock(Date.now()), random: () => 0, log: new RecordingLogger() };
    return await chooseCertificate(request.options.serving, deps);
  }

  it('is the pair in --cert-dir', async () => {
    const pair = await servingCertificate(await testAuthority('ca'), 'kubetally');
    await writeFile(join(directory, 'apiserver.crt'), pair.cert);
    await writeFile(join(directory, 'apiserver.key'), pair.key);
    assert.deepEqual((await choose()).current, pair);
  });

  it('is none when --cert-dir holds half a pair', async () => {
    await writeFile(join(directory, 'apiserver.crt'), 'x');
    await assert.rejects(choose(), /serving certificate .*apiserver\.key: ENOENT/);
  });

  it('is made in memory when --cert-dir is empty or not there, which is then left so', async () => {
    const { current, caBundle } = await choose('--service-name=tally', '--service-namespace=ops');
    assert.ok(new X509Certificate(current.cert).checkHost('tally.ops.svc'));
    assert.ok(new X509Certificate(current.cert).verify(new X509Certificate(caBundle ?? '').publicKey));
    assert.deepEqual(await readdir(directory), []);
    assert.ok((await choose(`--cert-dir=${directory}/absent`)).caBundle);
  });

  it('is none when --cert-dir is a file', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    await assert.rejects(choose(`--cert-dir=${file}`), /serving certificate .*file\/apiserver\.crt.*: ENOTDIR/);
  });

  it('can fail the readiness when it is to be shared, and only then', async () => {
    assert.equal((await choose()).check, undefined);
    assert.match((await choose('--serving-cert-secret=ca')).check?.()?.message ?? '', /Secret kube-system\/ca /);
  });
});
