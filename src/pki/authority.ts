import 'reflect-metadata';
import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

/** A certificate with its private key, both PEM. */
export interface CertifiedKey {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateRequest {
  readonly commonName: string;
  /** Become `O` of the subject; Kubernetes reads them as groups. */
  readonly organizations?: readonly string[];
  /** DNS names and IP addresses for the subject alternative name. */
  readonly names?: readonly string[];
  readonly usages: readonly ('serverAuth' | 'clientAuth')[];
  readonly notBefore: Date;
  readonly notAfter: Date;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const provider = webcrypto;

/** A certificate authority that lives in memory: ECDSA P-256, one level. */
export class CertificateAuthority {
  /** PEM of the authority's own certificate. */
  readonly cert: string;
  readonly #key: webcrypto.CryptoKey;
  readonly #issuer: x509.Name;

  private constructor(cert: string, key: webcrypto.CryptoKey, issuer: x509.Name) {
    this.cert = cert;
    this.#key = key;
    this.#issuer = issuer;
  }

  /** Makes a new authority with its own key. */
  static async create(commonName: string, notBefore: Date, notAfter: Date): Promise<CertificateAuthority> {
    const keys = await provider.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const name = subject(commonName);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned(
      {
        name,
        notBefore,
        notAfter,
        keys,
        signingAlgorithm: algorithm,
        extensions: [
          new x509.BasicConstraintsExtension(true, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
          await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, provider),
        ],
      },
      provider,
    );
    return new CertificateAuthority(pem(certificate), keys.privateKey, certificate.subjectName);
  }

  /** An authority made before, from what `export` gave. Rejects when the key does not belong to the certificate. */
  static async load({ cert, key }: CertifiedKey): Promise<CertificateAuthority> {
    const privateKey = createPrivateKey(key);
    if (!new X509Certificate(cert).checkPrivateKey(privateKey)) {
      throw new Error('the key does not belong to the certificate');
    }
    const der = privateKey.export({ format: 'der', type: 'pkcs8' });
    const signingKey = await provider.subtle.importKey('pkcs8', der, algorithm, true, ['sign']);
    return new CertificateAuthority(cert, signingKey, new x509.X509Certificate(cert).subjectName);
  }

  /** Certificate and key, to be kept somewhere safe. */
  async export(): Promise<CertifiedKey> {
    return { cert: this.cert, key: await privateKeyPem(this.#key) };
  }

  /** Signs a certificate for a new key. Names that are IP addresses become IP entries, all others DNS entries. */
  async issue(request: CertificateRequest): Promise<CertifiedKey> {
    const keys = await provider.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const names = (request.names ?? []).map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }) as const);
    const usages = request.usages.map((usage) => x509.ExtendedKeyUsage[usage]);
    const certificate = await x509.X509CertificateGenerator.create(
      {
        subject: subject(request.commonName, request.organizations),
        issuer: this.#issuer,
        notBefore: request.notBefore,
        notAfter: request.notAfter,
        publicKey: keys.publicKey,
        signingKey: this.#key,
        signingAlgorithm: algorithm,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension(usages),
          ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
          await x509.AuthorityKeyIdentifierExtension.create(new x509.X509Certificate(this.cert), false, provider),
        ],
      },
      provider,
    );
    return { cert: pem(certificate), key: await privateKeyPem(keys.privateKey) };
  }
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await provider.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString();
}

/** A subject with the organizations before the common name. Values are given as such, not as a text in which they would have to be escaped. */
function subject(commonName: string, organizations: readonly string[] = []): x509.JsonName {
  const names: Record<string, { readonly utf8String: string }[]>[] = organizations.map((utf8String) => ({
    O: [{ utf8String }],
  }));
  if (commonName !== '') names.push({ CN: [{ utf8String: commonName }] });
  // The library takes values by their ASN.1 type, though its types know only texts, in which it looks for quotes and hexadecimal.
  return names as unknown as x509.JsonName;
}

function pem(certificate: x509.X509Certificate): string {
  return new X509Certificate(Buffer.from(certificate.rawData)).toString();
}
