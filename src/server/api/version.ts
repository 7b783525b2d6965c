import type { Answer } from '../../wire/body.ts';
import { formatJson } from '../../wire/json-text.ts';
import { requireConsumed, requireProduced } from '../../wire/router-negotiation.ts';
import { methodNotAllowed } from '../../wire/status.ts';
import type { ApiRequest } from './api-request.ts';

/** `k8s.io/apimachinery version.Info`; clients expect every key. */
export interface VersionInfo {
  readonly major: string;
  readonly minor: string;
  readonly gitVersion: string;
  readonly gitCommit: string;
  readonly gitTreeState: string;
  /** RFC 3339. */
  readonly buildDate: string;
  /** The runtime, here not Go. */
  readonly goVersion: string;
  readonly compiler: string;
  /** Such as `linux/amd64`. */
  readonly platform: string;
}

/** `/version`: always indented JSON. @throws {StatusError} */
export function serveVersion({ info, wishes, contentType }: ApiRequest, version: VersionInfo): Answer {
  if (info.method !== 'GET') throw methodNotAllowed();
  requireConsumed(contentType, ['application/json']);
  requireProduced(wishes.accept, ['application/json']);
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(formatJson(version, 'pretty')),
  };
}
