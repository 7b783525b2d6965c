import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { KnownStrings } from '../../src/model/known-strings.ts';
import type { Sample } from '../../src/model/sample.ts';
import { ScrapeError } from '../../src/scrape/scrape-error.ts';
import { SummaryDecoder, type Summary } from '../../src/scrape/summary.ts';

const file = (name: string): Buffer => readFileSync(new URL(`data/${name}`, import.meta.url));
const summaries = new SummaryDecoder();
const decodeBody = (body: Buffer): Summary => summaries.decode(body);
const decode = (text: string): Summary => decodeBody(Buffer.from(text));

/** What the wire says, read by a parser that keeps all digits: strings for integers. */
function reference(body: Buffer): RawSummary {
  return JSON.parse(body.toString().replaceAll(/: (\d+)(?=[,\n}])/g, ': "$1"')) as RawSummary;
}
interface RawStats {
  readonly startTime?: string | null;
  readonly cpu?: { readonly time: string; readonly usageNanoCores?: string; readonly usageCoreNanoSeconds?: string };
  readonly memory?: { readonly workingSetBytes?: string; readonly usageBytes?: string };
}
interface RawSummary {
  readonly node: RawStats & { readonly nodeName: string };
  readonly pods: readonly {
    readonly podRef: { readonly name: string; readonly uid: string };
    readonly containers: readonly (RawStats & { readonly name: string })[] | null;
  }[];
}

function comparable(sample: Sample | undefined): Record<string, string | undefined> {
  const time = (value: number | undefined): string | undefined =>
    value === undefined ? undefined : new Date(value).toISOString().replace('.000Z', 'Z');
  return {
    startTime: time(sample?.startTime),
    cpuTime: time(sample?.cpuTime),
    cpu:
      sample?.cpu === undefined
        ? undefined
        : (BigInt(sample.cpu.seconds) * 1_000_000_000n + BigInt(sample.cpu.nanos)).toString(),
    rate: sample?.cpuRate?.toString(),
    memory: sample?.memory?.toString(),
    usage: sample?.memoryUsage?.toString(),
  };
}

function comparableRaw({ startTime, cpu, memory }: RawStats): Record<string, string | undefined> {
  return {
    startTime: startTime ?? undefined,
    cpuTime: cpu?.time,
    cpu: cpu?.usageCoreNanoSeconds,
    rate: cpu?.usageNanoCores,
    memory: memory?.workingSetBytes,
    usage: memory?.usageBytes,
  };
}

function assertAgrees(body: Buffer): void {
  const summary = decodeBody(body);
  const raw = reference(body);
  assert.equal(summary.nodeName, raw.node.nodeName);
  assert.deepEqual(comparable(summary.node), comparableRaw(raw.node));
  assert.deepEqual(
    summary.pods.map(({ name, uid, containers }) => ({
      name,
      uid,
      containers: containers.map((sample) => ({ name: sample.name, ...comparable(sample) })),
    })),
    raw.pods.map(({ podRef: { name, uid }, containers }) => ({
      name,
      uid,
      containers: (containers ?? []).map((stats) => ({ name: stats.name, ...comparableRaw(stats) })),
    })),
  );
}

/** The summary inside the file of edge cases, its numbers untouched. */
function edgeCases(): Buffer {
  const text = file('summary-edge-cases.json').toString();
  return Buffer.from(text.slice(text.indexOf('"summary": ') + '"summary": '.length, text.lastIndexOf('}')));
}

