import type { Milliseconds } from '../model/units.ts';
import { KubeError } from './kube-error.ts';
import type { Query, RequestOptions } from './client.ts';

/** What list and watch need of the client. */
export interface ApiReader {
  get<T extends object>(path: string, options: RequestOptions): Promise<T>;
  stream(path: string, options: RequestOptions): Promise<AsyncIterable<string>>;
}

export interface ListRequest {
  readonly path: string;
  readonly query: Query;
  readonly accept: string;
  /** Objects per page. */
  readonly limit: number;
  /** For each page. */
  readonly timeout: Milliseconds;
  /** Cap on a page's bytes. */
  readonly maxSize: number;
  readonly signal: AbortSignal;
}

interface Page {
  readonly items?: unknown;
  readonly metadata?: { readonly resourceVersion?: unknown; readonly continue?: unknown } | null;
}

export interface ListResult<T> {
  readonly objects: readonly T[];
  /** Where a watch goes on. */
  readonly resourceVersion: string;
  /** Objects that the projection refused. */
  readonly skipped: number;
}

/**
 * Lists a resource page by page, each object projected as soon as its page is parsed, so that at most one page of whole objects is
 * held, and another on its way. A continue token that expires under way (410) makes it start again without pages, as client-go's pager does.
 */
export async function listPages<T>(
  reader: ApiReader,
  request: ListRequest,
  project: (object: unknown) => T | undefined,
): Promise<ListResult<T>> {
  try {
    return await collect(reader, request, request.limit, project);
  } catch (error) {
    if (!(error instanceof ExpiredToken)) throw error;
    return await collect(reader, request, undefined, project);
  }
}

class ExpiredToken extends Error {}

async function collect<T>(
  reader: ApiReader,
  { path, query, accept, timeout, maxSize, signal }: ListRequest,
  limit: number | undefined,
  project: (object: unknown) => T | undefined,
): Promise<ListResult<T>> {
  const objects: T[] = [];
  let skipped = 0;
  let token: string | undefined;
  let coming = getPage(token);
  for (;;) {
    const page = await coming;
    const { items, metadata } = page;
    // Go encodes an empty list as null now and then; an answer without the field is no list.
    if (!Array.isArray(items) && items !== null) throw malformed(path, 'has no items');
    const resourceVersion = metadata?.resourceVersion;
    if (typeof resourceVersion !== 'string') throw malformed(path, 'has no resource version');
    const next = metadata?.continue;
    const isLast = typeof next !== 'string' || next === '';
    if (!isLast) {
      if (next === token) throw malformed(path, 'has a continue token that does not advance');
      token = next;
      // The server makes the next page while this one is projected.
      coming = getPage(token);
    }
    for (const item of (items ?? []) as unknown[]) {
      const object = project(item);
      if (object === undefined) skipped++;
      else objects.push(object);
    }
    if (isLast) return { objects, resourceVersion, skipped };
  }

  async function getPage(token: string | undefined): Promise<Page> {
    try {
      return await reader.get<Page>(path, {
        query: { ...query, limit, continue: token },
        headers: { accept },
        timeout,
        maxSize,
        signal,
      });
    } catch (error) {
      if (token !== undefined && error instanceof KubeError && error.expired) throw new ExpiredToken();
      throw error;
    }
  }
}

function malformed(path: string, why: string): KubeError {
  return new KubeError('malformed', `GET ${path}: the list ${why}`);
}
