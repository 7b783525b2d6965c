import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { KnownStrings } from '../../src/model/known-strings.ts';
import { epochMs } from '../../src/model/units.ts';
import { expositionSamples, ExpositionError, type ExpositionSample } from '../../src/scrape/exposition.ts';
import { decodeResourceMetrics, type ResourceMetrics } from '../../src/scrape/resource-metrics.ts';
import { ScrapeError } from '../../src/scrape/scrape-error.ts';
import { heapUsed } from '../support/heap.ts';

const answeredAt = epochMs(Date.parse('2026-11-22T10:00:00Z'));
const decode = (page: string): ResourceMetrics => decodeResourceMetrics(page, answeredAt, new KnownStrings());
const all = (text: string): ExpositionSample[] => [...expositionSamples(text, () => true)];

describe('reading the Prometheus text format', () => {
  it('reads names, labels, values and timestamps', () => {
    const [sample] = all('# HELP a b\n# TYPE a counter\n a{x="1", y="two" ,} 1.5e+07 1795330813082\n');
    assert.deepEqual(sample, {
      name: 'a',
      labels: new Map([
        ['x', '1'],
        ['y', 'two'],
      ]),
      value: '1.5e+07',
      timestamp: 1795330813082,
    });
  });

  it('undoes escapes of label values', () => {
    assert.equal(all(`${String.raw`a{x="q\"b\\n\nz\d}"} 1`}\n`)[0]?.labels.get('x'), 'q"b\\n\nz\\d}');
  });

  it('refuses a page that ends within a line: a number may have been cut', () => {
    assert.throws(() => all('a 1\nb 4194304'), /^ExpositionError: line 2: the page ends within it$/);
  });

  it('reads a page with blank lines and with carriage returns', () => {
    assert.deepEqual(
      all('a 1\r\n\r\n\n  \nb 2\n').map(({ name, value }) => [name, value]),
      [
        ['a', '1'],
        ['b', '2'],
      ],
    );
  });

  it('reads what is no finite number as it stands', () => {
    assert.deepEqual(
      all('a NaN\nb +Inf\nc -Inf\nd .5\ne 5.\n').map(({ value }) => value),
      ['NaN', '+Inf', '-Inf', '.5', '5.'],
    );
  });

  for (const line of [
    'a',
    'a{',
    'a{x',
    'a{x=}',
    'a{x="1} 1',
    'a{x="1"',
    'a{x="1" y="2"} 1',
    'a 1 2 3',
    'a one',
    '1a 1',
    'a{x="\\',
    'a 1x',
    'a{"x"="1"} 1',
  ])
    it(`refuses ${JSON.stringify(line)}, naming the line`, () => {
      assert.throws(
        () => all(`ok 1\n${line}`),
        (error) => error instanceof ExpositionError && error.line === 2,
      );
    });

  it('reads back any labels and values that were written by the rules of the format', () => {
    const escape = (text: string): string =>
      text
        .replaceAll('\\', '\\\\')
        .replaceAll('"', String.raw`\"`)
        .replaceAll('\n', String.raw`\n`);
    const labels = fc.dictionary(
      fc.stringMatching(/^[a-zA-Z_][a-zA-Z0-9_]{0,8}$/),
      fc.string({ unit: 'binary' }).filter((text) => !text.includes('\r')),
      { maxKeys: 4 },
    );
    fc.assert(
      fc.property(
        labels,
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.option(fc.nat()),
        (names, value, timestamp) => {
          const text = Object.entries(names)
            .map(([name, label]) => `${name}="${escape(label)}"`)
            .join(',');
          const [sample] = all(`m{${text}} ${value}${timestamp === null ? '' : ` ${timestamp}`}\n`);
          assert.deepEqual(Object.fromEntries(sample?.labels ?? []), { ...names });
          assert.equal(Number(sample?.value), value + 0);
          assert.equal(sample?.timestamp, timestamp ?? undefined);
        },
      ),
    );
  });

  it('never crashes on any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          all(text);
        } catch (error) {
          assert.ok(error instanceof ExpositionError);
        }
      }),
    );
  });
});

