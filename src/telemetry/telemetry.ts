import { collectDefaultMetrics, type Counter, type Gauge, type Histogram } from 'prom-client';
import type { Clock } from '../model/clock.ts';
import type { Bytes, EpochMs, Milliseconds } from '../model/units.ts';
import { catalogue } from './metric-catalogue.ts';
import { MetricRegistry } from './metric-registry.ts';
import { NodeLedger } from './node-ledger.ts';
import { registerObservedGauges } from './observed-gauges.ts';
import type { ObservedState } from './observed-state.ts';
import type { Recorder } from './recorded-histogram.ts';
import { RequestSeries, type RequestOutcome } from './request-series.ts';

/** Milliseconds between looks at the event loop's lag. prom-client's own 10 cost more CPU than scraping ten nodes. */
const eventLoopPrecision = 100;

export interface TelemetrySettings {
  /** `--metric-resolution`; decides the buckets of cycle times. */
  readonly resolution: Milliseconds;
  /** `--per-node-metrics`. */
  readonly perNode: boolean;
  readonly version: string;
  readonly clock: Pick<Clock, 'now'>;
  /** Adds `process_*` and `nodejs_*`. They observe the whole process for as long as it lives. */
  readonly processMetrics: boolean;
}

/** Classes of data that windows are about. */
export type WindowType = 'node' | 'container';

/** Everything the program counts about itself. Callers say what happened; names, labels and units are decided here. */
export class Telemetry {
  readonly #metrics: MetricRegistry;
  readonly #settings: TelemetrySettings;
  readonly #nodes = new NodeLedger();
  readonly #cycleDuration: Histogram;
  readonly #kubeletRequestDuration: Histogram;
  readonly #kubeletRequests: Counter;
  readonly #kubeletLastRequest: Gauge;
  readonly #kubeletFailures: Counter;
  readonly #kubeletBytes: Counter;
  readonly #scrapeDelay: Histogram;
  readonly #scrapeRetries: Counter;
  readonly #scrapeBackoffs: Counter;
  readonly #sourceFallbacks: Counter;
  readonly #windowsRefused: Counter;
  readonly #watchRestarts: Counter;
  readonly #kubeRequests: Counter;
  readonly #kubeRequestDuration: Histogram;
  readonly #requests: RequestSeries;
  readonly #requestsInFlight: Gauge;
  readonly #requestsRejected: Counter;
  readonly #authenticationAttempts: Counter;
  readonly #authenticationDuration: Histogram;
  readonly #authorizationAttempts: Counter;
  readonly #authorizationDuration: Histogram;
  readonly #reviewCache: Counter;
  readonly #memoryReliefs: Counter;
  readonly #certificateExpiry: Gauge;
  readonly #freshness: Recorder;
  readonly #windowAges: Readonly<Record<WindowType, Recorder>>;
  #state: ObservedState = {};

  constructor(settings: TelemetrySettings) {
    this.#settings = settings;
    const metrics = new MetricRegistry(settings.perNode, settings.resolution);
    this.#metrics = metrics;
    this.#cycleDuration = metrics.histogram(catalogue.cycleDuration);
    this.#kubeletRequestDuration = metrics.histogram(catalogue.kubeletRequestDuration);
    this.#kubeletRequests = metrics.counter(catalogue.kubeletRequests);
    this.#kubeletLastRequest = metrics.gauge(catalogue.kubeletLastRequest);
    this.#freshness = metrics.recordedHistogram(catalogue.freshness).series();
    this.#kubeletFailures = metrics.counter(catalogue.kubeletFailures);
    this.#kubeletBytes = metrics.counter(catalogue.kubeletBytes);
    this.#scrapeDelay = metrics.histogram(catalogue.scrapeDelay);
    this.#scrapeRetries = metrics.counter(catalogue.scrapeRetries);
    this.#scrapeBackoffs = metrics.counter(catalogue.scrapeBackoffs);
    this.#sourceFallbacks = metrics.counter(catalogue.sourceFallbacks);
    const windowAges = metrics.recordedHistogram(catalogue.windowsPublished);
    this.#windowAges = {
      node: windowAges.series({ type: 'node' }),
      container: windowAges.series({ type: 'container' }),
    };
    this.#windowsRefused = metrics.counter(catalogue.windowsRefused);
    this.#watchRestarts = metrics.counter(catalogue.watchRestarts);
    this.#kubeRequests = metrics.counter(catalogue.kubeRequests);
    this.#kubeRequestDuration = metrics.histogram(catalogue.kubeRequestDuration);
    this.#requests = new RequestSeries(metrics);
    this.#requestsInFlight = metrics.gauge(catalogue.requestsInFlight);
    this.#requestsRejected = metrics.counter(catalogue.requestsRejected);
    this.#authenticationAttempts = metrics.counter(catalogue.authenticationAttempts);
    this.#authenticationDuration = metrics.histogram(catalogue.authenticationDuration);
    this.#authorizationAttempts = metrics.counter(catalogue.authorizationAttempts);
    this.#authorizationDuration = metrics.histogram(catalogue.authorizationDuration);
    this.#reviewCache = metrics.counter(catalogue.reviewCache);
    this.#memoryReliefs = metrics.counter(catalogue.memoryReliefs);
    this.#certificateExpiry = metrics.gauge(catalogue.certificateExpiry);
    metrics.gauge(catalogue.buildInfo).set({ version: settings.version, node_version: process.version }, 1);
    for (const kind of ['readOnly', 'mutating']) this.#requestsInFlight.set({ request_kind: kind }, 0);
    for (const success of ['true', 'false']) this.#kubeletRequests.inc({ success }, 0);
    registerObservedGauges(metrics, () => this.#state, this.#nodes, settings.clock);
    if (settings.processMetrics)
      collectDefaultMetrics({ register: metrics.registry, eventLoopMonitoringPrecision: eventLoopPrecision });
  }