describe('decoding a Summary', () => {
  for (const name of ['summary-full.json', 'summary-cpu-memory.json'])
    it(`reads every number of ${name}`, () => assertAgrees(file(name)));

  for (const run of ['containerd-cadvisor', 'containerd-cri'])
    it(`reads every number that a real kubelet answered (${run})`, () => {
      for (let index = 0; index < 8; index++)
        assertAgrees(readFileSync(new URL(`../windows/data/${run}/0${index}.summary.json`, import.meta.url)));
    });

  it('reads the fifteen edge cases, with all digits', () => {
    assertAgrees(edgeCases());
    const summary = decodeBody(edgeCases());
    assert.equal(summary.pods.length, 15);
    assert.deepEqual(summary.node?.cpu, { seconds: 9_007_199, nanos: 254_740_993 });
  });

  it('accepts empty and null lists of pods and containers', () => {
    const { bodies } = JSON.parse(file('summary-empty-pods.json').toString()) as { bodies: string[] };
    assert.deepEqual(
      bodies.map((body) => decode(body).pods.length),
      [0, 0, 1],
    );
  });

  it('says that there are no node stats where a virtual kubelet gives none', () => {
    assert.equal(decode('{"node":{"nodeName":"virtual"},"pods":[]}').node, undefined);
    assert.equal(decode('{"pods":[]}').node, undefined);
  });

  it('reads names with escapes and with UTF-8', () => {
    const [pod] = decode('{"pods":[{"podRef":{"name":"a\\u0062\\"c","namespace":"größe","uid":"u"}}]}').pods;
    assert.deepEqual([pod?.name, pod?.namespace], ['ab"c', 'größe']);
  });

  it('leaves out a pod without a name', () => {
    assert.deepEqual(decode('{"pods":[{"podRef":{"namespace":"n","uid":"u"}},null]}').pods, []);
  });

  it('reads the largest counter there is', () => {
    assert.deepEqual(
      decode('{"node":{"cpu":{"time":"2026-11-22T10:00:00Z","usageCoreNanoSeconds":18446744073709551615}}}').node?.cpu,
      {
        seconds: 18_446_744_073,
        nanos: 709_551_615,
      },
    );
  });

  it('reads the days around leap days', () => {
    for (const time of [
      '0000-02-29T00:00:00Z',
      '1900-03-01T00:00:00Z',
      '2000-02-29T00:00:00Z',
      '2000-03-01T00:00:00Z',
      '2100-03-01T00:00:00Z',
      '2024-12-31T23:59:59Z',
    ])
      assert.equal(decode(JSON.stringify({ node: { cpu: { time } } })).node?.cpuTime, Date.parse(time), time);
  });

  it('reads a time with any characters changed as it reads one whose characters are escaped', () => {
    const places = fc.array(fc.tuple(fc.nat(19), fc.constantFrom(...'0123456789-:TZ tz.+OaA/'.split(''))), {
      maxLength: 3,
    });
    fc.assert(
      fc.property(places, (changes) => {
        const text = '2026-11-22T10:00:15Z'.split('');
        for (const [at, character] of changes) text[at] = character;
        const escaped = text.map((character) => `\\u00${character.charCodeAt(0).toString(16)}`);
        const [plain, general] = [text, escaped].map(
          (characters) =>
            decode(`{"node":{"memory":{},"cpu":{"usageCoreNanoSeconds":1,"time":"${characters.join('')}"}}}`).node
              ?.cpuTime,
        );
        assert.equal(plain, general);
      }),
    );
  });

  it('reads any time as Date does, with a fraction or without', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: Date.UTC(0, 0) - 1900 * 366 * 86_400_000, max: Date.UTC(9999, 11, 31) }),
        fc.boolean(),
        (instant, whole) => {
          const date = new Date(whole ? Math.floor(instant / 1000) * 1000 : instant);
          fc.pre(date.getUTCFullYear() >= 0);
          const time = date.toISOString();
          const body = JSON.stringify({ node: { cpu: { time: whole ? time.replace('.000Z', 'Z') : time } } });
          assert.equal(decode(body).node?.cpuTime, date.getTime());
        },
      ),
    );
  });

  it('keeps no times among the names it knows, however they are written', () => {
    const strings = new KnownStrings();
    const { capacity } = strings;
    const own = new SummaryDecoder(strings);
    for (let instant = 0; instant < 50_000; instant++) {
      const time = new Date(instant * 1000).toISOString().replace('Z', '+00:00');
      assert.equal(own.decode(Buffer.from(`{"node":{"cpu":{"time":"${time}"}}}`)).node?.cpuTime, instant * 1000);
    }
    assert.equal(strings.capacity, capacity);
  });

  type Field = 'cpuTime' | 'cpuRate' | 'memory' | 'memoryUsage';
  const impossible: [what: string, field: Field, container: { cpu?: object; memory?: object }][] = [
    ['a date that is none', 'cpuTime', { cpu: { time: '2026-13-45T10:00:00Z', usageCoreNanoSeconds: 7 } }],
    ['a letter in the year', 'cpuTime', { cpu: { time: '2O26-11-22T10:00:00Z', usageCoreNanoSeconds: 7 } }],
    ['no day', 'cpuTime', { cpu: { time: '2026-11-00T10:00:00Z', usageCoreNanoSeconds: 7 } }],
    ['no minute', 'cpuTime', { cpu: { time: '2026-11-22T10:60:00Z', usageCoreNanoSeconds: 7 } }],
    ['no second', 'cpuTime', { cpu: { time: '2026-11-22T10:00:60Z', usageCoreNanoSeconds: 7 } }],
    ['other signs', 'cpuTime', { cpu: { time: '2026-11-22T10.00.00Z', usageCoreNanoSeconds: 7 } }],
    ['another zone', 'cpuTime', { cpu: { time: '2026-11-22T10:00:00z', usageCoreNanoSeconds: 7 } }],
    ['29 February of 1900', 'cpuTime', { cpu: { time: '1900-02-29T10:00:00Z', usageCoreNanoSeconds: 7 } }],
    ['a day that its month has not', 'cpuTime', { cpu: { time: '2026-02-29T10:00:00Z', usageCoreNanoSeconds: 7 } }],
    ['such a day with a fraction', 'cpuTime', { cpu: { time: '2026-11-31T10:00:00.5Z', usageCoreNanoSeconds: 7 } }],
    ['midnight as 24 o’clock', 'cpuTime', { cpu: { time: '2026-11-22T24:00:00Z', usageCoreNanoSeconds: 7 } }],
    ['a time of day that is none', 'cpuTime', { cpu: { time: '2026-11-22T99:00:00Z', usageCoreNanoSeconds: 7 } }],
    ['a time after the year 9999', 'cpuTime', { cpu: { time: '9999-12-31T23:59:59-14:00', usageCoreNanoSeconds: 7 } }],
    ['a rate above 2^53', 'cpuRate', { cpu: { usageNanoCores: 2 ** 63 } }],
    ['memory above 2^53', 'memory', { memory: { workingSetBytes: 2 ** 63 } }],
    ['used memory above 2^53', 'memoryUsage', { memory: { usageBytes: 2 ** 63 } }],
  ];
  for (const [what, field, container] of impossible)
    it(`takes ${what} as missing, of that container alone`, () => {
      const memory = { workingSetBytes: 13, usageBytes: 11, ...container.memory };
      const containers = [
        { name: 'odd', ...container, memory },
        { name: 'good', memory: { workingSetBytes: 5 } },
      ];
      const body = JSON.stringify({ pods: [{ podRef: { name: 'web', namespace: 'default' }, containers }] });
      const [odd, good] =
        decode(body.replaceAll(/9223372036854776000/g, '18446744073709551615')).pods[0]?.containers ?? [];
      assert.equal(odd?.[field], undefined);
      assert.equal(odd?.[field === 'memory' ? 'memoryUsage' : 'memory'], field === 'memory' ? 11 : 13);
      assert.equal(good?.memory, 5);
    });

  const refused: [what: string, body: string, message: RegExp][] = [
    [
      'a counter in quotes',
      '{"node":{"cpu":{"usageCoreNanoSeconds":"12"}}}',
      /node\.cpu\.usageCoreNanoSeconds: expected an unsigned integer/,
    ],
    [
      'a negative counter',
      '{"pods":[{},{"containers":[{"cpu":{"usageCoreNanoSeconds":-1}}]}]}',
      /pods\[1]\.containers\[0]\.cpu\.usageCoreNanoSeconds: expected an unsigned/,
    ],
    [
      'a fraction',
      '{"node":{"memory":{"workingSetBytes":1.5}}}',
      /node\.memory\.workingSetBytes: expected an unsigned integer/,
    ],
    [
      'an exponent',
      '{"node":{"memory":{"workingSetBytes":1e9}}}',
      /node\.memory\.workingSetBytes: expected an unsigned integer/,
    ],
    [
      'a counter beyond 64 bit',
      '{"node":{"cpu":{"usageCoreNanoSeconds":18446744073709551616}}}',
      /integer above 2\^64-1/,
    ],
    ['NaN', '{"node":{"cpu":{"usageNanoCores":NaN}}}', /node\.cpu\.usageNanoCores: expected an unsigned integer/],
    ['a list for an object', '{"node":[]}', /expected an object/],
    ['a text that goes on', '{"pods":[]}x', /unexpected text after the end/],
    ['an HTML page', '<html>', /^summary: body: expected an object/],
    ['null', 'null', /^summary: body: null instead of an object$/],
    [
      'text behind a whole summary',
      '{"node":{"memory":{"workingSetBytes":1}}}x',
      /^summary: body: unexpected text after the end/,
    ],
    [
      'a second value behind a container',
      '{"pods":[{"containers":[{"name":"a","memory":{"workingSetBytes":1,"usageBytes":2}} 7]}]}',
      /^summary: pods\[0]\.containers\[0]: expected ',' or ']'/,
    ],
    ['nothing', '', /the text ends early/],
    ['an object without anything', '{"node":null,"pods":null}', /neither node nor pods/],
    ['an object of something else', '{"kind":"Status"}', /neither node nor pods/],
  ];
  for (const [what, body, message] of refused)
    it(`refuses ${what}, naming the place`, () => {
      assert.throws(
        () => decode(body),
        (error) => error instanceof ScrapeError && error.code === 'parse' && message.test(error.message),
      );
    });

  it('refuses every truncation, and reads the whole body after that', () => {
    const body = Buffer.from(JSON.stringify(JSON.parse(file('summary-cpu-memory.json').toString())));
    const decoder = new SummaryDecoder();
    for (let length = 0; length < body.length; length += 7)
      assert.throws(() => decoder.decode(body.subarray(0, length)), ScrapeError, `${length} bytes`);
    assert.deepEqual(decoder.decode(body), decodeBody(body));
  });

  it('keeps names apart whose hashes are the same', () => {
    const decoder = new SummaryDecoder();
    const names = ['AaAa', 'BBBB', 'AaBB', 'BBAa', 'AaAa'];
    const pods = names.map((name) => ({ podRef: { name, namespace: 'default' } }));
    const { pods: read } = decoder.decode(Buffer.from(JSON.stringify({ pods })));
    assert.deepEqual(
      read.map(({ name }) => name),
      names,
    );
  });

  it('knows keys in any order, from one body to the next', () => {
    const decoder = new SummaryDecoder();
    const container = (fields: Record<string, unknown>): unknown =>
      JSON.parse(
        JSON.stringify(
          decoder.decode(
            Buffer.from(
              JSON.stringify({ pods: [{ containers: [fields], podRef: { namespace: 'default', name: 'web' } }] }),
            ),
          ).pods,
        ),
      );
    const cpu = { time: '2026-11-22T10:00:00Z', usageNanoCores: 5, usageCoreNanoSeconds: 7 };
    const memory = { time: '2026-11-22T10:00:00Z', usageBytes: 11, workingSetBytes: 13 };
    const reversed = (of: Record<string, unknown>): Record<string, unknown> =>
      Object.fromEntries(Object.entries(of).reverse());
    const usual = container({ name: 'main', cpu, memory });
    assert.deepEqual(container({ memory: reversed(memory), cpu: reversed(cpu), name: 'main' }), usual);
    assert.deepEqual(container({ name: 'main', cpu, memory }), usual);
    assert.match(JSON.stringify(usual), /"seconds":0,"nanos":7.*"cpuRate":5,"memory":13,"memoryUsage":11/);
  });

  it('never crashes on a mutated body, and never reads a number that is not in it', () => {
    const body = Buffer.from(JSON.stringify(JSON.parse(file('summary-cpu-memory.json').toString())));
    const edit = fc.record({
      at: fc.nat(body.length - 1),
      remove: fc.nat(12),
      insert: fc.uint8Array({ maxLength: 6 }),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) => {
        let mutated = body;
        for (const { at, remove, insert } of edits)
          mutated = Buffer.concat([mutated.subarray(0, at), insert, mutated.subarray(at + remove)]);
        let summary: Summary;
        try {
          summary = decodeBody(mutated);
        } catch (error) {
          assert.ok(error instanceof ScrapeError, String(error));
          return;
        }
        const text = mutated.toString('latin1');
        for (const sample of [summary.node, ...summary.pods.flatMap(({ containers }) => containers)]) {
          const { cpu, rate, memory, usage } = comparable(sample);
          for (const digits of [cpu, rate, memory, usage])
            assert.ok(digits === undefined || text.includes(digits), `${digits}`);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
