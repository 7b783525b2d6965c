import type { X509Certificate } from 'node:crypto';

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

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

const oid = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  certificatePolicies: '2.5.29.32',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
} as const;
const evaluated: ReadonlySet<string> = new Set(Object.values(oid));

const extensionsTag = 0xa3;
const booleanTag = 0x01;
const integerTag = 0x02;
/** Bit 5 of KeyUsage, counted from the first content bit. */
const keyCertSign = 0x04;

/** Walks the DER of a certificate that OpenSSL has already parsed. Throws on a structure that RFC 5280 does not allow. */
export function readExtensions(certificate: X509Certificate): CertificateExtensions {
  const [outer] = elements(certificate.raw);
  const [body] = elements(need(outer));
  const holder = elements(need(body)).find((element) => element.tag === extensionsTag);
  let ca = false;
  let certSign = true;
  let maxPathLength: number | undefined;
  let constrainsNames = false;
  let hasAlternativeNames = false;
  let unknownCritical: string | undefined;
  const [list] = holder === undefined ? [] : elements(holder.content);
  for (const extension of list === undefined ? [] : elements(list.content)) {
    const parts = elements(extension.content);
    const id = objectIdentifier(need(parts[0]));
    const critical = parts[1]?.tag === booleanTag && parts[1].content[0] !== 0;
    const value = need(parts.at(-1));
    if (critical && !evaluated.has(id)) unknownCritical ??= id;
    if (id === oid.nameConstraints) constrainsNames = true;
    if (id === oid.subjectAltName) hasAlternativeNames = true;
    if (id === oid.keyUsage) {
      // BIT STRING: one byte of unused bits, then the flags.
      certSign = ((need(elements(value)[0])[1] ?? 0) & keyCertSign) !== 0;
    }
    if (id === oid.basicConstraints) {
      const fields = elements(need(elements(value)[0]));
      ca = fields.some((field) => field.tag === booleanTag && field.content[0] !== 0);
      const limit = fields.find((field) => field.tag === integerTag);
      if (limit !== undefined) maxPathLength = limit.content.readUIntBE(0, Math.min(6, limit.content.length));
    }
  }
  return { signsCertificates: ca && certSign, maxPathLength, constrainsNames, hasAlternativeNames, unknownCritical };
}

function need(element: Element | undefined): Buffer {
  if (element === undefined) throw new Error('certificate: an ASN.1 element is missing');
  return element.content;
}

/** The DER elements that follow one another in `der`. */
function elements(der: Buffer): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < der.length;) {
    const tag = der[at] ?? 0;
    let length = der[at + 1] ?? 0;
    at += 2;
    if (length > 0x80) {
      const bytes = length - 0x80;
      if (bytes > 4 || at + bytes > der.length) throw new Error('certificate: an ASN.1 length is out of range');
      length = der.readUIntBE(at, bytes);
      at += bytes;
    }
    if (at + length > der.length) throw new Error('certificate: an ASN.1 element is cut short');
    found.push({ tag, content: der.subarray(at, at + length) });
    at += length;
  }
  return found;
}

function objectIdentifier(content: Buffer): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      arcs.push(arc);
      arc = 0;
    }
  }
  const first = Math.min(2, Math.floor((arcs[0] ?? 0) / 40));
  return [first, (arcs[0] ?? 0) - first * 40, ...arcs.slice(1)].join('.');
}
