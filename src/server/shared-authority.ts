import { X509Certificate } from 'node:crypto';
import type { Clock } from '../model/clock.ts';
import { messageChain } from '../model/errors.ts';
import { CertificateAuthority } from '../pki/authority.ts';
import { parseBundle } from '../pki/pem-bundle.ts';
import type { Logger } from '../telemetry/log.ts';
import { newAuthority, sharedAuthorityLifetime, validUntil } from './certificate-leaf.ts';
import { objectAt, textAt } from './review-fields.ts';
import { ServerError } from './server-error.ts';

/** Secrets of the API server. Errors carry the HTTP `status` when there was one. */
export interface SecretClient {
  get(path: string, options: { readonly signal: AbortSignal }): Promise<object>;
  create(path: string, object: object, options: { readonly signal: AbortSignal }): Promise<object>;
  replace(path: string, object: object, options: { readonly signal: AbortSignal }): Promise<object>;
}

export interface SharedAuthorityOptions {
  readonly namespace: string;
  /** Of the Secret; it may exist empty, so that no right to create Secrets is needed. */
  readonly name: string;
  /** What to store where nothing is stored yet. */
  readonly proposal: CertificateAuthority;
}

/** An authority that signs serving certificates, and the bundle (PEM) by which clients verify them: its own certificate and those of its predecessors. */
export interface SigningAuthority {
  readonly authority: CertificateAuthority;
  readonly bundle: string;
}

interface Dependencies {
  readonly secrets: SecretClient;
  readonly clock: Clock;
  readonly log: Logger;
}

const attempts = 5;
/** A successor is made when this share of the lifetime is left, so that it is trusted long before it is needed. */
const renewalShare = 1 / 3;
const certKey = 'tls.crt';
const privateKey = 'tls.key';
/** Every certificate by which serving certificates still in use may have been signed. */
const bundleKey = 'ca.crt';

/**
 * An authority that all replicas share through a Secret of type `kubernetes.io/tls`: the first one stores it, the others adopt it. Whoever first sees
 * that it ends soon stores a successor, and the predecessor stays in the bundle. Two writers at once are told apart by the API server (409); the slower adopts.
 */
export class SharedAuthority {
  readonly #path: string;
  readonly #collection: string;
  readonly #options: SharedAuthorityOptions;
  readonly #deps: Dependencies;
  #proposal: CertificateAuthority | undefined;
  #known: { readonly texts: string; readonly authority: CertificateAuthority } | undefined;

  constructor(options: SharedAuthorityOptions, deps: Dependencies) {
    this.#collection = `/api/v1/namespaces/${options.namespace}/secrets`;
    this.#path = `${this.#collection}/${options.name}`;
    this.#options = options;
    this.#deps = deps;
    this.#proposal = options.proposal;
  }

  /** `namespace/name` of the Secret. */
  get where(): string {
    return `${this.#options.namespace}/${this.#options.name}`;
  }

  /** What the replicas have agreed on by now. Rejects with `ServerError` `certificate`. What is in the Secret and cannot be read is left as it is. */
  async read(signal: AbortSignal): Promise<SigningAuthority> {
    try {
      for (let attempt = 0; attempt < attempts; attempt++) {
        const shared = await this.#findOrStore(signal);
        if (shared !== undefined) return shared;
      }
    } catch (cause) {
      throw new ServerError('certificate', `Secret ${this.where}: ${messageChain(cause)}`, { cause });
    }
    throw new ServerError('certificate', `Secret ${this.where}: others keep changing it`);
  }

  /** Undefined when another replica wrote at the same time. */
  async #findOrStore(signal: AbortSignal): Promise<SigningAuthority | undefined> {
    const secret = await this.#get(signal);
    const stored = this.#stored(secret);
    const now = this.#deps.clock.now();
    if (stored !== undefined && validUntil(stored.authority.cert) - sharedAuthorityLifetime * renewalShare > now) {
      this.#proposal = undefined;
      return stored;
    }
    const authority = this.#proposal ?? (await newAuthority(this.#deps.clock, sharedAuthorityLifetime));
    const { cert, key } = authority.export();
    const bundle = cert + stillValid(stored?.bundle ?? '', now);
    const data = { [certKey]: base64(cert), [privateKey]: base64(key), [bundleKey]: base64(bundle) };
    try {
      if (secret === undefined) await this.#create(data, signal);
      else
        await this.#deps.secrets.replace(
          this.#path,
          { ...secret, data: { ...objectAt(secret, 'data'), ...data } },
          {
            signal,
          },
        );
    } catch (error) {
      if (statusOf(error) === 409) return undefined;
      throw error;
    }
    this.#proposal = undefined;
    this.#known = { texts: cert + key, authority };
    this.#deps.log.info(stored === undefined ? 'Stored a new serving CA' : 'Stored a successor of the serving CA', {
      secret: this.where,
      until: new Date(validUntil(cert)).toISOString(),
    });
    return { authority, bundle };
  }

  async #create(data: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
    const { namespace, name } = this.#options;
    const metadata = { namespace, name, labels: { 'app.kubernetes.io/managed-by': 'kubetally' } };
    const secret = { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata, data };
    await this.#deps.secrets.create(this.#collection, secret, { signal });
  }

  async #get(signal: AbortSignal): Promise<object | undefined> {
    try {
      return await this.#deps.secrets.get(this.#path, { signal });
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  /** Undefined for a Secret without certificate and key. Throws when what it holds cannot sign: it may be somebody else's. */
  #stored(secret: object | undefined): SigningAuthority | undefined {
    const cert = decoded(secret, certKey);
    const key = decoded(secret, privateKey);
    if (cert === '' && key === '') return undefined;
    try {
      if (this.#known?.texts !== cert + key) {
        if (!new X509Certificate(cert).ca) throw new Error('its certificate is not that of a CA');
        this.#known = { texts: cert + key, authority: CertificateAuthority.load({ cert, key }) };
      }
      const bundle = stillValid(decoded(secret, bundleKey), this.#deps.clock.now());
      const { authority } = this.#known;
      return { authority, bundle: trusts(bundle, cert) ? bundle : cert + bundle };
    } catch (cause) {
      throw new Error(`holds no CA that can sign; delete it to have a new one made: ${messageChain(cause)}`, { cause });
    }
  }
}

/** Whether a bundle (PEM, may be empty) holds a certificate. */
export function trusts(bundle: string, cert: string): boolean {
  const { raw } = new X509Certificate(cert);
  return bundle !== '' && parseBundle(bundle).certificates.some((certificate) => certificate.raw.equals(raw));
}

/** The certificates of a bundle that have not expired. Throws for one that cannot be parsed. */
function stillValid(bundle: string, now: number): string {
  if (bundle === '') return '';
  return parseBundle(bundle)
    .certificates.filter((certificate) => Date.parse(certificate.validTo) > now)
    .map(String)
    .join('');
}

function decoded(secret: object | undefined, key: string): string {
  return Buffer.from(textAt(objectAt(secret, 'data'), key), 'base64').toString();
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function statusOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
}
