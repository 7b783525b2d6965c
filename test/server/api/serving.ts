import assert from 'node:assert/strict';
import { KubetallyError } from '../../../src/model/errors.ts';
import { serveApi } from '../../../src/server/api/serve.ts';
import { parseRequestInfo } from '../../../src/server/request-info.ts';
import { firstValue } from '../../../src/server/request-target.ts';
import type { Answer } from '../../../src/wire/body.ts';
import { toStatus } from '../../../src/wire/status.ts';
import { apiDependencies, recordedCluster } from '../../conformance/recorded-cluster.ts';

export const cluster = recordedCluster();
const deps = apiDependencies(cluster);
export const root = '/apis/metrics.k8s.io/v1beta1';

export interface Asked {
  readonly method?: string;
  readonly accept?: string;
  readonly contentType?: string;
  readonly acceptEncoding?: string;
  readonly ifNoneMatch?: string;
}

/** What the API answers, without a server around it. */
export function serve(target: string, asked: Asked = {}): Answer {
  const info = parseRequestInfo(asked.method ?? 'GET', target);
  assert.ok(info !== undefined);
  const wishes = { accept: asked.accept, userAgent: '', pretty: firstValue(info.query, 'pretty') };
  const { contentType, ifNoneMatch, acceptEncoding = '' } = asked;
  return serveApi({ info, wishes, contentType, acceptEncoding, ifNoneMatch }, deps);
}

export function text({ body }: Answer): string {
  return Buffer.isBuffer(body) ? body.toString() : Buffer.concat([...body.chunks()]).toString();
}

/** The answer's body, read. */
export const json = (target: string, asked?: Asked): Record<string, unknown> => JSON.parse(text(serve(target, asked)));

/** Code and message of the Status that a request ends with. */
export function refusal(target: string, asked?: Asked): string {
  try {
    return `answered ${serve(target, asked).status}`;
  } catch (error) {
    assert.ok(error instanceof KubetallyError, String(error));
    const { code, message } = toStatus(error);
    return `${code} ${message}`;
  }
}
