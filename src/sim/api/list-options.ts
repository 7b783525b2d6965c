import { matchesFields } from '../../kube/selectors/field-selector.ts';
import { matchesLabels } from '../../kube/selectors/label-selector.ts';
import { decodeListOptions, validateListOptions } from '../../server/list-options.ts';
import { firstValue, type Query } from '../../server/request-target.ts';
import { badRequest } from '../../wire/status.ts';
import type { KubeObject } from './object-store.ts';

/** Query parameters of a list or a watch (`ListOptions` of `meta.k8s.io/v1`), read and checked. */
export interface ListOptions {
  readonly matches: (object: KubeObject) => boolean;
  readonly limit: number;
  readonly continueFrom: { readonly revision: number; readonly key: string } | undefined;
  readonly resourceVersion: string;
  readonly watch: boolean;
  readonly bookmarks: boolean;
  readonly sendInitialEvents: boolean;
  /** Undefined leaves the length of a watch to the server. */
  readonly timeoutSeconds: number | undefined;
}

/**
 * Reads the parameters.
 * @throws StatusError or SelectorError, which are a 400 or 422, for what cannot be read or contradicts itself
 */
export function listOptions(query: Query): ListOptions {
  const options = decodeListOptions(query);
  validateListOptions(options);
  const { labelSelector, fieldSelector, limit, continueToken, resourceVersion, watch, sendInitialEvents } = options;
  const timeout = firstValue(query, 'timeoutSeconds');
  return {
    matches: (object) =>
      matchesLabels(labelSelector, object.meta.labels ?? {}) &&
      matchesFields(fieldSelector, (field) => fieldOf(object, field)),
    limit,
    continueFrom: continueToken === '' ? undefined : readContinue(continueToken),
    resourceVersion,
    watch,
    bookmarks: firstValue(query, 'allowWatchBookmarks') === 'true',
    sendInitialEvents: sendInitialEvents === true,
    timeoutSeconds: timeout === undefined ? undefined : Number(timeout),
  };
}

/** The opaque text with which a client asks for the next page. */
export function writeContinue(revision: number, key: string): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: revision, start: key })).toString('base64url');
}

function readContinue(token: string): { readonly revision: number; readonly key: string } {
  try {
    const read: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    const { rv, start } = read as { readonly rv?: unknown; readonly start?: unknown };
    if (typeof rv === 'number' && typeof start === 'string') return { revision: rv, key: start };
  } catch {
    // Falls through to the refusal.
  }
  throw badRequest('continue key is not valid: unrecognized or expired token');
}

function fieldOf({ meta, fields }: KubeObject, field: string): string {
  if (field === 'metadata.name') return meta.name;
  if (field === 'metadata.namespace') return meta.namespace ?? '';
  const value = fields[field];
  if (value === undefined) throw badRequest(`field label not supported: ${field}`);
  return value;
}
