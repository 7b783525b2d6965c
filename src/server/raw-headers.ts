import type { ServerRequest } from './connection.ts';
import { extraMap, type UserInfo } from './user.ts';

/** Names and values in turn, one pair per header line: values are never joined or split. */
export type RawHeaders = readonly string[];

/** The values of a header's lines, in order. Header names are in lower case here and below. */
export function valuesOf(rawHeaders: RawHeaders, header: string): string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === header) values.push(decode(rawHeaders[at + 1] ?? ''));
  }
  return values;
}

/** The value of a header's first line; empty when there is none. */
export function firstValueOf(rawHeaders: RawHeaders, header: string): string {
  return valuesOf(rawHeaders, header)[0] ?? '';
}

/** What headers named `<prefix><key>` say. Keys are in lower case, and percent-encoded, for they may hold what a header name may not. */
export function extraOf(rawHeaders: RawHeaders, prefixes: readonly string[]): UserInfo['extra'] {
  const extra = extraMap();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const header = (rawHeaders[at] ?? '').toLowerCase();
    for (const prefix of prefixes) {
      if (!header.startsWith(prefix)) continue;
      (extra[unescapeKey(header.slice(prefix.length))] ??= []).push(decode(rawHeaders[at + 1] ?? ''));
    }
  }
  return extra;
}

/** Removes headers from a request. */
export function dropHeaders({ headers, rawHeaders }: ServerRequest, isDropped: (header: string) => boolean): void {
  let kept = 0;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const lower = name.toLowerCase();
    if (isDropped(lower)) {
      delete headers[lower];
      continue;
    }
    rawHeaders[kept++] = name;
    rawHeaders[kept++] = rawHeaders[at + 1] ?? '';
  }
  rawHeaders.length = kept;
}

/** Names are UTF-8 to Kubernetes; Node reads header values as Latin-1. */
function decode(value: string): string {
  return /[\x80-\xff]/.test(value) ? Buffer.from(value, 'latin1').toString('utf8') : value;
}

/** A key that cannot be decoded stays as it is. */
function unescapeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
