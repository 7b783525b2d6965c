import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import { asInImage } from '../../hack/bench/as-in-image.ts';
import { CalmWatch } from '../../hack/bench/calm-watch.ts';
import { drawCurves } from '../../hack/bench/curve.ts';
import { growth, histogramQuantile, readExposition } from '../../hack/bench/exposition.ts';
import { ratios, withinBudget } from '../../hack/bench/figure.ts';
import { Http2Client } from '../../hack/bench/http2-client.ts';
import { cpuMilliseconds, processUsage } from '../../hack/bench/process-usage.ts';
import { tableOf } from '../../hack/bench/report.ts';
import { parseSize } from '../../hack/bench/settings.ts';
import { growths, type SoakSample } from '../../hack/bench/soak-growth.ts';
import { median, quantile } from '../../hack/bench/statistics.ts';
import { clientCertificate, servingCertificate, testAuthority } from '../support/pki.ts';

const figure = { bench: 'scrape', name: 'CPU', unit: 'ms', kubetally: 30, floor: 20, metricsServer: 60 };

describe('benchmarks', () => {
  it('go on over a new connection when the server retires theirs', async (context) => {
    const authority = await testAuthority('ca');
    const server = createSecureServer(await servingCertificate(authority, '127.0.0.1'));
    let connections = 0;
    server.on('session', (session) => {
      connections++;
      session.once('stream', () => session.close());
    });
    server.on('stream', (stream) => {
      stream.respond({ ':status': 200 });
      stream.end('here');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    context.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const client = new Http2Client(`https://127.0.0.1:${port}`, await clientCertificate(authority, 'somebody'));
    context.after(() => client.close());
    for (let request = 1; request <= 3; request++) assert.equal((await client.get('/', {})).status, 200);
    assert.equal(connections, 3);
  });

  it('run a program with the settings of the image', () => {
    const [file = '', ...args] = asInImage(fileURLToPath(new URL('runtime-settings.mjs', import.meta.url)));
    const { execArgv, env } = JSON.parse(execFileSync(file, args, { encoding: 'utf8' })) as {
      readonly execArgv: readonly string[];
      readonly env: NodeJS.ProcessEnv;
    };
    assert.ok(execArgv.includes('--min-semi-space-size=2'), execArgv.join(' '));
    assert.match(env['NODE_OPTIONS'] ?? '', /--max-semi-space-size=8/);
    assert.equal(env['MALLOC_MMAP_THRESHOLD_'], '32768');
  });

  it('read user and system time behind a program name with spaces and parentheses', () => {
    assert.equal(cpuMilliseconds('7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 12 34 0 0 20 0 1'), 460);
  });

  it('see the memory of a running process', () => {
    const { rss, peakRss } = processUsage(process.pid);
    assert.ok(rss > 1 && peakRss >= rss);
  });

  it('leave out a request during which, or shortly before which, other machines took CPU', (context) => {
    context.mock.timers.enable({ apis: ['setInterval'] });
    let [now, stolen] = [0, 10];
    context.mock.method(performance, 'now', () => now);
    const pass = (milliseconds: number) => {
      now += milliseconds;
      context.mock.timers.tick(milliseconds);
    };
    const watch = new CalmWatch(() => stolen);
    context.after(() => watch.stop());
    const calm = watch.begin();
    pass(1000);
    assert.equal(calm(), true);
    const during = watch.begin();
    stolen += 10;
    assert.equal(during(), false);
    stolen += 10;
    pass(100);
    assert.equal(watch.begin()(), false, 'shortly before');
    pass(1000);
    assert.equal(watch.begin()(), true, 'long after');
  });

  it('count only what a histogram took in between two readings', () => {
    const before = readExposition('d_bucket{le="1"} 10\nd_bucket{le="2"} 10\nd_bucket{le="+Inf"} 10\nd_count 10\n');
    const after = readExposition('d_bucket{le="1"} 10\nd_bucket{le="2"} 14\nd_bucket{le="+Inf"} 14\nd_count 14\n');
    assert.equal(histogramQuantile(before, after, 'd', 0.5), 1.5);
    assert.equal(growth(before, after, 'd_count'), 4);
    assert.ok(Number.isNaN(histogramQuantile(after, after, 'd', 0.5)));
  });

  it('give the last bound for what lies beyond it', () => {
    const after = readExposition('d_bucket{le="1"} 1\nd_bucket{le="+Inf"} 100\nd_count 100\n');
    assert.equal(histogramQuantile(new Map(), after, 'd', 0.99), 1);
  });

  it('compare with the floor and with metrics-server', () => {
    assert.deepEqual(ratios(figure), { toFloor: 1.5, toMetricsServer: 0.5 });
    assert.equal(withinBudget({ ...figure, budget: { of: 'floor', most: 1.6 } }), true);
    assert.equal(withinBudget({ ...figure, budget: { of: 'metrics-server', most: 0.4 } }), false);
    assert.equal(withinBudget({ ...figure, budget: { of: 'itself', most: 30 } }), true);
  });

  it('judge no budget when nobody is there to compare with', () => {
    const budget = { of: 'metrics-server', most: 0.7 } as const;
    assert.equal(withinBudget({ ...figure, metricsServer: undefined, budget }), undefined);
  });

  it('print one aligned line for each figure', () => {
    const [head, line] = tableOf([{ ...figure, budget: { of: 'floor', most: 1.2 } }]).split('\n');
    assert.match(head ?? '', /^figure +unit +kubetally +floor +x +metrics-server +x +budget$/);
    assert.match(line ?? '', /^scrape: CPU +ms +30\.0 +20\.0 +1\.50 +60\.0 +0\.50 +<= 1\.2 x floor +OVER$/);
  });

  it('take sizes as nodes and pods on each', () => {
    assert.deepEqual(parseSize('100x70'), { nodes: 100, podsPerNode: 70 });
    assert.throws(() => parseSize('100'), /"100" is no size/);
  });

  it('take quantiles of unsorted values', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(quantile([5, 1, 4, 2, 3], 0.99), 5);
  });

  it('tell what grew in a soak from what only moved', () => {
    const sample = (number: number): SoakSample => ({
      seconds: number,
      heap: 30 + number,
      rss: 100 + (number % 3),
      descriptors: 40 + (number % 7),
      resources: 6,
      series: 300,
      pods: 1000,
      containers: 1000,
    });
    const grown = growths(Array.from({ length: 30 }, (_, number) => sample(number))).filter(({ grew }) => grew);
    assert.deepEqual(
      grown.map(({ what }) => what),
      ['heap'],
    );
  });

  it('draw every curve within the picture', () => {
    const points = [0, 1, 2].map((seconds) => ({ seconds, value: seconds * 10 }));
    const svg = drawCurves('a < b', [{ title: 'Heap', unit: 'MiB', points }]);
    assert.match(svg, /a &lt; b/);
    const [, line = ''] = /polyline points="([^"]+)"/.exec(svg) ?? [];
    assert.deepEqual(
      line.split(' ').map((point) => point.split(',').every((value) => Number(value) >= 0)),
      [true, true, true],
    );
  });
});
