import { CertificateAuthority, type CertifiedKey } from '../../src/pki/authority.ts';

const day = 86_400_000;

/** An authority for tests, valid from yesterday for a year. */
export async function testAuthority(commonName: string): Promise<CertificateAuthority> {
  return await CertificateAuthority.create(commonName, new Date(Date.now() - day), new Date(Date.now() + 365 * day));
}

/** A serving certificate for names and addresses. */
export async function servingCertificate(authority: CertificateAuthority, ...names: string[]): Promise<CertifiedKey> {
  return await authority.issue({
    commonName: names[0] ?? 'server',
    names,
    usages: ['serverAuth'],
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + day),
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
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + day),
  });
}
