import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { CertifiedKey } from '../../src/pki/authority.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const day = 86_400_000;

/** A certificate of a test together with what is needed to sign others with it. */
export interface LabCertificate extends CertifiedKey {
  readonly subject: string;
  readonly signingKey: webcrypto.CryptoKey;
}

export interface LabRequest {
  /** RFC 4514. */
  readonly subject: string;
  /** Undefined: signs itself. */
  readonly issuer?: LabCertificate;
  /** Undefined: no basic constraints at all. */
  readonly ca?: boolean;
  readonly pathLength?: number;
  /** Extended key usages by object identifier; undefined: none. */
  readonly usages?: readonly string[];
  /** Relative to now, in days. */
  readonly validDays?: readonly [number, number];
  readonly extensions?: readonly x509.Extension[];
}

export const clientAuth = '1.3.6.1.5.5.7.3.2';
export const serverAuth = '1.3.6.1.5.5.7.3.1';

/** Certificates as wrong as a test wants them. */
export async function labCertificate(request: LabRequest): Promise<LabCertificate> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const [from, to] = request.validDays ?? [-1, 365];
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: request.subject,
      issuer: request.issuer?.subject ?? request.subject,
      notBefore: new Date(Date.now() + from * day),
      notAfter: new Date(Date.now() + to * day),
      publicKey: keys.publicKey,
      signingKey: request.issuer?.signingKey ?? keys.privateKey,
      signingAlgorithm: algorithm,
      extensions: [
        ...(request.ca === undefined ? [] : [new x509.BasicConstraintsExtension(request.ca, request.pathLength, true)]),
        ...(request.ca === true
          ? [new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true)]
          : []),
        ...(request.usages === undefined ? [] : [new x509.ExtendedKeyUsageExtension([...request.usages])]),
        ...(request.extensions ?? []),
      ],
    },
    webcrypto,
  );
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const key = `-----BEGIN PRIVATE KEY-----\n${(der.match(/.{1,64}/g) ?? []).join('\n')}\n-----END PRIVATE KEY-----\n`;
  return { cert: certificate.toString('pem'), key, subject: request.subject, signingKey: keys.privateKey };
}

/** An extension that must be understood, with no content. */
export function criticalExtension(id: string): x509.Extension {
  return new x509.Extension(id, true, new Uint8Array([5, 0]));
}
