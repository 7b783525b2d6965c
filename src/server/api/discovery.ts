import { createHash } from 'node:crypto';
import { aggregatedDiscovery, group, groupList, resourceList } from '../../metrics-api/discovery.ts';
import type { ApiVersion } from '../../metrics-api/objects.ts';
import type { Answer } from '../../wire/body.ts';
import { encodeDocument } from '../../wire/encode.ts';
import { aggregatedDiscoveryEndpoint, findFormat, negotiate, plainEndpoint } from '../../wire/negotiation.ts';
import {
  aggregatedDiscoveryProtobuf,
  groupListProtobuf,
  groupProtobuf,
  resourceListProtobuf,
} from '../../wire/protobuf-discovery.ts';
import { objectTypes, requireConsumed, requireProduced } from '../../wire/router-negotiation.ts';
import { methodNotAllowed } from '../../wire/status.ts';
import type { ApiRequest } from './api-request.ts';

const aggregatedJson = JSON.stringify(aggregatedDiscovery);
const aggregatedEtag = `"${createHash('sha512').update(aggregatedJson).digest('hex').toUpperCase()}"`;
const aggregatedParameters = ';g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** `/apis`, in full for clients that know aggregated discovery. @throws {StatusError} */
export function serveGroups(request: ApiRequest, serverAddress: string): Answer {
  requireDiscovery(request);
  const aggregated = findFormat(request.wishes, aggregatedDiscoveryEndpoint);
  // Without an Accept header there is a format, but nobody asked for the aggregated form.
  if (aggregated?.transform === undefined) {
    const list = groupList(serverAddress);
    const format = negotiate(request.wishes, plainEndpoint);
    return encodeDocument(JSON.stringify(list), () => groupListProtobuf(list.groups), format);
  }
  const headers = { etag: aggregatedEtag, vary: 'Accept', 'cache-control': 'public' };
  if (request.ifNoneMatch === aggregatedEtag) return { status: 304, headers, body: Buffer.alloc(0) };
  const answer = encodeDocument(aggregatedJson, () => aggregatedDiscoveryProtobuf(aggregatedDiscovery), aggregated);
  const contentType = `${answer.headers['content-type'] ?? ''}${aggregatedParameters}`;
  return { ...answer, headers: { ...headers, 'content-type': contentType } };
}

/** `/apis/metrics.k8s.io`. @throws {StatusError} */
export function serveGroup(request: ApiRequest): Answer {
  requireDiscovery(request);
  const format = negotiate(request.wishes, plainEndpoint);
  return encodeDocument(JSON.stringify(group), () => groupProtobuf(group), format);
}

/** `/apis/metrics.k8s.io/<version>`. @throws {StatusError} */
export function serveResources(request: ApiRequest, version: ApiVersion): Answer {
  requireDiscovery(request);
  const list = resourceList(version);
  const format = negotiate(request.wishes, plainEndpoint);
  return encodeDocument(JSON.stringify(list), () => resourceListProtobuf(list), format);
}

function requireDiscovery({ info, wishes, contentType }: ApiRequest): void {
  if (info.method !== 'GET') throw methodNotAllowed();
  requireConsumed(contentType, objectTypes);
  requireProduced(wishes.accept, objectTypes);
}
