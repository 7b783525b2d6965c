import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Context } from 'koa';
import { KubetallyError } from '../../../src/model/errors.ts';
import { parseRequestInfo } from '../../../src/server/request-info.ts';
import { routes } from '../../../src/server/router.ts';
import { toStatus } from '../../../src/wire/status.ts';
import { recordedCluster, routerDependencies } from '../../conformance/recorded-cluster.ts';

export const cluster = recordedCluster();
const deps = routerDependencies(cluster);
const route = routes(deps);
export const root = '/apis/metrics.k8s.io/v1beta1';

export interface Asked {
  readonly method?: string;
  readonly accept?: string;
  readonly contentType?: string;
  readonly acceptEncoding?: string;
  readonly ifNoneMatch?: string;
  readonly ifModifiedSince?: string;
}

/** What a request was answered with. */
export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const headerOf: Readonly<Record<Exclude<keyof Asked, 'method'>, string>> = {
  accept: 'Accept',
  contentType: 'Content-Type',
  acceptEncoding: 'Accept-Encoding',
  ifNoneMatch: 'If-None-Match',
  ifModifiedSince: 'If-Modified-Since',
};

/** What the routes answer, without a server around them. */
export async function serve(target: string, { method = 'GET', ...headers }: Asked = {}): Promise<Answered> {
  const requestInfo = parseRequestInfo(method, target);
  assert.ok(requestInfo !== undefined);
  const sent = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) sent.set(headerOf[name as keyof typeof headerOf], value);
  const answered: Record<string, string> = {};
  const ctx = {
    state: { requestInfo },
    method,
    host: '',
    request: {},
    req: { rawHeaders: [...sent].flat() },
    get: (name: string) => sent.get(name) ?? '',
    set: (name: string, value: string) => (answered[name.toLowerCase()] = value),
    status: 404,
    body: null as Buffer | Readable | null,
  };
  await route(ctx as unknown as Context, async () => undefined);
  const { status, body } = ctx;
  return { status, headers: answered, body: body instanceof Readable ? await buffer(body) : (body ?? Buffer.alloc(0)) };
}

export function text({ body }: Answered): string {
  return body.toString();
}

/** The answer's body, read. */
export async function json(target: string, asked?: Asked): Promise<Record<string, unknown>> {
  return JSON.parse(text(await serve(target, asked)));
}

/** Code and message of the Status that a request ends with. */
export async function refusal(target: string, asked?: Asked): Promise<string> {
  try {
    return `answered ${(await serve(target, asked)).status}`;
  } catch (error) {
    assert.ok(error instanceof KubetallyError, String(error));
    const { code, message } = toStatus(error);
    return `${code} ${message}`;
  }
}
