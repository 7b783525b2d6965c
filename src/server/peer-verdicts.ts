import type { Clock } from '../model/clock.ts';
import { asError } from '../model/errors.ts';
import { epochMs, type EpochMs } from '../model/units.ts';
import { verifyClientChain, type PeerChain } from '../pki/client-chain.ts';
import type { CertificateBundle } from '../pki/pem-bundle.ts';
import { AuthenticationError } from './authentication-error.ts';
import { subjectOf, type CertificateSubject } from './certificate-subject.ts';

interface Verdict {
  readonly authorities: CertificateBundle;
  /** The verdict holds inside this stretch of time only. */
  readonly from: EpochMs;
  readonly until: EpochMs;
  readonly outcome: CertificateSubject | AuthenticationError;
}

/** A refusal may become outdated when a certificate becomes valid. */
const refusalLifetime = 10_000;

/** Verifies client certificates against one CA bundle, once per connection, bundle and validity. */
export class PeerVerdicts {
  readonly #clock: Clock;
  readonly #verdicts = new WeakMap<PeerChain, Verdict>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whose certificate it is. Throws `AuthenticationError` `certificate` when the chain does not verify. */
  verify(peer: PeerChain, authorities: CertificateBundle): CertificateSubject {
    const now = this.#clock.now();
    let verdict = this.#verdicts.get(peer);
    if (verdict === undefined || verdict.authorities !== authorities || now < verdict.from || now > verdict.until) {
      verdict = judge(peer, authorities, now);
      this.#verdicts.set(peer, verdict);
    }
    if (verdict.outcome instanceof AuthenticationError) throw verdict.outcome;
    return verdict.outcome;
  }
}

function judge(peer: PeerChain, authorities: CertificateBundle, now: EpochMs): Verdict {
  try {
    const { notBefore, notAfter } = verifyClientChain(peer, authorities.certificates, now);
    return { authorities, from: notBefore, until: notAfter, outcome: subjectOf(peer.leaf) };
  } catch (error) {
    const outcome = new AuthenticationError('certificate', asError(error).message, { cause: error });
    return { authorities, from: now, until: epochMs(now + refusalLifetime), outcome };
  }
}
