import { ApiFailure } from './api-status.ts';
import type { KubeObject } from './object-store.ts';

/** Query parameters of a list or a watch (`ListOptions` of `meta.k8s.io/v1`), read and checked. */
export interface ListOptions {
  readonly matches: (object: KubeObject) => boolean;
  /** `metadata.name` asked for exactly: it counts as the name in authorization. */
  readonly name: string | undefined;
  readonly limit: number;
  readonly continueFrom: { readonly revision: number; readonly key: string } | undefined;
  readonly resourceVersion: string;
  readonly watch: boolean;
  readonly bookmarks: boolean;
  readonly sendInitialEvents: boolean;
  /** Undefined leaves the length of a watch to the server. */
  readonly timeoutSeconds: number | undefined;
}

type Test = (object: KubeObject) => boolean;

/**
 * Reads the parameters.
 * @throws ApiFailure 400 for an unreadable selector, number or continue token
 */
export function listOptions(query: URLSearchParams): ListOptions {
  const fields = fieldRequirements(query.get('fieldSelector') ?? '');
  const tests = [...labelTests(query.get('labelSelector') ?? ''), ...fields.map(fieldTest)];
  const watch = query.get('watch');
  const token = query.get('continue') ?? '';
  return {
    matches: (object) => tests.every((test) => test(object)),
    name: fields.find(({ field, equal }) => equal && field === 'metadata.name')?.value,
    limit: wholeNumber(query, 'limit') ?? 0,
    continueFrom: token === '' ? undefined : readContinue(token),
    resourceVersion: query.get('resourceVersion') ?? '',
    watch: watch !== null && watch !== '0' && watch !== 'false',
    bookmarks: query.get('allowWatchBookmarks') === 'true',
    sendInitialEvents: query.get('sendInitialEvents') === 'true',
    timeoutSeconds: wholeNumber(query, 'timeoutSeconds'),
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
  throw new ApiFailure(400, 'BadRequest', 'continue key is not valid: unrecognized or expired token');
}

function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new ApiFailure(400, 'BadRequest', `strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
}

interface FieldRequirement {
  readonly field: string;
  readonly equal: boolean;
  readonly value: string;
}

function fieldRequirements(selector: string): FieldRequirement[] {
  return selector
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      const [, field = '', operator = '', value = ''] = /^([^!=]+)(!=|==?)(.*)$/.exec(part) ?? [];
      if (field === '')
        throw new ApiFailure(400, 'BadRequest', `invalid selector: '${selector}'; can't understand '${part}'`);
      return { field, equal: operator !== '!=', value };
    });
}

function fieldTest({ field, equal, value }: FieldRequirement): Test {
  return ({ meta, fields }) => {
    const own = field === 'metadata.name' ? meta.name : field === 'metadata.namespace' ? meta.namespace : fields[field];
    if (own === undefined && field !== 'metadata.namespace')
      throw new ApiFailure(400, 'BadRequest', `field label not supported: ${field}`);
    return ((own ?? '') === value) === equal;
  };
}

/** One requirement at a time; commas inside parentheses belong to a set. */
function labelTests(selector: string): Test[] {
  const parts = selector.match(/(?:\([^)]*\)|[^,(])+/g) ?? [];
  return parts
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map(labelTest);
}

function labelTest(part: string): Test {
  const [, key = '', word = '', set = ''] = /^(\S+)\s+(in|notin)\s*\(([^)]*)\)$/.exec(part) ?? [];
  if (key !== '') {
    const values = set.split(',').map((value) => value.trim());
    return labelled(key, (value) => (value !== undefined && values.includes(value)) === (word === 'in'));
  }
  const [, left = '', operator = '', right = ''] = /^([^\s!=]+)\s*(!=|==?)\s*(\S*)$/.exec(part) ?? [];
  if (left !== '') return labelled(left, (value) => (value === right) === (operator !== '!='));
  const [, not = '', name = ''] = /^(!?)\s*([^\s!=()<>]+)$/.exec(part) ?? [];
  if (name !== '') return labelled(name, (value) => (value !== undefined) === (not === ''));
  throw new ApiFailure(400, 'BadRequest', `unable to parse requirement: found '${part}'`);
}

function labelled(key: string, test: (value: string | undefined) => boolean): Test {
  return ({ meta: { labels } }) => test(labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined);
}
