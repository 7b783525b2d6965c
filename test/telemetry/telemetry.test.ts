import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytes, epochMs, milliseconds, seconds, type Milliseconds } from '../../src/model/units.ts';
import { catalogue, resolutionBuckets } from '../../src/telemetry/metric-catalogue.ts';
import { Telemetry, type TelemetrySettings } from '../../src/telemetry/telemetry.ts';
import { FakeClock } from '../support/fake-clock.ts';

const ms = milliseconds;

function telemetry(settings: Partial<TelemetrySettings> = {}): Telemetry {
  return new Telemetry({
    resolution: seconds(15),
    perNode: false,
    version: '1.2.3',
    clock: new FakeClock('2026-11-22T10:00:00Z'),
    processMetrics: false,
    ...settings,
  });
}

/** The lines of `/metrics` that begin with a name, without comments. */
async function lines(from: Telemetry, name: string): Promise<string[]> {
  const { body } = await from.exposition();
  return body.split('\n').filter((line) => line.startsWith(name));
}

async function names(from: Telemetry): Promise<string[]> {
  const { body } = await from.exposition();
  return [...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
}

function scrape(to: Telemetry, node: string, duration: Milliseconds, failure?: string): void {
  to.kubeletRequestFinished({ node, duration, ...(failure === undefined ? {} : { failure }) });
  to.kubeletBodyReceived(bytes(100));
}

describe('telemetry', () => {
  it('has every metric of the catalogue, and no other', async () => {
    assert.deepEqual(
      (await names(telemetry())).sort(),
      Object.values(catalogue)
        .map(({ name }) => name)
        .sort(),
    );
  });

  it('speaks the Prometheus text format', async () =>
    assert.equal((await telemetry().exposition()).contentType, 'text/plain; version=0.0.4; charset=utf-8'));

  it('has the six of metrics-server with its labels', async () => {
    const some = telemetry({ perNode: true });
    scrape(some, 'n1', ms(20));
    some.metricsServed(seconds(12));
    some.observe({
      windows: async () => ({ node: { count: 1, oldest: undefined }, container: { count: 2, oldest: undefined } }),
    });
    const types = (await some.exposition()).body.match(/^# TYPE metrics_server_.*$/gm);
    assert.deepEqual(types?.sort(), [
      '# TYPE metrics_server_api_metric_freshness_seconds histogram',
      '# TYPE metrics_server_kubelet_last_request_time_seconds gauge',
      '# TYPE metrics_server_kubelet_request_duration_seconds histogram',
      '# TYPE metrics_server_kubelet_request_total counter',
      '# TYPE metrics_server_manager_tick_duration_seconds histogram',
      '# TYPE metrics_server_storage_points gauge',
    ]);
    assert.deepEqual(await lines(some, 'metrics_server_kubelet_last_request'), [
      'metrics_server_kubelet_last_request_time_seconds{node="n1"} 1795341600',
    ]);
    assert.deepEqual(await lines(some, 'metrics_server_storage_points'), [
      'metrics_server_storage_points{type="node"} 1',
      'metrics_server_storage_points{type="container"} 2',
    ]);
    assert.ok(
      (await lines(some, 'metrics_server_kubelet_request_duration')).includes(
        'metrics_server_kubelet_request_duration_seconds_count{node="n1"} 1',
      ),
    );
  });

  it('gives no series a node label unless asked, but for the worst nodes', async () => {
    const some = telemetry();
    for (let at = 0; at < 100; at++) scrape(some, `n${at}`, ms(at));
    const labelled = (await some.exposition()).body.match(/^.*node=".*$/gm) ?? [];
    assert.equal(labelled.length, 10);
    assert.ok(labelled.every((line) => /^kubetally_(stalest|slowest)_node_/.test(line)));
  });

  for (const [resolution, extra] of [
    [10, []],
    [15, [12.5, 15, 22.5, 30]],
    [60, [35, 60, 90, 120]],
  ] as const)
    it(`puts cycle buckets around a resolution of ${resolution} s`, () =>
      assert.deepEqual(resolutionBuckets(resolution).slice(11), extra));

  it('uses those buckets', async () => {
    const some = telemetry();
    some.cycleFinished(seconds(20));
    const counted = await lines(some, 'metrics_server_manager_tick_duration_seconds_bucket');
    assert.deepEqual(counted.slice(-4), [
      'metrics_server_manager_tick_duration_seconds_bucket{le="15"} 0',
      'metrics_server_manager_tick_duration_seconds_bucket{le="22.5"} 1',
      'metrics_server_manager_tick_duration_seconds_bucket{le="30"} 1',
      'metrics_server_manager_tick_duration_seconds_bucket{le="+Inf"} 1',
    ]);
  });

  it('counts kubelet requests by success and failures by reason', async () => {
    const some = telemetry();
    scrape(some, 'n1', ms(20));
    scrape(some, 'n1', ms(20), 'timeout');
    assert.deepEqual(await lines(some, 'metrics_server_kubelet_request_total'), [
      'metrics_server_kubelet_request_total{success="true"} 1',
      'metrics_server_kubelet_request_total{success="false"} 1',
    ]);
    assert.deepEqual(await lines(some, 'kubetally_kubelet_request_failures'), [
      'kubetally_kubelet_request_failures_total{reason="timeout"} 1',
    ]);
    assert.deepEqual(await lines(some, 'kubetally_kubelet_response'), ['kubetally_kubelet_response_bytes_total 200']);
  });

  it("observes ages in metrics-server's buckets", async () => {
    const some = telemetry();
    some.metricsServed(seconds(1), 3);
    some.metricsServed(seconds(2), 2);
    some.metricsServed(seconds(1000));
    const counted = await lines(some, 'metrics_server_api_metric_freshness_seconds');
    assert.equal(counted.length, 23);
    assert.deepEqual(
      [...counted.slice(0, 4), ...counted.slice(-4)],
      [
        'metrics_server_api_metric_freshness_seconds_bucket{le="1"} 3',
        'metrics_server_api_metric_freshness_seconds_bucket{le="1.364"} 3',
        'metrics_server_api_metric_freshness_seconds_bucket{le="1.8604960000000004"} 3',
        'metrics_server_api_metric_freshness_seconds_bucket{le="2.5377165440000007"} 5',
        counted.at(-4),
        'metrics_server_api_metric_freshness_seconds_bucket{le="+Inf"} 6',
        'metrics_server_api_metric_freshness_seconds_sum 1007',
        'metrics_server_api_metric_freshness_seconds_count 6',
      ],
    );
    assert.match(counted.at(-4) ?? '', /^metrics_server_api_metric_freshness_seconds_bucket\{le="364\.\d+"\} 5$/);
  });

  it('tells ages of node windows from those of container windows', async () => {
    const some = telemetry();
    some.windowsPublished('node', seconds(5));
    some.windowsPublished('container', seconds(6), 70);
    assert.deepEqual((await lines(some, 'kubetally_window_age_seconds_count')).sort(), [
      'kubetally_window_age_seconds_count{type="container"} 70',
      'kubetally_window_age_seconds_count{type="node"} 1',
    ]);
  });

  it('names the five stalest and the five slowest nodes', async () => {
    const clock = new FakeClock();
    const some = telemetry({ clock });
    for (let at = 0; at < 8; at++) scrape(some, `n${at}`, ms(1000 - at));
    await clock.advance(30_000);
    for (let at = 2; at < 8; at++) scrape(some, `n${at}`, ms(1000 - at), at === 4 ? 'timeout' : undefined);
    assert.deepEqual(
      (await lines(some, 'kubetally_stalest')).slice(0, 3),
      [0, 1, 4].map((at) => `kubetally_stalest_node_age_seconds{node="n${at}"} 30`),
    );
    assert.deepEqual(
      await lines(some, 'kubetally_slowest'),
      [0, 1, 2, 3, 4].map((at) => `kubetally_slowest_node_request_seconds{node="n${at}"} ${(1000 - at) / 1000}`),
    );
  });

  it('drops every series of a node that left', async () => {
    const some = telemetry({ perNode: true });
    const before = (await some.exposition()).body;
    for (let at = 0; at < 1000; at++) scrape(some, `n${at}`, ms(5));
    for (let at = 0; at < 1000; at++) some.nodeGone(`n${at}`);
    const after = (await some.exposition()).body;
    assert.ok(!after.includes('node="'));
    assert.equal(after.split('\n').length, before.split('\n').length);
  });

  it('asks for the state at each reading, and has no value where nobody answers', async () => {
    const clock = new FakeClock();
    const some = telemetry({ clock });
    const observed = /^(kubetally_(inventory|nodes|absent|client|oldest)|metrics_server_storage)[^\n]*$/gm;
    assert.deepEqual((await some.exposition()).body.match(observed), null);
    let pods = 7;
    some.observe({ inventory: () => ({ nodes: 3, readyNodes: 2, pods }), connections: () => 4 });
    some.observe({
      windows: async () => ({
        node: { count: 0, oldest: undefined },
        container: { count: 1, oldest: epochMs(clock.now() - 9000) },
      }),
      absent: async () => [{ resource: 'pods', reason: 'expired', count: 2 }],
      scraping: () => ({ fromSummary: 2, fromResource: 1, backingOff: 1 }),
    });
    assert.deepEqual((await some.exposition()).body.match(observed), [
      'metrics_server_storage_points{type="node"} 0',
      'metrics_server_storage_points{type="container"} 1',
      'kubetally_oldest_window_age_seconds{type="container"} 9',
      'kubetally_absent_objects{resource="pods",reason="expired"} 2',
      'kubetally_inventory_nodes{ready="true"} 2',
      'kubetally_inventory_nodes{ready="false"} 1',
      'kubetally_inventory_pods 7',
      'kubetally_nodes_by_source{source="summary"} 2',
      'kubetally_nodes_by_source{source="resource"} 1',
      'kubetally_nodes_backing_off 1',
      'kubetally_client_connections 4',
    ]);
    pods = 8;
    some.observe({ absent: async () => [] });
    assert.deepEqual(await lines(some, 'kubetally_inventory_pods'), ['kubetally_inventory_pods 8']);
    assert.deepEqual(await lines(some, 'kubetally_absent'), []);
  });

  it('counts windows once for readings that overlap, and tells all of them', async () => {
    const some = telemetry();
    let counted = 0;
    some.observe({
      windows: async () => {
        counted++;
        await new Promise(setImmediate);
        return { node: { count: 3, oldest: undefined }, container: { count: 5, oldest: undefined } };
      },
    });
    const points = async (): Promise<string[]> => await lines(some, 'metrics_server_storage_points');
    const expected = [
      'metrics_server_storage_points{type="node"} 3',
      'metrics_server_storage_points{type="container"} 5',
    ];
    assert.deepEqual(await Promise.all([points(), points()]), [expected, expected]);
    assert.equal(counted, 1);
    await points();
    assert.equal(counted, 2);
  });

  it('counts requests as Kubernetes does', async () => {
    const some = telemetry();
    const resource = { version: 'v1beta1', name: 'pods', scope: 'namespace' } as const;
    some.requestsInFlight(1);
    some.requestFinished({ verb: 'list', code: 200, duration: ms(30), resource });
    assert.deepEqual(await lines(some, 'apiserver_request_total'), [
      'apiserver_request_total{verb="LIST",dry_run="",group="metrics.k8s.io",version="v1beta1",resource="pods",subresource="",scope="namespace",component="apiserver",code="200"} 1',
    ]);
    assert.deepEqual(await lines(some, 'apiserver_current_inflight_requests'), [
      'apiserver_current_inflight_requests{request_kind="readOnly"} 1',
      'apiserver_current_inflight_requests{request_kind="mutating"} 0',
    ]);
  });

  it('has a bounded number of request series whatever clients send', async () => {
    const some = telemetry();
    for (let at = 0; at < 500; at++) {
      const resource = { version: `v${at + 2}`, name: `r${at}`, scope: 'cluster' } as const;
      some.requestFinished({ verb: `m${at}`, code: 404, duration: ms(1), resource });
    }
    assert.equal((await lines(some, 'apiserver_request_total')).length, 1);
  });

  it('counts what else happens', async () => {
    const some = telemetry();
    some.cycleStarted(ms(-5));
    some.scrapeRetried();
    some.scrapeBackedOff();
    some.sourceFellBack('403');
    some.windowRefused('implausible', 2);
    some.watchRestarted('pods', 'gone');
    some.kubeRequestFinished('GET', 200, ms(4));
    some.kubeRequestFinished('POST', undefined, ms(4));
    some.requestRejected('in_flight');
    some.authenticationFinished('success', ms(3));
    some.authorizationFinished('denied', ms(3));
    some.reviewCacheAsked('authorization', true);
    some.memoryRelieved('garbage');
    some.observe({ memory: () => ({ limits: { process: bytes(200), heap: bytes(100) }, pressure: 0.5 }) });
    some.servingCertificateLoaded(epochMs(2_000_000_000_000));
    const { body } = await some.exposition();
    for (const line of [
      'kubetally_scrape_start_delay_seconds_sum 0',
      'kubetally_scrape_retries_total 1',
      'kubetally_scrape_backoffs_total 1',
      'kubetally_source_fallbacks_total{reason="403"} 1',
      'kubetally_windows_refused_total{reason="implausible"} 2',
      'kubetally_watch_restarts_total{resource="pods",reason="gone"} 1',
      'rest_client_requests_total{code="200",method="GET"} 1',
      'rest_client_requests_total{code="<error>",method="POST"} 1',
      'rest_client_request_duration_seconds_count{verb="GET"} 1',
      'kubetally_requests_rejected_total{reason="in_flight"} 1',
      'kubetally_memory_reliefs_total{what="garbage"} 1',
      'kubetally_memory_limit_bytes{of="process"} 200',
      'kubetally_memory_limit_bytes{of="heap"} 100',
      'kubetally_memory_pressure_ratio 0.5',
      'authentication_attempts{result="success"} 1',
      'authentication_duration_seconds_count{result="success"} 1',
      'authorization_attempts_total{result="denied"} 1',
      'authorization_duration_seconds_count{result="denied"} 1',
      'kubetally_review_cache_requests_total{cache="authorization",hit="true"} 1',
      'kubetally_serving_certificate_expiration_timestamp_seconds 2000000000',
      `kubetally_build_info{version="1.2.3",node_version="${process.version}"} 1`,
    ])
      assert.ok(body.split('\n').includes(line), line);
  });

  it('stands beside other instances', async () => {
    const [one, other] = [telemetry(), telemetry()];
    one.scrapeRetried();
    assert.deepEqual(await lines(other, 'kubetally_scrape_retries_total'), ['kubetally_scrape_retries_total 0']);
  });

  it('adds the process when asked', async () => {
    const found = await names(telemetry({ processMetrics: true }));
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_p99_seconds',
    ])
      assert.ok(found.includes(name), name);
  });
});
