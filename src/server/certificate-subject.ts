import type { X509Certificate } from 'node:crypto';

/** The names of a certificate's subject that Kubernetes reads. */
export interface CertificateSubject {
  /** `CN`; the last one when there are several, as in Go. */
  readonly commonName: string;
  /** Every `O`. */
  readonly organizations: readonly string[];
  /** The attribute of Kubernetes' own object identifier for a user's UID; empty when absent. */
  readonly uid: string;
}

/** `k8s.io/apiserver/pkg/authentication/request/x509`. */
const userUid = '1.3.6.1.4.1.57683.2';

export function subjectOf(certificate: X509Certificate): CertificateSubject {
  // The structured form: a name that contains a line break cannot pass for two.
  const subject = certificate.toLegacyObject().subject as unknown as Readonly<Record<string, unknown>>;
  return {
    commonName: values(subject['CN']).at(-1) ?? '',
    organizations: values(subject['O']),
    uid: values(subject[userUid]).at(-1) ?? '',
  };
}

function values(attribute: unknown): readonly string[] {
  if (Array.isArray(attribute)) return attribute.filter((value) => typeof value === 'string');
  return typeof attribute === 'string' ? [attribute] : [];
}
