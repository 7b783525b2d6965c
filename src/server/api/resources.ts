import { exactField, requireKnownFields } from '../../kube/selectors/field-selector.ts';
import { selectableFields, type MetricsCatalog } from '../../metrics-api/catalog.ts';
import type { MetricsList } from '../../metrics-api/list.ts';
import { apiGroup, type ApiVersion, type NodeMetrics, type PodMetrics } from '../../metrics-api/objects.ts';
import { milliseconds, type EpochMs, type Milliseconds } from '../../model/units.ts';
import type { Answer } from '../../wire/body.ts';
import { encodeMetrics } from '../../wire/encode.ts';
import { negotiate, resourceEndpoint } from '../../wire/negotiation.ts';
import type { PieceMemory } from '../../wire/piece-memory.ts';
import { listTypes, objectTypes, requireProduced } from '../../wire/router-negotiation.ts';
import { badRequest, memoryShort, methodNotAllowed, notFound, watchNotSupported } from '../../wire/status.ts';
import { decodeListOptions, validateListOptions } from '../list-options.ts';
import { firstValue, isTrue } from '../request-target.ts';
import type { ApiRequest } from './api-request.ts';

export interface ResourceDependencies {
  readonly catalog: MetricsCatalog;
  readonly now: () => EpochMs;
  /** Hears of every object in an answer, how old its window is. */
  readonly served: (age: Milliseconds) => void;
  /** Whether there is memory for a large list of all namespaces; asked right before it is made. */
  readonly admitsLargeList: () => boolean;
  /** Hears of every large list, of one namespace, too. */
  readonly largeListBegins: () => void;
  readonly pieceMemory: PieceMemory;
}

/** The page size of `kubectl get`: who pages is answered however short memory is. */
const largestSmallList = 500;

/** What a resource path leads to. */
export interface ResourceRoute {
  readonly to: 'list' | 'object';
  readonly version: ApiVersion;
  readonly resource: 'nodes' | 'pods';
}

/**
 * Answers a list or a get, checking in the order in which Kubernetes checks: method, produced types, encoding, options, object.
 * @throws {StatusError} 429 for a large list over all namespaces when there is no memory for it
 * @throws {SelectorError}
 * @throws {ContinueTokenError}
 */
export function serveResource(route: ResourceRoute, request: ApiRequest, deps: ResourceDependencies): Answer {
  const { info, wishes } = request;
  if (info.method !== 'GET') throw methodNotAllowed();
  requireProduced(wishes.accept, route.to === 'list' ? listTypes : objectTypes);
  const format = negotiate(wishes, resourceEndpoint);
  const includeObject = firstValue(info.query, 'includeObject');
  const now = deps.now();
  const tell = (timestamp: EpochMs): void => deps.served(milliseconds(Math.max(0, now - timestamp)));
  const encoding = { format, apiVersion: route.version, includeObject, now, pieceMemory: deps.pieceMemory };
  if (route.to === 'list') return encodeMetrics(observed(list(route, request, deps), tell), encoding);
  const object = get(route, request, deps);
  tell(object.timestamp);
  return encodeMetrics(object, encoding);
}

function list(
  { resource }: ResourceRoute,
  { info }: ApiRequest,
  { catalog, admitsLargeList, largeListBegins }: ResourceDependencies,
): MetricsList {
  const options = decodeListOptions(info.query);
  validateListOptions(options);
  requireKnownFields(options.fieldSelector, selectableFields[resource]);
  if (options.watch) throw watchNotSupported(resource, apiGroup);
  if (resource === 'nodes') return catalog.listNodes(options);
  const pods = catalog.listPods(info.namespace, options);
  if (pods.most > largestSmallList) {
    const isOfAll = info.namespace === '' && exactField(options.fieldSelector, 'metadata.namespace') === undefined;
    if (isOfAll && !admitsLargeList()) throw memoryShort(largestSmallList);
    largeListBegins();
  }
  return pods;
}

/** The list, with the timestamp of each item told when it is taken. */
function observed(list: MetricsList, tell: (timestamp: EpochMs) => void): MetricsList {
  function* batches(): Generator<readonly (NodeMetrics | PodMetrics)[]> {
    for (const batch of list.batches) {
      for (const { timestamp } of batch) tell(timestamp);
      yield batch;
    }
  }
  return { ...list, batches: batches(), taken: tell };
}

function get({ resource }: ResourceRoute, { info }: ApiRequest, { catalog }: ResourceDependencies) {
  const exported = firstValue(info.query, 'export');
  if (isTrue(exported)) throw badRequest('the export parameter, deprecated since v1.14, is no longer supported');
  const { namespace, name } = info;
  return resource === 'nodes'
    ? found(catalog.node(name), 'node', name)
    : found(catalog.pod(namespace, name), 'pods', name, namespace);
}

/** The two ways of not being there are told apart: the object does not exist, or it has no metrics. */
function found<Metrics extends NodeMetrics | PodMetrics>(
  metrics: Metrics | 'no-object' | 'no-metrics',
  kind: 'node' | 'pods',
  name: string,
  namespace?: string,
): Metrics {
  if (metrics === 'no-object') throw notFound(kind, '', name);
  if (metrics !== 'no-metrics') return metrics;
  throw namespace === undefined
    ? notFound('nodemetrics', apiGroup, name)
    : notFound('podmetrics', apiGroup, `${namespace}/${name}`);
}
