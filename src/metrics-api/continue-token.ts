import { KubetallyError } from '../model/errors.ts';
import type { ObjectKey } from '../model/inventory.ts';
import type { ResourceName } from './objects.ts';

/** `continue=` does not hold a token that was given out for this resource. */
export class ContinueTokenError extends KubetallyError<'bad-continue-token'> {}

/** An opaque token. It says where to go on and no more, so it never expires and any replica understands it. */
export function encodeContinue(resource: ResourceName, { namespace = '', name }: ObjectKey): string {
  return Buffer.from(JSON.stringify([1, resource, namespace, name])).toString('base64url');
}

/**
 * Where a paged list goes on: behind the object of this key.
 * @throws {ContinueTokenError}
 */
export function decodeContinue(resource: ResourceName, token: string): ObjectKey {
  const parts = readToken(token);
  if (parts === undefined || parts.length !== 4 || parts[0] !== 1)
    throw malformed('continue key is not valid: it was not given out by this server');
  const [, givenFor, namespace, name] = parts;
  if (givenFor !== resource) throw malformed(`continue key is not valid: it does not belong to ${resource}`);
  if (typeof namespace !== 'string' || typeof name !== 'string') throw malformed('continue key is not valid');
  return { namespace, name };
}

function readToken(token: string): unknown[] | undefined {
  if (!/^[A-Za-z0-9_-]+$/.test(token)) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Worded as etcd-backed Kubernetes resources answer. */
function malformed(problem: string): ContinueTokenError {
  return new ContinueTokenError('bad-continue-token', `invalid continue token: ${problem}`);
}
