import { CertificateAuthority, type CertifiedKey } from '../../src/pki/authority.ts';

/** Valid at any time that a test's clock may tell, whatever day it runs on. */
const notBefore = new Date('2020-01-01T00:00:00Z');
const notAfter = new Date('2120-01-01T00:00:00Z');

/** An authority for tests. */
export async function testAuthority(commonName: string): Promise<CertificateAuthority> {
  return await CertificateAuthority.create(commonName, notBefore, notAfter);
}

/** A serving certificate for names and addresses. */
export async function servingCertificate(authority: CertificateAuthority, ...names: string[]): Promise<CertifiedKey> {
  return await authority.issue({
    commonName: names[0] ?? 'server',
    names,
    usages: ['serverAuth'],
    notBefore,
    notAfter,
  });
}

/** A client certificate for a user and its groups. */
export async function clientCertificate(
  authority: CertificateAuthority,
  user: string,
  ...groups: string[]
): Promise<CertifiedKey> {
  return await authority.issue({
    commonName: user,
    organizations: groups,
    usages: ['clientAuth'],
    notBefore,
    notAfter,
  });
}
