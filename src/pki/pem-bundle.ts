import { X509Certificate } from 'node:crypto';

/** The certificates of one CA bundle, with the PEM text they came from. */
export interface CertificateBundle {
  readonly pem: string;
  readonly certificates: readonly X509Certificate[];
}

const block = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g;

/**
 * Reads a PEM bundle; text between the blocks is ignored, as Go's `pem.Decode` does.
 * Throws when there is no certificate in it or one cannot be parsed, naming its place in the bundle.
 */
export function parseBundle(pem: string): CertificateBundle {
  const blocks = pem.match(block) ?? [];
  if (blocks.length === 0) throw new Error('holds no PEM certificate');
  const certificates = blocks.map((text, index) => {
    try {
      return new X509Certificate(text);
    } catch (cause) {
      throw new Error(`certificate ${index + 1} of ${blocks.length} cannot be parsed`, { cause });
    }
  });
  return { pem: `${blocks.join('\n')}\n`, certificates };
}
