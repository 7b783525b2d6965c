/** Query parameters in order, decoded; a key may come several times. */
export type Query = ReadonlyMap<string, readonly string[]>;

/** What a request line asks for, decoded once; nothing decodes it again. */
export interface RequestTarget {
  /** Percent-decoded: an encoded slash separates segments as a plain one does. */
  readonly path: string;
  readonly query: Query;
}

/**
 * Reads the target of a request line as Go's `net/url.ParseRequestURI` does. Undefined when it cannot be read
 * (a bad escape in the path, no leading slash): Go's HTTP server then answers a plain `400 Bad Request` before any handler runs.
 */
export function parseRequestTarget(target: string): RequestTarget | undefined {
  const [, origin = target] = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?]*([^]*)$/.exec(target) ?? [];
  const question = origin.indexOf('?');
  const rawPath = question < 0 ? origin : origin.slice(0, question);
  if (rawPath === '*') return { path: rawPath, query: new Map() };
  if (!rawPath.startsWith('/') && origin === target) return undefined;
  const path = percentDecode(rawPath);
  if (path === undefined) return undefined;
  return { path, query: parseQuery(question < 0 ? '' : origin.slice(question + 1)) };
}

/** The first value of a parameter; undefined when it is absent. */
export function firstValue(query: Query, key: string): string | undefined {
  return query.get(key)?.[0];
}

/** A boolean parameter: absent is false, and then everything but `0` and `false` is true, also the empty string. */
export function isTrue(value: string | undefined): boolean {
  return value !== undefined && !['0', 'false'].includes(value.toLowerCase());
}

/** Pairs that cannot be decoded, or that hold a semicolon, are left out, as Go's `url.ParseQuery` leaves them out. */
function parseQuery(text: string): Query {
  const query = new Map<string, string[]>();
  for (const pair of text.split('&')) {
    if (pair === '' || pair.includes(';')) continue;
    const equals = pair.indexOf('=');
    const key = percentDecode((equals < 0 ? pair : pair.slice(0, equals)).replaceAll('+', ' '));
    const value = percentDecode(equals < 0 ? '' : pair.slice(equals + 1).replaceAll('+', ' '));
    if (key === undefined || value === undefined) continue;
    const values = query.get(key);
    if (values === undefined) query.set(key, [value]);
    else values.push(value);
  }
  return query;
}

/** Undefined at a `%` without two hexadecimal digits. Escaped bytes that are not UTF-8 become U+FFFD. */
function percentDecode(text: string): string | undefined {
  if (!text.includes('%')) return text;
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  return text.replace(/(?:%[0-9A-Fa-f]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'));
}
