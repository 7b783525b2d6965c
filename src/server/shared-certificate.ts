import { X509Certificate } from 'node:crypto';
import { Backoff } from '../kube/backoff.ts';
import type { Clock, Timer } from '../model/clock.ts';
import { milliseconds, seconds, type Milliseconds } from '../model/units.ts';
import type { CertificateAuthority, CertifiedKey } from '../pki/authority.ts';
import type { Logger } from '../telemetry/log.ts';
import { Transitions } from '../telemetry/transitions.ts';
import { CaBundlePublisher, type ApiServiceClient } from './ca-bundle-publisher.ts';
import { newAuthority, sharedAuthorityLifetime, signLeaf, type Leaf } from './certificate-leaf.ts';
import type { ServingCertificate } from './serving-certificate.ts';
import { SharedAuthority, trusts, type SecretClient, type SigningAuthority } from './shared-authority.ts';

export interface SharedCertificateOptions {
  /** DNS names and IP addresses for the certificate; the first becomes its common name. */
  readonly names: readonly string[];
  /** Where the authority is kept. */
  readonly secret: { readonly namespace: string; readonly name: string };
  /** APIServices to write the bundle into, when their Service is this one; undefined leaves that to somebody else. */
  readonly publish:
    | {
        readonly service: { readonly namespace: string; readonly name: string };
        readonly apiServices: readonly string[];
      }
    | undefined;
}

interface Dependencies {
  readonly client: SecretClient & ApiServiceClient;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** Also how long, at most, a replica shows a certificate that nobody trusts any more after somebody replaced the Secret. */
const period = seconds(20);
const firstRetry = seconds(1);
/** Where somebody else publishes the bundle, a successor is used no sooner than this after it was made. */
const unpublishedWait = milliseconds(7 * 86_400_000);

/**
 * A serving certificate signed by the authority that all replicas share, so that clients can verify each of them by one bundle. Until the Secret has been read,
 * it is signed by an authority nobody knows. A successor of the authority signs here only when the APIServices have been seen to trust it.
 */
export class SharedCertificate implements ServingCertificate {
  readonly #options: SharedCertificateOptions;
  readonly #deps: Dependencies;
  readonly #authority: SharedAuthority;
  readonly #publisher: CaBundlePublisher | undefined;
  readonly #failures: Transitions;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  #signer: CertificateAuthority;
  #leaf: Leaf;
  #bundle: string;
  #joined = false;
  #timer: Timer | undefined;

  private constructor(
    options: SharedCertificateOptions,
    deps: Dependencies,
    proposal: CertificateAuthority,
    leaf: Leaf,
  ) {
    this.#options = options;
    this.#deps = deps;
    this.#signer = proposal;
    this.#leaf = leaf;
    this.#bundle = proposal.cert;
    const { client, clock, random, log } = deps;
    this.#authority = new SharedAuthority({ ...options.secret, proposal }, { secrets: client, clock, log });
    this.#publisher = options.publish && new CaBundlePublisher(options.publish, { client, clock, log });
    this.#failures = new Transitions(log, clock);
    this.#backoff = new Backoff(firstRetry, period, random);
  }

  /** Makes a certificate to begin with; the API server is first asked by `follow`. */
  static async create(options: SharedCertificateOptions, deps: Dependencies): Promise<SharedCertificate> {
    const proposal = await newAuthority(deps.clock, sharedAuthorityLifetime);
    return new SharedCertificate(options, deps, proposal, await signLeaf(proposal, options.names, deps.clock));
  }

  get current(): CertifiedKey {
    return this.#leaf.pair;
  }

  get caBundle(): string {
    return this.#bundle;
  }

  /** Fails until the shared authority is known, since nobody can verify what is served till then. */
  readonly check = (): Error | undefined =>
    this.#joined ? undefined : new Error(`the serving CA has not been read from Secret ${this.#authority.where} yet`);

  follow(use: (certificate: CertifiedKey) => void): void {
    void this.#round(use);
  }

  stop(): void {
    this.#stop.abort();
    this.#timer?.cancel();
  }

  /** Agrees with the other replicas now, and again every 20 s; sooner when it failed. Never rejects. */
  async #round(use: (certificate: CertifiedKey) => void): Promise<void> {
    const { signal } = this.#stop;
    let next: Milliseconds = period;
    try {
      const shared = await this.#authority.read(signal);
      await this.#adopt(shared, use);
      this.#backoff.reset();
      this.#failures.recovered('secret', 'Serving CA is shared again', { secret: this.#authority.where });
    } catch (error) {
      next = this.#backoff.next();
      if (!signal.aborted) this.#failures.failed('secret', error, 'Serving CA cannot be shared, trying again');
    }
    if (this.#deps.clock.now() >= this.#leaf.renewAt) await this.#renew(use);
    if (!signal.aborted) this.#timer = this.#deps.clock.after(next, () => void this.#round(use));
  }

  async #adopt(shared: SigningAuthority, use: (certificate: CertifiedKey) => void): Promise<void> {
    const { signal } = this.#stop;
    const { authority, bundle } = shared;
    this.#bundle = bundle;
    // What signed so far is trusted by nobody: nothing is lost by changing at once.
    if (!trusts(bundle, this.#signer.cert)) await this.#sign(authority, use);
    this.#joined = true;
    const settled = (await this.#publisher?.publish(bundle, signal)) ?? this.#waitedFor(authority);
    if (settled && authority.cert !== this.#signer.cert) await this.#sign(authority, use);
  }

  #waitedFor({ cert }: CertificateAuthority): boolean {
    return this.#deps.clock.now() >= Date.parse(new X509Certificate(cert).validFrom) + unpublishedWait;
  }

  async #renew(use: (certificate: CertifiedKey) => void): Promise<void> {
    try {
      await this.#sign(this.#signer, use);
      this.#failures.recovered('leaf', 'Serving certificate can be renewed again');
    } catch (error) {
      this.#failures.failed('leaf', error, 'Serving certificate cannot be renewed, trying again');
    }
  }

  async #sign(authority: CertificateAuthority, use: (certificate: CertifiedKey) => void): Promise<void> {
    const leaf = await signLeaf(authority, this.#options.names, this.#deps.clock);
    if (this.#stop.signal.aborted) return;
    use(leaf.pair);
    const renewed = authority.cert === this.#signer.cert;
    this.#signer = authority;
    this.#leaf = leaf;
    this.#deps.log.info(renewed ? 'Serving certificate renewed' : 'Serving certificate signed by the shared CA', {
      secret: this.#authority.where,
    });
  }
}
