import type { X509Certificate } from 'node:crypto';
import { contentOf, readElements, readObjectIdentifier, tags } from './der.ts';

/** What chain building needs of a certificate's extensions and node:crypto does not tell (RFC 5280, section 4.2). */
export interface CertificateExtensions {
  /** `basicConstraints` says CA and `keyUsage`, where present, allows signing certificates. */
  readonly signsCertificates: boolean;
  /** How many intermediates may follow below this one; undefined when unlimited. */
  readonly maxPathLength: number | undefined;
  readonly constrainsNames: boolean;
  readonly hasAlternativeNames: boolean;
  /** Object identifier of an extension marked critical that we do not evaluate; undefined when there is none. */
  readonly unknownCritical: string | undefined;
}

/** The extensions of RFC 5280 that are read or written here. */
export const extensionId = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  certificatePolicies: '2.5.29.32',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;
const evaluated: ReadonlySet<string> = new Set(Object.values(extensionId));

const extensionsTag = 0xa3;
/** Bit 5 of KeyUsage, counted from the first content bit. */
const keyCertSign = 0x04;

/** One extension, its value still encoded. */
interface Extension {
  readonly id: string;
  readonly critical: boolean;
  readonly value: Buffer;
}

/** Walks the DER of a certificate that OpenSSL has already parsed. Throws on a structure that RFC 5280 does not allow. */
export function readExtensions(certificate: X509Certificate): CertificateExtensions {
  let ca = false;
  let certSign = true;
  let maxPathLength: number | undefined;
  let constrainsNames = false;
  let hasAlternativeNames = false;
  let unknownCritical: string | undefined;
  for (const { id, critical, value } of extensionsOf(certificate)) {
    if (critical && !evaluated.has(id)) unknownCritical ??= id;
    if (id === extensionId.nameConstraints) constrainsNames = true;
    if (id === extensionId.subjectAltName) hasAlternativeNames = true;
    if (id === extensionId.keyUsage) {
      // BIT STRING: one byte of unused bits, then the flags.
      certSign = ((contentOf(readElements(value)[0])[1] ?? 0) & keyCertSign) !== 0;
    }
    if (id === extensionId.basicConstraints) {
      const fields = readElements(contentOf(readElements(value)[0]));
      ca = fields.some((field) => field.tag === tags.boolean && field.content[0] !== 0);
      const limit = fields.find((field) => field.tag === tags.integer);
      if (limit !== undefined) maxPathLength = limit.content.readUIntBE(0, Math.min(6, limit.content.length));
    }
  }
  return { signsCertificates: ca && certSign, maxPathLength, constrainsNames, hasAlternativeNames, unknownCritical };
}

/** `subjectKeyIdentifier`, by which those that a certificate issues name its key; undefined when it has none. Throws as `readExtensions` does. */
export function keyIdentifierOf(certificate: X509Certificate): Buffer | undefined {
  const extension = extensionsOf(certificate).find(({ id }) => id === extensionId.subjectKeyIdentifier);
  return extension && contentOf(readElements(extension.value)[0]);
}

function extensionsOf(certificate: X509Certificate): Extension[] {
  const [outer] = readElements(certificate.raw);
  const [body] = readElements(contentOf(outer));
  const holder = readElements(contentOf(body)).find((field) => field.tag === extensionsTag);
  const [list] = holder === undefined ? [] : readElements(holder.content);
  return readElements(list?.content ?? Buffer.alloc(0)).map(({ content }) => {
    const parts = readElements(content);
    return {
      id: readObjectIdentifier(contentOf(parts[0])),
      critical: parts[1]?.tag === tags.boolean && parts[1].content[0] !== 0,
      value: contentOf(parts.at(-1)),
    };
  });
}
