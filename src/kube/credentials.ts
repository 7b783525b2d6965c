import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { unlessAborted } from '../model/abort.ts';
import type { Clock } from '../model/clock.ts';
import { messageChain } from '../model/errors.ts';
import { seconds, type MonotonicMs } from '../model/units.ts';
import type { Logger } from '../telemetry/log.ts';
import { KubeError } from './kube-error.ts';
import { readText, sourceName, type TextSource } from './text-source.ts';

/** A certificate chain with its private key, both PEM. */
export interface ClientCertificate {
  readonly cert: string;
  readonly key: string;
}

/** What a client of the API server or of a kubelet proves its identity with, as it is at the moment of asking. */
export interface KubeCredentials {
  /**
   * The value of the `Authorization` header. Also re-reads files that may have rotated. Throws `KubeError` `config`, and the
   * signal's reason once that aborts: a plugin is not waited for any longer, but goes on for other callers.
   */
  authorizationHeader(signal?: AbortSignal): Promise<string | undefined>;
  clientCertificate(): ClientCertificate | undefined;
  /** PEM of the authorities to trust; undefined means those of the system. */
  ca(): string | undefined;
  /** Calls `listener` after `ca` or `clientCertificate` changed: new connections are needed. Returns how to stop it. */
  onRotate(listener: () => void): () => void;
}

/** What an exec plugin or an auth provider gave. */
export interface PluginCredential {
  readonly authorization?: string | undefined;
  readonly certificate?: ClientCertificate | undefined;
}

/** Where each part of the credentials comes from. */
export interface CredentialSources {
  readonly ca?: TextSource | undefined;
  readonly certificate?: { readonly cert: TextSource; readonly key: TextSource } | undefined;
  readonly token?: TextSource | undefined;
  /** A ready `Authorization` value (basic authentication). */
  readonly authorization?: string | undefined;
  /** Asked for each request; keeps what it learned until it expires. `closed` ends its process. */
  readonly plugin?: ((closed: AbortSignal) => Promise<PluginCredential>) | undefined;
  /** `Impersonate-User`, `Impersonate-Group`, ... to the API server; not sent to kubelets. */
  readonly impersonation?: Readonly<Record<string, string | string[]>> | undefined;
}

/** The parts that are read from texts. */
interface Material {
  readonly ca: string | undefined;
  readonly certificate: ClientCertificate | undefined;
  readonly authorization: string | undefined;
}

/** Files are read again when older than this, as client-go does with token files. */
const maxAge = seconds(60);
/** A refused credential is looked up anew at most this often. */
const minRefreshInterval = seconds(5);

/** Credentials that follow rotating files, exec plugins and a rewritten kubeconfig while the process runs. */
export class Credentials implements KubeCredentials {
  readonly #load: () => Promise<CredentialSources>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #listeners = new Set<() => void>();
  #sources: CredentialSources;
  #material: Material;
  #pluginCertificate: ClientCertificate | undefined;
  #readAt: MonotonicMs;
  #refreshedAt: MonotonicMs | undefined;
  #reading: Promise<void> | undefined;
  #refreshing: Promise<void> | undefined;
  #asking: Promise<PluginCredential> | undefined;
  readonly #closed = new AbortController();

  private constructor(
    load: () => Promise<CredentialSources>,
    sources: CredentialSources,
    material: Material,
    clock: Clock,
    logger: Logger,
  ) {
    this.#load = load;
    this.#sources = sources;
    this.#material = material;
    this.#clock = clock;
    this.#logger = logger;
    this.#readAt = clock.monotonic();
  }

  /**
   * Reads every source once. Throws `KubeError` `config` that names what cannot be used.
   * @param load says again what the sources are, from then on
   */
  static async read(
    sources: CredentialSources,
    load: () => Promise<CredentialSources>,
    clock: Clock,
    logger: Logger,
  ): Promise<Credentials> {
    return new Credentials(load, sources, await readMaterial(sources), clock, logger);
  }

