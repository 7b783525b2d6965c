import { X509Certificate } from 'node:crypto';
import type { Clock } from '../model/clock.ts';
import { messageChain } from '../model/errors.ts';
import type { CertificateAuthority } from '../pki/authority.ts';
import type { Logger } from '../telemetry/log.ts';
import { objectAt, textAt } from './review-fields.ts';
import { ServerError } from './server-error.ts';
import { leafLifetime, newAuthority, type AuthoritySource, type SigningAuthority } from './serving-certificate.ts';

/** Secrets of the API server. Errors carry the HTTP `status` when there was one. */
export interface SecretClient {
  get(path: string): Promise<object>;
  create(path: string, object: object): Promise<object>;
  /** A JSON merge patch. */
  patch(path: string, patch: object): Promise<object>;
}

export interface SharedAuthorityOptions {
  readonly namespace: string;
  /** Of the Secret; it may exist empty, so that no right to create Secrets is needed. */
  readonly name: string;
}

interface Dependencies {
  readonly secrets: SecretClient;
  readonly clock: Clock;
  readonly log: Logger;
}

const attempts = 5;
const certKey = 'tls.crt';
const privateKey = 'tls.key';
/** Every certificate by which serving certificates still in use may have been signed. */
const bundleKey = 'ca.crt';

/**
 * An authority that all replicas share through a Secret of type `kubernetes.io/tls`: the first one makes it, the others find it. It is replaced when
 * it can no longer outlive a certificate it signs; its predecessor then stays in the bundle. The result rejects with `ServerError` `certificate`.
 */
export function sharedAuthority({ namespace, name }: SharedAuthorityOptions, deps: Dependencies): AuthoritySource {
  const collection = `/api/v1/namespaces/${namespace}/secrets`;
  const path = `${collection}/${name}`;
  const where = `Secret ${namespace}/${name}`;

  const findOrMake = async (): Promise<SigningAuthority | undefined> => {
    const secret = await found(deps.secrets.get(path));
    const known = await usable(secret, deps, where);
    if (known !== undefined) return known;
    const authority = await newAuthority(deps.clock);
    const { cert, key } = await authority.export();
    const bundle = cert + stillValid(decoded(secret, bundleKey), deps.clock);
    const data = { [certKey]: base64(cert), [privateKey]: base64(key), [bundleKey]: base64(bundle) };
    const metadata = { namespace, name };
    const body = { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata, data };
    const resourceVersion = textAt(objectAt(secret, 'metadata'), 'resourceVersion');
    try {
      if (secret === undefined) await deps.secrets.create(collection, body);
      else await deps.secrets.patch(path, { metadata: { resourceVersion }, data });
    } catch (error) {
      // Another replica was faster: its authority is ours, too.
      if (statusOf(error) === 409) return undefined;
      throw error;
    }
    deps.log.info('Made the authority for serving certificates', { secret: `${namespace}/${name}` });
    return { authority, bundle };
  };

  return async () => {
    try {
      for (let attempt = 0; attempt < attempts; attempt++) {
        const shared = await findOrMake();
        if (shared !== undefined) return shared;
      }
    } catch (cause) {
      throw new ServerError('certificate', `${where}: ${messageChain(cause)}`, { cause });
    }
    throw new ServerError('certificate', `${where}: others keep changing it`);
  };
}

/** The object, or undefined when there is none. */
async function found(asked: Promise<object>): Promise<object | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** The authority in a Secret; undefined when there is none that could sign certificates for long enough. */
async function usable(
  secret: object | undefined,
  { clock, log }: Dependencies,
  where: string,
): Promise<SigningAuthority | undefined> {
  const cert = decoded(secret, certKey);
  const key = decoded(secret, privateKey);
  if (cert === '' && key === '') return undefined;
  try {
    if (Date.parse(new X509Certificate(cert).validTo) < clock.now() + 2 * leafLifetime) return undefined;
    const { CertificateAuthority } = await import('../pki/authority.ts');
    const authority: CertificateAuthority = await CertificateAuthority.load({ cert, key });
    return { authority, bundle: decoded(secret, bundleKey) || cert };
  } catch (error) {
    log.warning('Authority for serving certificates cannot be used, making a new one', {
      where,
      problem: messageChain(error),
    });
    return undefined;
  }
}

/** The certificates of a bundle that have not expired. */
function stillValid(bundle: string, clock: Clock): string {
  const blocks = bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const valid = blocks.filter((block) => {
    try {
      return Date.parse(new X509Certificate(block).validTo) > clock.now();
    } catch {
      return false;
    }
  });
  return valid.map((block) => `${block}\n`).join('');
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