describe('decoding resource metrics', () => {
  it('reads what a real kubelet answered, to the nanosecond and the millisecond', () => {
    const page = readFileSync(new URL('../windows/data/containerd-cadvisor/05.resource.txt', import.meta.url), 'utf8');
    const { node, pods } = decode(page);
    assert.deepEqual(node?.cpu, { seconds: 1531, nanos: 757_075_480 });
    const consumer = pods.find(({ name }) => name === 'cpu-consumer')?.containers[0];
    assert.deepEqual(consumer, {
      name: 'cpu-consumer',
      startTime: 1795330529130,
      cpuTime: 1795330813082,
      cpu: { seconds: 17, nanos: 567_903_571 },
      cpuRate: undefined,
      memory: 839_680,
      memoryUsage: undefined,
    });
    assert.equal(pods.flatMap(({ containers }) => containers).length, 4);
  });

  const seconds: [text: string, seconds: number, nanos: number][] = [
    ['0.029', 0, 29_000_000],
    ['1e-09', 0, 1],
    ['9.5e-10', 0, 0],
    ['1.2345678901e+06', 1_234_567, 890_100_000],
    ['9007199.254740993', 9_007_199, 254_740_993],
    ['0', 0, 0],
    ['12', 12, 0],
    ['1.5e+00', 1, 500_000_000],
  ];
  for (const [text, whole, nanos] of seconds)
    it(`reads ${text} seconds without passing through a float`, () => {
      assert.deepEqual(decode(`node_cpu_usage_seconds_total ${text} 1000\n`).node?.cpu, { seconds: whole, nanos });
    });

  it('takes the time of the answer for a line without a timestamp', () => {
    assert.equal(decode('node_cpu_usage_seconds_total 5\n').node?.cpuTime, answeredAt);
  });

  it('passes over metrics of pods, of swap and of strangers', () => {
    assert.deepEqual(
      decode('pod_cpu_usage_seconds_total{namespace="n",pod="p"} 5 1\nother{ 1\nresource_scrape_error 0\n').pods,
      [],
    );
  });

  it('passes over a container without a name', () => {
    assert.deepEqual(decode('container_cpu_usage_seconds_total{container="",namespace="n",pod="p"} 5 1\n').pods, []);
  });

  for (const [what, bad] of [
    ['a negative counter', 'container_cpu_usage_seconds_total{LABELS} -1 1000'],
    ['a counter that is no number', 'container_cpu_usage_seconds_total{LABELS} NaN 1000'],
    ['a time in nanoseconds', 'container_cpu_usage_seconds_total{LABELS} 5 1795330813082000000'],
    ['a time in microseconds', 'container_cpu_usage_seconds_total{LABELS} 5 1795330813082000'],
  ] as const)
    it(`takes ${what} as no sample, of that container alone`, () => {
      const memory = 'container_memory_working_set_bytes{LABELS} 7 1000';
      const page = [bad, memory]
        .map((line) => line.replace('LABELS', 'container="c",namespace="n",pod="p"'))
        .join('\n');
      const { node, pods } = decode(`node_memory_working_set_bytes 9 1000\n${page}\n`);
      const [container] = pods[0]?.containers ?? [];
      assert.deepEqual([node?.memory, container?.memory, container?.cpu], [9, 7, undefined]);
    });

  it('takes memory and start times that cannot be as missing', () => {
    const labels = 'container="c",namespace="n",pod="p"';
    const { pods } = decode(
      `container_memory_working_set_bytes{${labels}} NaN 1\ncontainer_start_time_seconds{${labels}} 1e18\n`,
    );
    assert.deepEqual([pods[0]?.containers[0]?.memory, pods[0]?.containers[0]?.startTime], [undefined, undefined]);
  });

  for (const [what, page, message] of [
    ['a page of something else', 'go_goroutines 5\n', /none of the metrics of a kubelet/],
    ['a failed page', 'resource_scrape_error 1\n', /the kubelet reports a scrape error/],
  ] as const)
    it(`refuses ${what}`, () => {
      assert.throws(
        () => decode(page),
        (error) => error instanceof ScrapeError && error.code === 'parse' && message.test(error.message),
      );
    });

  it('gives names of containers that do not keep the page', async () => {
    const strings = new KnownStrings();
    const before = await heapUsed();
    const names = Array.from({ length: 100 }, (_, number) => {
      const labels = `container="a-long-container-name-${number}",namespace="n",pod="p"`;
      const page = `# ${'x'.repeat(100_000)}\ncontainer_memory_working_set_bytes{${labels}} 1 1\n`;
      const { pods } = decodeResourceMetrics(Buffer.from(page).toString(), answeredAt, strings);
      return pods[0]?.containers[0]?.name;
    });
    const grown = (await heapUsed()) - before;
    assert.equal(names[7], 'a-long-container-name-7');
    // The pages are 10 MB.
    assert.ok(grown < 2_000_000, `${grown} bytes more`);
  });
});
