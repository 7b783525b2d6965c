/** One Prometheus metric: what `/metrics` calls it, and what it says. */
export interface MetricEntry {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Has a `node` label, too, with `--per-node-metrics`. */
  readonly perNode?: true;
  /** Upper bounds; `resolution` stands for `resolutionBuckets`. */
  readonly buckets?: readonly number[] | 'resolution';
}

const defaultBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const requestBuckets = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];
const reviewBuckets = exponentialBuckets(0.001, 2, 15);
const requestLabels = ['verb', 'dry_run', 'group', 'version', 'resource', 'subresource', 'scope', 'component'];

/**
 * Every metric of `/metrics` but those about the process itself (`process_*`, `nodejs_*`). `metrics_server_*` are metrics-server's, `apiserver_*`, `auth*` and
 * `rest_client_*` those of Kubernetes components; names, labels and buckets are theirs, so that existing dashboards and alerts work.
 */
export const catalogue = {
  cycleDuration: {
    name: 'metrics_server_manager_tick_duration_seconds',
    type: 'histogram',
    help: 'Time of one scraping cycle of one node, from its start until its windows are published.',
    labels: [],
    buckets: 'resolution',
  },
  kubeletRequestDuration: {
    name: 'metrics_server_kubelet_request_duration_seconds',
    type: 'histogram',
    help: 'Time of requests to kubelets.',
    labels: [],
    perNode: true,
    buckets: defaultBuckets,
  },
  kubeletRequests: {
    name: 'metrics_server_kubelet_request_total',
    type: 'counter',
    help: 'Requests to kubelets, by success.',
    labels: ['success'],
  },
  kubeletLastRequest: {
    name: 'metrics_server_kubelet_last_request_time_seconds',
    type: 'gauge',
    help: 'When the last request to a kubelet ended, in seconds since the epoch.',
    labels: [],
    perNode: true,
  },
  freshness: {
    name: 'metrics_server_api_metric_freshness_seconds',
    type: 'histogram',
    help: 'Age of the metrics that were served, one observation for each object.',
    labels: [],
    buckets: exponentialBuckets(1, 1.364, 20),
  },
  storagePoints: {
    name: 'metrics_server_storage_points',
    type: 'gauge',
    help: 'Nodes and containers that have a window.',
    labels: ['type'],
  },
  kubeletFailures: {
    name: 'kubetally_kubelet_request_failures_total',
    type: 'counter',
    help: 'Failed requests to kubelets, by reason.',
    labels: ['reason'],
  },
  kubeletBytes: {
    name: 'kubetally_kubelet_response_bytes_total',
    type: 'counter',
    help: 'Bytes of the bodies that kubelets answered.',
    labels: [],
  },
  scrapeDelay: {
    name: 'kubetally_scrape_start_delay_seconds',
    type: 'histogram',
    help: 'How late the cycles of nodes started after they were due.',
    labels: [],
    buckets: defaultBuckets,
  },
  scrapeRetries: {
    name: 'kubetally_scrape_retries_total',
    type: 'counter',
    help: 'Requests repeated within the same cycle after a failure.',
    labels: [],
  },
  scrapeBackoffs: {
    name: 'kubetally_scrape_backoffs_total',
    type: 'counter',
    help: 'Cycles put off because a node keeps failing.',
    labels: [],
  },
  sourceFallbacks: {
    name: 'kubetally_source_fallbacks_total',
    type: 'counter',
    help: 'Switches of a node from the Summary API to /metrics/resource, by reason.',
    labels: ['reason'],
  },
  nodesBySource: {
    name: 'kubetally_nodes_by_source',
    type: 'gauge',
    help: 'Nodes by what is read from their kubelet now.',
    labels: ['source'],
  },
  nodesBackingOff: {
    name: 'kubetally_nodes_backing_off',
    type: 'gauge',
    help: 'Nodes that keep failing and are scraped less often.',
    labels: [],
  },
  stalestNode: {
    name: 'kubetally_stalest_node_age_seconds',
    type: 'gauge',
    help: 'Time since the last success of the five nodes where that is longest.',
    labels: ['node'],
  },
  slowestNode: {
    name: 'kubetally_slowest_node_request_seconds',
    type: 'gauge',
    help: 'Time of the last request to the five nodes where that is longest.',
    labels: ['node'],
  },
  windowsPublished: {
    name: 'kubetally_window_age_seconds',
    type: 'histogram',
    help: 'Age of windows when they were published, by class of data.',
    labels: ['type'],
    buckets: [1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300],
  },
  oldestWindow: {
    name: 'kubetally_oldest_window_age_seconds',
    type: 'gauge',
    help: 'Age of the oldest window that is served, by class of data.',
    labels: ['type'],
  },
  windowsRefused: {
    name: 'kubetally_windows_refused_total',
    type: 'counter',
    help: 'Samples that made no window, by reason.',
    labels: ['reason'],
  },
  absent: {
    name: 'kubetally_absent_objects',
    type: 'gauge',
    help: 'Nodes and running pods without metrics, by reason.',
    labels: ['resource', 'reason'],
  },
  inventoryNodes: {
    name: 'kubetally_inventory_nodes',
    type: 'gauge',
    help: 'Nodes known and selected, by readiness.',
    labels: ['ready'],
  },
  inventoryPods: {
    name: 'kubetally_inventory_pods',
    type: 'gauge',
    help: 'Running pods known.',
    labels: [],
  },
  watchRestarts: {
    name: 'kubetally_watch_restarts_total',
    type: 'counter',
    help: 'Watches of the API server that had to be started again, by resource and reason.',
    labels: ['resource', 'reason'],
  },
  kubeRequests: {
    name: 'rest_client_requests_total',
    type: 'counter',
    help: 'Requests to the Kubernetes API server, by status code (<error> without an answer) and method.',
    labels: ['code', 'method'],
  },
  kubeRequestDuration: {
    name: 'rest_client_request_duration_seconds',
    type: 'histogram',
    help: 'Time of requests to the Kubernetes API server.',
    labels: ['verb'],
    buckets: [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60],
  },
  requests: {
    name: 'apiserver_request_total',
    type: 'counter',
    help: 'Requests answered.',
    labels: [...requestLabels, 'code'],
  },
  requestDuration: {
    name: 'apiserver_request_duration_seconds',
    type: 'histogram',
    help: 'Time of requests.',
    labels: requestLabels,
    buckets: requestBuckets,
  },
  requestsInFlight: {
    name: 'apiserver_current_inflight_requests',
    type: 'gauge',
    help: 'Requests being answered.',
    labels: ['request_kind'],
  },
  requestsRejected: {
    name: 'kubetally_requests_rejected_total',
    type: 'counter',
    help: 'Requests refused because of a limit.',
    labels: ['reason'],
  },
  connections: {
    name: 'kubetally_client_connections',
    type: 'gauge',
    help: 'Open client connections.',
    labels: [],
  },
  authenticationAttempts: {
    name: 'authentication_attempts',
    type: 'counter',
    help: 'Authentications, by result: success (also of who shows no credential) or error (a credential was refused, or could not be judged).',
    labels: ['result'],
  },
  authenticationDuration: {
    name: 'authentication_duration_seconds',
    type: 'histogram',
    help: 'Time of authentications.',
    labels: ['result'],
    buckets: reviewBuckets,
  },
  authorizationAttempts: {
    name: 'authorization_attempts_total',
    type: 'counter',
    help: 'Authorizations, by result: allowed, denied (expressly), no-opinion (nobody allowed it) or error.',
    labels: ['result'],
  },
  authorizationDuration: {
    name: 'authorization_duration_seconds',
    type: 'histogram',
    help: 'Time of authorizations.',
    labels: ['result'],
    buckets: reviewBuckets,
  },
  reviewCache: {
    name: 'kubetally_review_cache_requests_total',
    type: 'counter',
    help: 'Questions to the caches of token and access reviews, by whether they knew the answer.',
    labels: ['cache', 'hit'],
  },
  memoryLimit: {
    name: 'kubetally_memory_limit_bytes',
    type: 'gauge',
    help: 'Most memory that may be used: by the process (of its container or machine), and of it by the JavaScript heap.',
    labels: ['of'],
  },
  memoryPressure: {
    name: 'kubetally_memory_pressure_ratio',
    type: 'gauge',
    help: 'The greater of the shares of both memory limits in use. From 0.85 on large lists are refused.',
    labels: [],
  },
  memoryReliefs: {
    name: 'kubetally_memory_reliefs_total',
    type: 'counter',
    help: 'How often something was given up because memory was short: garbage first, then what can be made again.',
    labels: ['what'],
  },
  certificateExpiry: {
    name: 'kubetally_serving_certificate_expiration_timestamp_seconds',
    type: 'gauge',
    help: 'When the serving certificate expires, in seconds since the epoch.',
    labels: [],
  },
  buildInfo: {
    name: 'kubetally_build_info',
    type: 'gauge',
    help: 'Always 1; the labels tell the version.',
    labels: ['version', 'node_version'],
  },
} as const satisfies Record<string, MetricEntry>;

/** Buckets of `metrics_server_manager_tick_duration_seconds`: the default ones, and four around a resolution of more than 10 s. */
export function resolutionBuckets(resolutionSeconds: number): readonly number[] {
  if (resolutionSeconds <= 10) return defaultBuckets;
  return [
    ...defaultBuckets,
    (10 + resolutionSeconds) / 2,
    resolutionSeconds,
    resolutionSeconds * 1.5,
    resolutionSeconds * 2,
  ];
}

/** `count` bounds from `start`, each `factor` times the one before. */
function exponentialBuckets(start: number, factor: number, count: number): readonly number[] {
  const bounds: number[] = [];
  for (let bound = start; bounds.length < count; bound *= factor) bounds.push(bound);
  return bounds;
}
