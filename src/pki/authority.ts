import { createPrivateKey, generateKeyPair, X509Certificate, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import {
  authorityKeyIdentifier,
  basicConstraints,
  distinguishedName,
  extendedKeyUsage,
  keyIdentifier,
  keyPurpose,
  keyUsage,
  keyUsageBit,
  signCertificate,
  subjectAltName,
  subjectKeyIdentifier,
  subjectName,
} from './certificate-draft.ts';
import { keyIdentifierOf } from './certificate-extensions.ts';

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

/** OpenSSL's name of P-256. */
const namedCurve = 'prime256v1';
const newKeys = async () => await promisify(generateKeyPair)('ec', { namedCurve });

/** A certificate authority that lives in memory: ECDSA P-256, one level. */
export class CertificateAuthority {
  /** PEM of the authority's own certificate. */
  readonly cert: string;
  readonly #key: KeyObject;
  readonly #name: Buffer;
  readonly #keyIdentifier: Buffer;

  private constructor(cert: string, key: KeyObject) {
    const certificate = new X509Certificate(cert);
    this.cert = cert;
    this.#key = key;
    this.#name = subjectName(certificate);
    this.#keyIdentifier = keyIdentifierOf(certificate) ?? keyIdentifier(certificate.publicKey);
  }

  /** Makes a new authority with its own key. */
  static async create(commonName: string, notBefore: Date, notAfter: Date): Promise<CertificateAuthority> {
    const { publicKey, privateKey } = await newKeys();
    const subject = distinguishedName(commonName);
    const extensions = [
      basicConstraints(true),
      keyUsage(keyUsageBit.keyCertSign, keyUsageBit.crlSign),
      subjectKeyIdentifier(keyIdentifier(publicKey)),
    ];
    const draft = { subject, publicKey, notBefore, notAfter, extensions };
    return new CertificateAuthority(signCertificate(draft, subject, privateKey), privateKey);
  }

  /** An authority made before, from what `export` gave. Throws when the key does not belong to the certificate or is not of ECDSA P-256. */
  static load({ cert, key }: CertifiedKey): CertificateAuthority {
    const privateKey = createPrivateKey(key);
    if (!new X509Certificate(cert).checkPrivateKey(privateKey))
      throw new Error('the key does not belong to the certificate');
    if (privateKey.asymmetricKeyDetails?.namedCurve !== namedCurve) throw new Error('the key is not of ECDSA P-256');
    return new CertificateAuthority(cert, privateKey);
  }

  /** Certificate and key, to be kept somewhere safe. */
  export(): CertifiedKey {
    return { cert: this.cert, key: pem(this.#key) };
  }

  /** Signs a certificate for a new key. Names that are IP addresses become IP entries, all others DNS entries. */
  async issue(request: CertificateRequest): Promise<CertifiedKey> {
    const { commonName, organizations, names = [], usages, notBefore, notAfter } = request;
    const { publicKey, privateKey } = await newKeys();
    const extensions = [
      basicConstraints(false),
      keyUsage(keyUsageBit.digitalSignature),
      extendedKeyUsage(...usages.map((usage) => keyPurpose[usage])),
      ...(names.length === 0 ? [] : [subjectAltName(names)]),
      authorityKeyIdentifier(this.#keyIdentifier),
    ];
    const draft = { subject: distinguishedName(commonName, organizations), publicKey, notBefore, notAfter, extensions };
    return { cert: signCertificate(draft, this.#name, this.#key), key: pem(privateKey) };
  }
}

function pem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}
