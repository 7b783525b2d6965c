import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { Clock, Timer } from '../model/clock.ts';
import { messageChain } from '../model/errors.ts';
import { seconds } from '../model/units.ts';
import type { CertifiedKey } from '../pki/authority.ts';
import type { Logger } from '../telemetry/log.ts';
import { newAuthority, processAuthorityLifetime, signLeaf } from './certificate-leaf.ts';
import { ServerError } from './server-error.ts';
import { readText, WatchedFiles, type ReadText } from './watched-files.ts';

/** The certificate the server shows, followed while it changes. */
export interface ServingCertificate {
  readonly current: CertifiedKey;
  /** CA bundle (PEM) by which clients can verify a certificate made here; undefined for one from files. */
  readonly caBundle: string | undefined;
  /** Calls `use` with every later certificate until `stop`. */
  follow(use: (certificate: CertifiedKey) => void): void;
  /** Why clients cannot verify `current` though they should; undefined when they can, or were never meant to. Absent when it cannot happen. */
  readonly check?: () => Error | undefined;
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
  const leaf = read('the certificate', () => new X509Certificate(cert));
  if (!leaf.checkPrivateKey(read('the key', () => createPrivateKey(key))))
    throw new Error('the key does not belong to the certificate');
  createSecureContext({ cert, key });
  return { cert, key };
}

function read<Value>(what: string, parse: () => Value): Value {
  try {
    return parse();
  } catch (cause) {
    throw new Error(`${what} cannot be read: ${messageChain(cause)}`, { cause });
  }
}

const checkPeriod = seconds(3600);

/**
 * Certificates made in memory, signed by an authority made for this process, which nobody knows; renewed when a third of their 30 days is left.
 * @param names DNS names and IP addresses for the certificate; the first becomes its common name.
 */
export async function selfMadeCertificate(
  names: readonly string[],
  deps: CertificateDependencies,
): Promise<ServingCertificate> {
  const { clock, log } = deps;
  const authority = await newAuthority(clock, processAuthorityLifetime);
  let leaf = await signLeaf(authority, names, clock);
  let timer: Timer | undefined;
  let stopped = false;
  const renew = async (use: (certificate: CertifiedKey) => void): Promise<void> => {
    try {
      const next = await signLeaf(authority, names, clock);
      if (stopped) return;
      use(next.pair);
      leaf = next;
      log.info('Serving certificate renewed');
    } catch (error) {
      log.error(error, 'Serving certificate cannot be renewed, trying again in an hour');
    }
  };
  const watch = (use: (certificate: CertifiedKey) => void): void => {
    timer = clock.after(checkPeriod, () => {
      if (clock.now() >= leaf.renewAt) void renew(use);
      if (!stopped) watch(use);
    });
  };
  return {
    get current() {
      return leaf.pair;
    },
    caBundle: authority.cert,
    follow: watch,
    stop() {
      stopped = true;
      timer?.cancel();
    },
  };
}

/** Names under which a Service in front of the server and the machine itself reach it. */
export function servingNames(serviceName: string, namespace: string, ...further: readonly string[]): readonly string[] {
  const service = `${serviceName}.${namespace}`;
  const names = [`${service}.svc`, serviceName, service, `${service}.svc.cluster.local`];
  return [...new Set([...names, 'localhost', '127.0.0.1', '::1', ...further])];
}
