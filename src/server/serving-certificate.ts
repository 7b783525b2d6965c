import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { Clock, Timer } from '../model/clock.ts';
import { messageChain } from '../model/errors.ts';
import { seconds } from '../model/units.ts';
import type { CertificateAuthority, CertifiedKey } from '../pki/authority.ts';
import type { Logger } from '../telemetry/log.ts';
import { ServerError } from './server-error.ts';
import { readText, WatchedFiles, type ReadText } from './watched-files.ts';

/** The certificate the server shows, followed while it changes. */
export interface ServingCertificate {
  readonly current: CertifiedKey;
  /** CA bundle (PEM) by which clients can verify a certificate made here; undefined for one from files. */
  readonly caBundle: string | undefined;
  /** Calls `use` with every later certificate until `stop`. */
  follow(use: (certificate: CertifiedKey) => void): void;
  stop(): void;
}

interface CertificateDependencies {
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Certificate and key from files, read again when they change; a pair that does not fit keeps the old one, with one warning.
 * Rejects with `ServerError` `certificate` when the first pair cannot be used.
 */
export async function certificateFromFiles(
  certFile: string,
  keyFile: string,
  deps: CertificateDependencies & { readonly read?: ReadText },
): Promise<ServingCertificate> {
  const files = new WatchedFiles([certFile, keyFile], deps.clock, deps.read ?? readText);
  const where = `${certFile} and ${keyFile}`;
  let current = await files
    .read()
    .then(usablePair)
    .catch((cause: unknown) => {
      throw new ServerError('certificate', `serving certificate ${where}: ${messageChain(cause)}`, { cause });
    });
  let problem = '';
  const warn = (error: unknown): void => {
    const text = messageChain(error);
    if (text === problem) return;
    problem = text;
    deps.log.warning('New serving certificate cannot be used, keeping the old one', { files: where, problem });
  };
  return {
    get current() {
      return current;
    },
    caBundle: undefined,
    follow(use) {
      files.watch((texts) => {
        try {
          current = usablePair(texts);
          use(current);
          problem = '';
          deps.log.info('Serving certificate reloaded', { files: where });
        } catch (error) {
          warn(error);
        }
      }, warn);
    },
    stop: () => files.stop(),
  };
}

function usablePair([cert = '', key = '']: readonly string[]): CertifiedKey {
  const leaf = new X509Certificate(cert);
  if (!leaf.checkPrivateKey(createPrivateKey(key))) throw new Error('the key does not belong to the certificate');
  createSecureContext({ cert, key });
  return { cert, key };
}

const hour = 3_600_000;
/** How long a certificate made here is valid, in milliseconds. */
export const leafLifetime = 30 * 24 * hour;
const authorityLifetime = 10 * 365 * 24 * hour;
/** For clients whose clock is behind ours. */
const backdate = hour;
const checkPeriod = seconds(3600);

/** An authority that signs serving certificates, and the bundle (PEM) by which clients verify them. */
export interface SigningAuthority {
  readonly authority: CertificateAuthority;
  readonly bundle: string;
}

/** Asked before every certificate. Rejects with `ServerError` `certificate`. */
export type AuthoritySource = () => Promise<SigningAuthority>;

/**
 * Certificates made in memory, signed by an authority made for this process unless `source` gives another; renewed when a third of their 30 days is left.
 * @param names DNS names and IP addresses for the certificate; the first becomes its common name.
 */
export async function selfMadeCertificate(
  names: readonly string[],
  deps: CertificateDependencies,
  source: AuthoritySource = ownAuthority(deps.clock),
): Promise<ServingCertificate> {
  const { clock, log } = deps;
  let bundle = '';
  const issue = async (): Promise<CertifiedKey> => {
    const signing = await source();
    bundle = signing.bundle;
    return await signing.authority.issue({
      commonName: names[0] ?? 'kubetally',
      names,
      usages: ['serverAuth'],
      notBefore: new Date(clock.now() - backdate),
      notAfter: new Date(clock.now() + leafLifetime),
    });
  };
  let current = await issue();
  let renewAt = clock.now() + (leafLifetime * 2) / 3;
  let timer: Timer | undefined;
  let stopped = false;
  const renew = async (use: (certificate: CertifiedKey) => void): Promise<void> => {
    try {
      const next = await issue();
      if (stopped) return;
      use(next);
      current = next;
      renewAt = clock.now() + (leafLifetime * 2) / 3;
      log.info('Serving certificate renewed');
    } catch (error) {
      log.error(error, 'Serving certificate cannot be renewed, trying again in an hour');
    }
  };
  const watch = (use: (certificate: CertifiedKey) => void): void => {
    timer = clock.after(checkPeriod, () => {
      if (clock.now() >= renewAt) void renew(use);
      if (!stopped) watch(use);
    });
  };
  return {
    get current() {
      return current;
    },
    get caBundle() {
      return bundle;
    },
    follow: watch,
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}

/** One authority for as long as the process runs. */
function ownAuthority(clock: Clock): AuthoritySource {
  let made: Promise<CertificateAuthority> | undefined;
  return async () => {
    made ??= newAuthority(clock);
    const authority = await made;
    return { authority, bundle: authority.cert };
  };
}

/** Makes an authority for ten years. The X.509 library is loaded only here: a server with its own files starts without it. */
export async function newAuthority(clock: Clock): Promise<CertificateAuthority> {
  const { CertificateAuthority } = await import('../pki/authority.ts');
  const from = clock.now() - backdate;
  return await CertificateAuthority.create(
    `kubetally-ca@${Math.floor(clock.now() / 1000)}`,
    new Date(from),
    new Date(from + authorityLifetime),
  );
}

/** Names under which a Service in front of the server and the machine itself reach it. */
export function servingNames(serviceName: string, namespace: string, ...further: readonly string[]): readonly string[] {
  const service = `${serviceName}.${namespace}`;
  const names = [`${service}.svc`, serviceName, service, `${service}.svc.cluster.local`];
  return [...new Set([...names, 'localhost', '127.0.0.1', '::1', ...further])];
}
