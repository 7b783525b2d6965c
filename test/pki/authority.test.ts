import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { subjectOf } from '../../src/server/certificate-subject.ts';
import { clientCertificate, servingCertificate, testAuthority } from '../support/pki.ts';

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
  });

  it('tells addresses from names', async () => {
    const { cert } = await servingCertificate(await testAuthority('ca'), 'a.b.svc', '10.0.0.1', 'fd00::1');
    assert.equal(
      new X509Certificate(cert).subjectAltName,
      'DNS:a.b.svc, IP Address:10.0.0.1, IP Address:FD00:0:0:0:0:0:0:1',
    );
  });
});
