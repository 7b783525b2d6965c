import { X509Certificate } from 'node:crypto';
import type { Clock } from '../model/clock.ts';
import { epochMs, milliseconds, type EpochMs, type Milliseconds } from '../model/units.ts';
import { CertificateAuthority, type CertifiedKey } from '../pki/authority.ts';

/** A serving certificate made here. */
export interface Leaf {
  readonly pair: CertifiedKey;
  /** From then on a new one is wanted: a third of its life is left. */
  readonly renewAt: EpochMs;
}

const hour = 3_600_000;
const day = 24 * hour;
const leafLifetime = 30 * day;
/** For clients whose clock is behind ours. */
const backdate = hour;

/**
 * Signs a serving certificate for 30 days, or for as long as its authority lasts.
 * @param names DNS names and IP addresses; the first becomes the common name.
 */
export async function signLeaf(
  authority: CertificateAuthority,
  names: readonly string[],
  clock: Pick<Clock, 'now'>,
): Promise<Leaf> {
  const now = clock.now();
  const end = Math.min(now + leafLifetime, validUntil(authority.cert));
  const pair = await authority.issue({
    commonName: names[0] ?? 'kubetally',
    names,
    usages: ['serverAuth'],
    notBefore: new Date(now - backdate),
    notAfter: new Date(end),
  });
  return { pair, renewAt: epochMs(now + ((end - now) * 2) / 3) };
}

export async function newAuthority(clock: Pick<Clock, 'now'>, lifetime: Milliseconds): Promise<CertificateAuthority> {
  const now = clock.now();
  return await CertificateAuthority.create(
    `kubetally-ca@${Math.floor(now / 1000)}`,
    new Date(now - backdate),
    new Date(now + lifetime),
  );
}

/** When a certificate (PEM) ends. Throws for a text that is none. */
export function validUntil(cert: string): EpochMs {
  return epochMs(Date.parse(new X509Certificate(cert).validTo));
}

/** For an authority that lives as long as its process, which is never renewed. */
export const processAuthorityLifetime = milliseconds(10 * 365 * day);
/** For an authority that replicas share and that is renewed in time. */
export const sharedAuthorityLifetime = milliseconds(365 * day);