  /** Adds sources of what is read, rather than told, whenever `/metrics` is asked for. */
  observe(state: ObservedState): void {
    this.#state = { ...this.#state, ...state };
  }

  /** A node's cycle began `delay` after it was due. */
  cycleStarted(delay: Milliseconds): void {
    this.#scrapeDelay.observe(Math.max(0, delay) / 1000);
  }

  /** A node's cycle ended, its windows published or not. */
  cycleFinished(duration: Milliseconds): void {
    this.#cycleDuration.observe(duration / 1000);
  }

  /** @param failure the code of the error, when the request failed. */
  kubeletRequestFinished(request: {
    readonly node: string;
    readonly duration: Milliseconds;
    readonly failure?: string;
  }): void {
    const { node, duration, failure } = request;
    const now = this.#settings.clock.now();
    const labels: Record<string, string> = this.#settings.perNode ? { node } : {};
    this.#kubeletRequestDuration.observe(labels, duration / 1000);
    this.#kubeletLastRequest.set(labels, now / 1000);
    this.#kubeletRequests.inc({ success: failure === undefined ? 'true' : 'false' });
    if (failure !== undefined) this.#kubeletFailures.inc({ reason: failure });
    this.#nodes.record(node, now, duration, failure === undefined);
  }

  /** A kubelet answered with so large a body. */
  kubeletBodyReceived(size: Bytes): void {
    this.#kubeletBytes.inc(size);
  }

  /** A failed request is repeated within its cycle. */
  scrapeRetried(): void {
    this.#scrapeRetries.inc();
  }

  /** A node's next cycle is put off because it keeps failing. */
  scrapeBackedOff(): void {
    this.#scrapeBackoffs.inc();
  }

  /** A node is read from `/metrics/resource` from now on. */
  sourceFellBack(reason: string): void {
    this.#sourceFallbacks.inc({ reason });
  }

  /** The node left: every series and record of it goes. */
  nodeGone(node: string): void {
    this.#nodes.forget(node);
    if (!this.#settings.perNode) return;
    this.#kubeletRequestDuration.remove({ node });
    this.#kubeletLastRequest.remove({ node });
  }

  /** `count` windows of the same age were published. */
  windowsPublished(type: WindowType, age: Milliseconds, count = 1): void {
    this.#windowAges[type].observe(age / 1000, count);
  }

  /** A sample made no window. */
  windowRefused(reason: string, count = 1): void {
    this.#windowsRefused.inc({ reason }, count);
  }

  /** `count` objects whose windows ended `age` ago were served. */
  metricsServed(age: Milliseconds, count = 1): void {
    this.#freshness.observe(age / 1000, count);
  }

  /** A watch of the API server ended and begins again. */
  watchRestarted(resource: string, reason: string): void {
    this.#watchRestarts.inc({ resource, reason });
  }

  /** @param code the HTTP status; undefined when there was no answer. */
  kubeRequestFinished(method: string, code: number | undefined, duration: Milliseconds): void {
    this.#kubeRequests.inc({ code: code === undefined ? '<error>' : String(code), method });
    this.#kubeRequestDuration.observe({ verb: method }, duration / 1000);
  }

  /** How many requests are being answered now. */
  requestsInFlight(count: number): void {
    this.#requestsInFlight.set({ request_kind: 'readOnly' }, count);
  }

  /** A request was answered, or its client left. */
  requestFinished(outcome: RequestOutcome): void {
    this.#requests.finished(outcome);
  }

  /** A request was refused because a limit was reached. */
  requestRejected(reason: 'in_flight' | 'timeout' | 'too_large' | 'memory'): void {
    this.#requestsRejected.inc({ reason });
  }

  authenticationFinished(result: 'success' | 'error', duration: Milliseconds): void {
    this.#authenticationAttempts.inc({ result });
    this.#authenticationDuration.observe({ result }, duration / 1000);
  }

  authorizationFinished(result: 'allowed' | 'denied' | 'no-opinion' | 'error', duration: Milliseconds): void {
    this.#authorizationAttempts.inc({ result });
    this.#authorizationDuration.observe({ result }, duration / 1000);
  }

  /** A cache of reviews was asked. */
  reviewCacheAsked(cache: 'authentication' | 'authorization', hit: boolean): void {
    this.#reviewCache.inc({ cache, hit: String(hit) });
  }

  /** Memory was short, and `what` was given up. */
  memoryRelieved(what: string): void {
    this.#memoryReliefs.inc({ what });
  }

  servingCertificateLoaded(expires: EpochMs): void {
    this.#certificateExpiry.set(expires / 1000);
  }

  /** The body of `/metrics` with its content type: Prometheus text format 0.0.4. */
  async exposition(): Promise<{ readonly contentType: string; readonly body: string }> {
    const { registry } = this.#metrics;
    return { contentType: registry.contentType, body: await registry.metrics() };
  }
}
