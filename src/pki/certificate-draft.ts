import { createHash, randomBytes, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { isIPv4 } from 'node:net';
import { extensionId } from './certificate-extensions.ts';
import {
  bitString,
  contentOf,
  element,
  objectIdentifier,
  readElements,
  sequence,
  tags,
  time,
  unsigned,
} from './der.ts';

/** A certificate that is not signed yet. */
export interface CertificateDraft {
  /** As `distinguishedName` makes it. */
  readonly subject: Buffer;
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** In their order in the certificate. */
  readonly extensions: readonly Buffer[];
}

/** Purposes of `extendedKeyUsage`. */
export const keyPurpose = { serverAuth: '1.3.6.1.5.5.7.3.1', clientAuth: '1.3.6.1.5.5.7.3.2' } as const;
/** Bits of `keyUsage` (RFC 5280, section 4.2.1.3), counted from the left. */
export const keyUsageBit = { digitalSignature: 0, keyCertSign: 5, crlSign: 6 } as const;

const attributeId = { commonName: '2.5.4.3', organization: '2.5.4.10' } as const;
/** ecdsa-with-SHA256, which has no parameters (RFC 5758). */
const signatureAlgorithm = sequence(objectIdentifier('1.2.840.10045.4.3.2'));
const serialBytes = 16;
/** Context-specific tags: of parts of the certificate, and of the kinds of a GeneralName. */
const context = { version: 0xa0, extensions: 0xa3, keyIdentifier: 0x80, dnsName: 0x82, ipAddress: 0x87 } as const;

/**
 * Signs a draft with an ECDSA key on P-256: an X.509 version 3 certificate as RFC 5280 wants it, with a random serial number. PEM.
 * @param issuer the signer's distinguished name
 */
export function signCertificate(draft: CertificateDraft, issuer: Buffer, key: KeyObject): string {
  const body = sequence(
    element(context.version, unsigned(Buffer.of(2))),
    unsigned(randomBytes(serialBytes)),
    signatureAlgorithm,
    issuer,
    sequence(time(draft.notBefore), time(draft.notAfter)),
    draft.subject,
    draft.publicKey.export({ format: 'der', type: 'spki' }),
    element(context.extensions, sequence(...draft.extensions)),
  );
  return new X509Certificate(sequence(body, signatureAlgorithm, bitString(sign('sha256', body, key)))).toString();
}

/** A name with the organizations before the common name, each value as it is; an empty common name is left out. */
export function distinguishedName(commonName: string, organizations: readonly string[] = []): Buffer {
  const attribute = (id: string, value: string): Buffer =>
    element(tags.set, sequence(objectIdentifier(id), element(tags.utf8String, Buffer.from(value))));
  return sequence(
    ...organizations.map((value) => attribute(attributeId.organization, value)),
    ...(commonName === '' ? [] : [attribute(attributeId.commonName, commonName)]),
  );
}

/** The distinguished name that a certificate is about, byte by byte. */
export function subjectName(certificate: X509Certificate): Buffer {
  const [outer] = readElements(certificate.raw);
  const [body] = readElements(contentOf(outer));
  // version, serialNumber, signature, issuer, validity, subject
  return sequence(contentOf(readElements(contentOf(body))[5]));
}

/** Method 1 of RFC 5280, section 4.2.1.2: SHA-1 of the key's bits. */
export function keyIdentifier(publicKey: KeyObject): Buffer {
  const [spki] = readElements(publicKey.export({ format: 'der', type: 'spki' }));
  const [, bits] = readElements(contentOf(spki));
  return createHash('sha1').update(contentOf(bits).subarray(1)).digest();
}

export function basicConstraints(ca: boolean): Buffer {
  return extension(
    extensionId.basicConstraints,
    sequence(...(ca ? [element(tags.boolean, Buffer.of(0xff))] : [])),
    true,
  );
}

export function keyUsage(...bits: readonly number[]): Buffer {
  const flags = bits.reduce((flags, bit) => flags | (0x80 >> bit), 0);
  return extension(extensionId.keyUsage, bitString(Buffer.of(flags), 7 - Math.max(...bits)), true);
}

export function extendedKeyUsage(...purposes: readonly string[]): Buffer {
  return extension(extensionId.extendedKeyUsage, sequence(...purposes.map(objectIdentifier)));
}

export function subjectKeyIdentifier(identifier: Buffer): Buffer {
  return extension(extensionId.subjectKeyIdentifier, element(tags.octetString, identifier));
}

export function authorityKeyIdentifier(identifier: Buffer): Buffer {
  return extension(extensionId.authorityKeyIdentifier, sequence(element(context.keyIdentifier, identifier)));
}

/** Names that are IP addresses become IP entries, all others DNS entries. */
export function subjectAltName(names: readonly string[]): Buffer {
  return extension(extensionId.subjectAltName, sequence(...names.map(generalName)));
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(
    objectIdentifier(id),
    ...(critical ? [element(tags.boolean, Buffer.of(0xff))] : []),
    element(tags.octetString, value),
  );
}

function generalName(name: string): Buffer {
  if (isIPv4(name)) return element(context.ipAddress, Buffer.from(name.split('.').map(Number)));
  const ipv6 = ipv6Bytes(name);
  if (ipv6 !== undefined) return element(context.ipAddress, ipv6);
  return element(context.dnsName, Buffer.from(name, 'latin1'));
}

/**
 * The address without its zone, which is no part of it; undefined for what is no IPv6 address. `isIPv6` would say so too, but compiles a regular expression
 * for 6 ms on a slow machine, in the way of the first answer.
 */
function ipv6Bytes(name: string): Buffer | undefined {
  const [unzoned = ''] = name.split('%');
  if (!/^[\da-f:.]+$/i.test(unzoned) || !URL.canParse(`http://[${unzoned}]`)) return undefined;
  // The URL standard writes the last 32 bits in hexadecimal as well.
  const [head = '', tail] = new URL(`http://[${unzoned}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string): string[] => text.split(':').filter((group) => group !== '');
  const [left, right] = [groups(head), groups(tail ?? '')];
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  return Buffer.from([...left, ...zeros, ...right].map((group) => group.padStart(4, '0')).join(''), 'hex');
}
