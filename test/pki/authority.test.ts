import 'reflect-metadata';
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import * as x509 from '@peculiar/x509';
import fc from 'fast-check';
import { CertificateAuthority } from '../../src/pki/authority.ts';
import { subjectOf } from '../../src/server/certificate-subject.ts';
import { labCertificate } from '../support/certificate-lab.ts';
import { clientCertificate, servingCertificate, testAuthority } from '../support/pki.ts';

/** As of Services and hosts. */
const dnsName = fc
  .stringMatching(/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?(\.[a-z0-9]{1,20}){0,4}$/)
  .filter((name) => isIP(name) === 0);
const date = (from: string, to: string) => fc.date({ min: new Date(from), max: new Date(to), noInvalidDate: true });

describe('CertificateAuthority', () => {
  it('keeps every character of names and groups', async () => {
    const groups = ['devs, "ops"', 'a\nCN=system:masters', '#7', ' spaced ', 'grün+blau', 'O=x', ''];
    const { cert } = await clientCertificate(await testAuthority('CA, with comma'), 'jane=x, O=y', ...groups);
    const subject = subjectOf(new X509Certificate(cert));
    assert.equal(subject.commonName, 'jane=x, O=y');
    assert.deepEqual(subject.organizations, groups);
  });

  it('signs what its own certificate verifies', async () => {
    const authority = await testAuthority('ca');
    const leaf = new X509Certificate((await clientCertificate(authority, 'jane')).cert);
    const issuer = new X509Certificate(authority.cert);
    assert.ok(leaf.checkIssued(issuer));
    assert.ok(leaf.verify(issuer.publicKey));
    assert.equal(leaf.ca, false);
    assert.equal(issuer.ca, true);
    assert.ok(issuer.verify(issuer.publicKey));
  });

  it('tells addresses from names', async () => {
    const { cert } = await servingCertificate(await testAuthority('ca'), 'a.b.svc', '10.0.0.1', 'fd00::1');
    assert.equal(
      new X509Certificate(cert).subjectAltName,
      'DNS:a.b.svc, IP Address:10.0.0.1, IP Address:FD00:0:0:0:0:0:0:1',
    );
  });

  it('keeps names, addresses and times, whatever they are', async () => {
    const authority = await testAuthority('ca');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(dnsName, fc.ipV4(), fc.ipV6()), { minLength: 1, maxLength: 20 }),
        date('1970-01-01', '2049-12-31'),
        date('2040-01-01', '9999-12-31'),
        async (names, notBefore, notAfter) => {
          const request = { commonName: 'x', names, usages: ['serverAuth'], notBefore, notAfter } as const;
          const { cert } = await authority.issue(request);
          const certificate = new X509Certificate(cert);
          for (const name of names)
            assert.ok(isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name), name);
          assert.equal(certificate.subjectAltName?.split(', ').length, names.length);
          const read = new x509.X509Certificate(cert);
          assert.equal(read.notBefore.getTime(), Math.floor(notBefore.getTime() / 1000) * 1000);
          assert.equal(read.notAfter.getTime(), Math.floor(notAfter.getTime() / 1000) * 1000);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('makes certificates that another library reads as they are meant', async () => {
    const authority = await testAuthority('ca');
    const issuer = new x509.X509Certificate(authority.cert);
    const { cert } = await servingCertificate(authority, 'a');
    const leaf = new x509.X509Certificate(cert);
    assert.equal(leaf.issuer, 'CN=ca');
    assert.ok(await leaf.verify({ publicKey: issuer.publicKey }));
    assert.ok(BigInt(`0x${leaf.serialNumber}`) > 0n && leaf.serialNumber.length <= 40);
    const summary = ({ extensions }: x509.X509Certificate) =>
      [...extensions].map((extension) => [extension.constructor.name, extension.critical]);
    assert.deepEqual(summary(issuer), [
      ['BasicConstraintsExtension', true],
      ['KeyUsagesExtension', true],
      ['SubjectKeyIdentifierExtension', false],
    ]);
    assert.deepEqual(summary(leaf), [
      ['BasicConstraintsExtension', true],
      ['KeyUsagesExtension', true],
      ['ExtendedKeyUsageExtension', false],
      ['SubjectAlternativeNameExtension', false],
      ['AuthorityKeyIdentifierExtension', false],
    ]);
    const usages = (of: x509.X509Certificate) => of.getExtension(x509.KeyUsagesExtension)?.usages;
    assert.equal(usages(issuer), x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign);
    assert.equal(usages(leaf), x509.KeyUsageFlags.digitalSignature);
    assert.deepEqual(
      [...(leaf.getExtension(x509.ExtendedKeyUsageExtension)?.usages ?? [])],
      [x509.ExtendedKeyUsage.serverAuth],
    );
    const identifier = issuer.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
    assert.equal(identifier, (await x509.SubjectKeyIdentifierExtension.create(issuer.publicKey)).keyId);
    assert.equal(leaf.getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId, identifier);
  });

  it('never gives two certificates one serial number', async () => {
    const authority = await testAuthority('ca');
    const made = [await servingCertificate(authority, 'a'), await servingCertificate(authority, 'a')];
    const serials = made.map(({ cert }) => new X509Certificate(cert).serialNumber);
    assert.notEqual(serials[0], serials[1]);
  });

  it('signs for an authority made elsewhere under its name and its key identifier', async () => {
    const identifier = '00112233445566778899';
    const foreign = await labCertificate({
      subject: 'C=DE, O=Acme + OU=Ops, CN=Corporate',
      ca: true,
      extensions: [new x509.SubjectKeyIdentifierExtension(identifier)],
    });
    const leaf = (await servingCertificate(CertificateAuthority.load(foreign), 'a')).cert;
    assert.ok(new X509Certificate(leaf).checkIssued(new X509Certificate(foreign.cert)));
    assert.equal(new x509.X509Certificate(leaf).getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId, identifier);
  });

  it('is loaded as it was exported', async () => {
    const authority = await testAuthority('ca');
    const loaded = CertificateAuthority.load(authority.export());
    const leaf = new X509Certificate((await servingCertificate(loaded, 'a')).cert);
    assert.ok(leaf.checkIssued(new X509Certificate(authority.cert)));
    assert.deepEqual(loaded.export(), authority.export());
  });

  it('is not loaded with the key of another', async () => {
    const [one, two] = [await testAuthority('one'), await testAuthority('two')];
    assert.throws(
      () => CertificateAuthority.load({ cert: one.cert, key: two.export().key }),
      /the key does not belong to the certificate/,
    );
  });

  it('is not loaded with a key of another kind', async () => {
    for (const namedCurve of ['P-384', 'P-521']) {
      const algorithm = { name: 'ECDSA', namedCurve, hash: 'SHA-384' };
      const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
      const cert = await x509.X509CertificateGenerator.createSelfSigned({
        name: 'CN=x',
        keys,
        signingAlgorithm: algorithm,
      });
      const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
      const key = `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n`;
      assert.throws(() => CertificateAuthority.load({ cert: cert.toString('pem'), key }), /is not of ECDSA P-256/);
    }
  });
});