  async authorizationHeader(signal?: AbortSignal): Promise<string | undefined> {
    await this.#reread();
    if (this.#sources.plugin === undefined) return this.#material.authorization;
    const { authorization, certificate } = await unlessAborted(this.#askPlugin(this.#sources.plugin), signal);
    const previous = this.#pluginCertificate;
    this.#pluginCertificate = certificate;
    if (previous?.cert !== certificate?.cert || previous?.key !== certificate?.key) this.#announce();
    return authorization ?? this.#material.authorization;
  }

  clientCertificate(): ClientCertificate | undefined {
    return this.#pluginCertificate ?? this.#material.certificate;
  }

  ca(): string | undefined {
    return this.#material.ca;
  }

  onRotate(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** `Impersonate-*` headers of the kubeconfig. */
  impersonation(): Readonly<Record<string, string | string[]>> {
    return this.#sources.impersonation ?? {};
  }

  /** After the server refused the credentials: reads the configuration, its files and plugins anew. Never throws; rate-limited. */
  async refresh(): Promise<void> {
    if (this.#refreshing !== undefined) return await this.#refreshing;
    const now = this.#clock.monotonic();
    if (this.#refreshedAt !== undefined && now - this.#refreshedAt < minRefreshInterval) return;
    this.#refreshedAt = now;
    this.#refreshing = this.#reload().finally(() => (this.#refreshing = undefined));
    await this.#refreshing;
  }

  /** Ends a plugin under way, which nobody may need any more. */
  close(): void {
    this.#closed.abort();
  }

  async #reload(): Promise<void> {
    try {
      this.#sources = await this.#load();
      this.#adopt(await readMaterial(this.#sources));
    } catch (error) {
      this.#logger.warning('Cannot refresh credentials, keeping the last ones', { err: messageChain(error) });
    }
  }

  /** Files are replaced one by one, so a pair that does not fit together yet is left until the next time. */
  async #reread(): Promise<void> {
    if (this.#reading !== undefined) return await this.#reading;
    if (this.#clock.monotonic() - this.#readAt < maxAge) return;
    this.#reading = readMaterial(this.#sources)
      .then((material) => this.#adopt(material))
      .catch((error: unknown) =>
        this.#logger.warning('Cannot re-read credentials, keeping the last ones', { err: messageChain(error) }),
      )
      .finally(() => {
        this.#readAt = this.#clock.monotonic();
        this.#reading = undefined;
      });
    await this.#reading;
  }

  #adopt(material: Material): void {
    const previous = this.#material;
    this.#material = material;
    const rotated =
      previous.ca !== material.ca ||
      previous.certificate?.cert !== material.certificate?.cert ||
      previous.certificate?.key !== material.certificate?.key;
    if (rotated) this.#announce();
  }

  #announce(): void {
    this.#logger.verbose(1, 'Credentials rotated');
    for (const listener of this.#listeners) listener();
  }

  async #askPlugin(plugin: (closed: AbortSignal) => Promise<PluginCredential>): Promise<PluginCredential> {
    this.#asking ??= plugin(this.#closed.signal).finally(() => (this.#asking = undefined));
    return await this.#asking;
  }
}

async function readMaterial(sources: CredentialSources): Promise<Material> {
  const read = async (source: TextSource | undefined): Promise<string | undefined> =>
    source === undefined ? undefined : await readText(source);
  // One after the other: of several that are missing, the first is told of.
  const ca = await read(sources.ca);
  const cert = await read(sources.certificate?.cert);
  const key = await read(sources.certificate?.key);
  const token = await read(sources.token);
  if (sources.ca !== undefined && ca !== undefined) checkCertificate(sources.ca, ca);
  const certificate = cert === undefined || key === undefined ? undefined : { cert, key };
  if (certificate !== undefined && sources.certificate !== undefined) {
    checkCertificate(sources.certificate.cert, certificate.cert);
    checkPair(sources.certificate.key, certificate);
  }
  const bearer = token?.trim();
  if (bearer === '' && sources.token !== undefined)
    throw new KubeError('config', `${sourceName(sources.token)} is empty`);
  if (bearer !== undefined && /[^\x21-\x7e]/.test(bearer) && sources.token !== undefined)
    throw new KubeError('config', `${sourceName(sources.token)} holds no token: blanks or characters beyond ASCII`);
  return { ca, certificate, authorization: bearer === undefined ? sources.authorization : `Bearer ${bearer}` };
}

function checkCertificate(source: TextSource, pem: string): void {
  try {
    void new X509Certificate(pem).fingerprint256;
  } catch (error) {
    throw new KubeError('config', `${sourceName(source)} holds no PEM certificate: ${messageChain(error)}`, {
      cause: error,
    });
  }
}

function checkPair(source: TextSource, pair: ClientCertificate): void {
  try {
    createSecureContext({ cert: pair.cert, key: pair.key });
  } catch (error) {
    throw new KubeError('config', `${sourceName(source)} does not fit the client certificate: ${messageChain(error)}`, {
      cause: error,
    });
  }
}
