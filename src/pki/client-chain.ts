import type { X509Certificate } from 'node:crypto';
import { epochMs, type EpochMs } from '../model/units.ts';
import { readExtensions, type CertificateExtensions } from './certificate-extensions.ts';

/** A client's leaf certificate and what it sent along with it in the handshake. */
export interface PeerChain {
  readonly leaf: X509Certificate;
  readonly intermediates: readonly X509Certificate[];
}

/** From when until when a verified chain holds: the intersection of the validity of every certificate in it. */
export interface ChainValidity {
  readonly notBefore: EpochMs;
  readonly notAfter: EpochMs;
}

const clientAuth = '1.3.6.1.5.5.7.3.2';
const anyExtendedKeyUsage = '2.5.29.37.0';
/** Certificates that may stand between leaf and root. */
const maxIntermediates = 8;
/** Bounds the work that a peer's made-up certificates can cause; Go's `x509` stops at 100. */
const maxSignatureChecks = 32;

/**
 * Verifies a client certificate the way Kubernetes does (`x509.VerifyOptions{KeyUsages: ClientAuth}` against one CA bundle): some path leads from
 * the leaf through the peer's intermediates to a certificate of `roots`; every certificate on it is valid at `now` and allows client authentication
 * (no extended key usage means any), every issuer may sign certificates and its path length is kept. Every certificate in `roots` is trusted, self-signed or not.
 * Throws an error that says why, in the words of Go's `x509` where it has some.
 */
export function verifyClientChain(peer: PeerChain, roots: readonly X509Certificate[], now: EpochMs): ChainValidity {
  const { hasAlternativeNames } = checkUsable(peer.leaf, now);
  const search: Search = { roots, now, hasAlternativeNames, budget: maxSignatureChecks, problem: undefined };
  const path = issuersOf(peer.leaf, peer.intermediates.slice(0, maxIntermediates), 0, search);
  if (path === undefined) throw search.problem ?? new Error('x509: certificate signed by unknown authority');
  return validityOf([peer.leaf, ...path]);
}

interface Search {
  readonly roots: readonly X509Certificate[];
  readonly now: EpochMs;
  /** Of the leaf. */
  readonly hasAlternativeNames: boolean;
  budget: number;
  /** Why the most promising candidate was refused. */
  problem: Error | undefined;
}

/** The issuers above `child` up to a root, or undefined. `below` counts the intermediates already on the path. */
function issuersOf(
  child: X509Certificate,
  intermediates: readonly X509Certificate[],
  below: number,
  search: Search,
): readonly X509Certificate[] | undefined {
  for (const root of search.roots) {
    if (child.raw.equals(root.raw)) return [];
    if (canIssue(root, child, below, search)) return [root];
  }
  for (const candidate of intermediates) {
    if (candidate === child || !canIssue(candidate, child, below, search)) continue;
    const rest = issuersOf(
      candidate,
      intermediates.filter((other) => other !== candidate),
      below + 1,
      search,
    );
    if (rest !== undefined) return [candidate, ...rest];
  }
  return undefined;
}

function canIssue(issuer: X509Certificate, child: X509Certificate, below: number, search: Search): boolean {
  if (issuer.subject !== child.issuer || search.budget <= 0) return false;
  search.budget--;
  try {
    if (!child.verify(issuer.publicKey)) return false;
    const extensions = checkUsable(issuer, search.now);
    if (!extensions.signsCertificates)
      throw new Error('x509: invalid signature: parent certificate cannot sign this kind');
    if (extensions.maxPathLength !== undefined && below > extensions.maxPathLength) {
      throw new Error('x509: too many intermediates for path length constraint');
    }
    // Constraints bind alternative names only; evaluating them is not worth the code, so such a path is not taken.
    if (extensions.constrainsNames && search.hasAlternativeNames) {
      throw new Error('x509: issuer has name constraints but leaf contains names');
    }
    return true;
  } catch (error) {
    search.problem ??= error instanceof Error ? error : new Error(String(error));
    return false;
  }
}

/** Validity, client authentication and critical extensions of one certificate of the path. */
function checkUsable(certificate: X509Certificate, now: EpochMs): CertificateExtensions {
  const { notBefore, notAfter } = validityOf([certificate]);
  if (!(now >= notBefore && now <= notAfter)) {
    throw new Error('x509: certificate has expired or is not yet valid');
  }
  // Node names the *extended* key usages `keyUsage`.
  const usages: readonly string[] | undefined = certificate.keyUsage;
  if (usages !== undefined && !usages.includes(clientAuth) && !usages.includes(anyExtendedKeyUsage)) {
    throw new Error('x509: certificate specifies an incompatible key usage');
  }
  const extensions = readExtensions(certificate);
  if (extensions.unknownCritical !== undefined) {
    throw new Error(`x509: unhandled critical extension ${extensions.unknownCritical}`);
  }
  return extensions;
}

function validityOf(path: readonly X509Certificate[]): ChainValidity {
  return {
    notBefore: epochMs(Math.max(...path.map((certificate) => Date.parse(certificate.validFrom)))),
    notAfter: epochMs(Math.min(...path.map((certificate) => Date.parse(certificate.validTo)))),
  };
}
