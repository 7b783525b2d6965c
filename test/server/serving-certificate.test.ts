import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { before, describe, it } from 'node:test';
import type { CertificateAuthority, CertifiedKey } from '../../src/pki/authority.ts';
import { ServerError } from '../../src/server/server-error.ts';
import { certificateFromFiles, selfMadeCertificate, servingNames } from '../../src/server/serving-certificate.ts';
import { eventually } from '../support/eventually.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { servingCertificate, testAuthority } from '../support/pki.ts';
import { RecordingLogger } from '../support/recording-logger.ts';

describe('A serving certificate from files', () => {
  let authority: CertificateAuthority;
  let first: CertifiedKey;
  let second: CertifiedKey;

  before(async () => {
    authority = await testAuthority('ca');
    first = await servingCertificate(authority, 'first');
    second = await servingCertificate(authority, 'second');
  });

  function make() {
    const files: Record<string, string> = { '/tls.crt': first.cert, '/tls.key': first.key };
    const clock = new FakeClock();
    const log = new RecordingLogger();
    const read = async (path: string): Promise<string> =>
      files[path] ?? (await Promise.reject(new Error(`ENOENT: no such file, open '${path}'`)));
    return {
      files,
      clock,
      log,
      load: async () => await certificateFromFiles('/tls.crt', '/tls.key', { clock, log, read }),
    };
  }

  it('is refused with the name of what cannot be read', async () => {
    for (const [path, what] of [
      ['/tls.crt', 'the certificate'],
      ['/tls.key', 'the key'],
    ] as const) {
      const { files, load } = make();
      files[path] = 'nothing';
      await assert.rejects(load(), {
        code: 'certificate',
        message: new RegExp(`^serving certificate /tls.crt and /tls.key: ${what} cannot be read: `),
      });
    }
  });

  it('is replaced when both files have changed, and meanwhile kept', async () => {
    const { files, clock, log, load } = make();
    const certificate = await load();
    assert.deepEqual(certificate.current, first);
    const seen: CertifiedKey[] = [];
    certificate.follow((next) => void seen.push(next));
    await clock.advance(60_000);
    assert.deepEqual(seen, []);
    files['/tls.crt'] = second.cert;
    await clock.advance(30_000);
    assert.deepEqual(certificate.current, first);
    assert.deepEqual(
      log.lines.map((line) => line.split(' ')[0]),
      ['warning'],
    );
    files['/tls.key'] = second.key;
    await clock.advance(10_000);
    assert.deepEqual(seen, [second]);
    assert.deepEqual(certificate.current, second);
    delete files['/tls.key'];
    await clock.advance(10_000);
    assert.deepEqual(certificate.current, second);
    certificate.stop();
    assert.equal(clock.waiting, 0);
  });

  for (const [what, change, message] of [
    ['a missing file', (files: Record<string, string>) => delete files['/tls.key'], /no such file/],
    [
      'a key of another certificate',
      (files: Record<string, string>) => (files['/tls.key'] = second.key),
      /does not belong/,
    ],
    [
      'a certificate that is none',
      (files: Record<string, string>) => (files['/tls.crt'] = 'x'),
      /tls\.crt and \/tls\.key/,
    ],
  ] as const) {
    it(`cannot begin with ${what}`, async () => {
      const { files, load } = make();
      change(files);
      await assert.rejects(load(), (error) => {
        assert.ok(error instanceof ServerError);
        assert.match(error.message, message);
        return true;
      });
    });
  }
});

describe('A self-made serving certificate', () => {
  it('names the Service, this machine and what else is given, and verifies by its bundle', async () => {
    const clock = new FakeClock(Date.now());
    const names = servingNames('metrics-server', 'kube-system', '10.0.0.7');
    const certificate = await selfMadeCertificate(names, { clock, log: new RecordingLogger() });
    const leaf = new X509Certificate(certificate.current.cert);
    assert.equal(leaf.checkHost('metrics-server.kube-system.svc'), 'metrics-server.kube-system.svc');
    assert.equal(leaf.checkHost('localhost'), 'localhost');
    for (const address of ['127.0.0.1', '::1', '10.0.0.7']) assert.equal(leaf.checkIP(address), address);
    assert.ok(leaf.verify(new X509Certificate(certificate.caBundle ?? '').publicKey));
    assert.ok(Date.parse(leaf.validFrom) < clock.now());
    certificate.stop();
  });

  it('is renewed by the same authority long before it ends', async () => {
    const clock = new FakeClock(Date.now());
    const log = new RecordingLogger();
    const certificate = await selfMadeCertificate(['localhost'], { clock, log });
    const ends = Date.parse(new X509Certificate(certificate.current.cert).validTo);
    const seen: CertifiedKey[] = [];
    certificate.follow((next) => void seen.push(next));
    clock.jumpWall(19 * 86_400_000);
    await clock.advance(3_600_000);
    assert.equal(seen.length, 0);
    clock.jumpWall(86_400_000);
    await clock.advance(3_600_000);
    await eventually(() => seen.length === 1);
    assert.ok(clock.now() < ends - 7 * 86_400_000);
    const renewed = new X509Certificate(seen[0]?.cert ?? '');
    assert.ok(Date.parse(renewed.validTo) > ends);
    assert.ok(renewed.verify(new X509Certificate(certificate.caBundle ?? '').publicKey));
    certificate.stop();
    assert.equal(clock.waiting, 0);
  });
});
