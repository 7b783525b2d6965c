import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MetricsList } from '../../src/metrics-api/list.ts';
import type { NodeMetrics, PodMetrics } from '../../src/metrics-api/objects.ts';
import * as fc from 'fast-check';
import { bytes, epochMs, nanocores, nanoseconds } from '../../src/model/units.ts';
import { piecesHeld, wholeBody, type Answer } from '../../src/wire/body.ts';
import { encodeMetrics } from '../../src/wire/encode.ts';
import { negotiate, resourceEndpoint } from '../../src/wire/negotiation.ts';
import { PieceMemory } from '../../src/wire/piece-memory.ts';
import { readJson } from '../support/json-file.ts';
import {
  answeredAt,
  examples,
  idlePodMetrics,
  nodeList,
  nodeMetrics,
  podList,
  podMetrics,
} from '../support/metrics-objects.ts';

const example = (name: string): Record<string, unknown> =>
  readJson(new URL(`./data/${name}.json`, import.meta.url)) as Record<string, unknown>;

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const partialList = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
const pieceMemory = new PieceMemory();

function answer(
  source: MetricsList | NodeMetrics | PodMetrics,
  accept: string,
  options: { pretty?: string; includeObject?: string; now?: number } = {},
): Answer {
  const format = negotiate({ accept, userAgent: '', pretty: options.pretty }, resourceEndpoint);
  const now = epochMs(options.now ?? answeredAt);
  const { includeObject } = options;
  return encodeMetrics(source, { format, apiVersion: 'v1beta1', includeObject, now, pieceMemory });
}

function text({ body }: Answer): string {
  return wholeBody(body).toString();
}

describe('encodeMetrics', () => {
  for (const [name, source] of Object.entries(examples())) {
    it(`writes ${name} as compact JSON, key for key`, () => {
      assert.equal(text(answer(source, 'application/json')), `${JSON.stringify(example(name))}\n`);
    });

    it(`writes ${name} as indented JSON without a final newline`, () => {
      assert.equal(text(answer(source, '*/*', { pretty: 'true' })), JSON.stringify(example(name), null, 2));
    });
  }

  it('writes every version of the group', () => {
    const format = negotiate({ accept: undefined, userAgent: '', pretty: undefined }, resourceEndpoint);
    const request = { format, apiVersion: 'v1', includeObject: undefined, now: answeredAt, pieceMemory } as const;
    const expected = { ...example('node-metrics-list'), apiVersion: 'metrics.k8s.io/v1' };
    assert.equal(text(encodeMetrics(nodeList(nodeMetrics()), request)), `${JSON.stringify(expected)}\n`);
  });

  it('stamps the same object with the time of each answer', () => {
    const list = podList(podMetrics());
    const first = text(answer(list, 'application/json'));
    const second = text(answer(list, 'application/json', { now: answeredAt + 5000 }));
    assert.equal(second, first.replace('10:15:41Z', '10:15:46Z'));
    assert.equal(text(answer(list, 'application/json')), first);
  });

  it('escapes what Go escapes and keeps keys in byte order', () => {
    const labels: Record<string, string> = Object.create(null);
    Object.assign(labels, { '10': '<a&b>', '9': '\u2028', é: 'ü"\\', '0a': '\ud800' });
    Object.defineProperty(labels, '__proto__', { value: 'x', enumerable: true });
    const written = text(answer(nodeMetrics({ labels }), 'application/json'));
    assert.ok(
      written.includes(
        '"labels":{"0a":"\\ufffd","10":"\\u003ca\\u0026b\\u003e","9":"\\u2028","__proto__":"x","é":"ü\\"\\\\"}',
      ),
      written,
    );
    assert.equal(text(answer(nodeMetrics({ labels }), 'application/json')), written);
    assert.deepEqual(JSON.parse(text(answer(nodeList(nodeMetrics({ labels })), table))).rows[0].object.metadata, {
      ...JSON.parse(written).metadata,
    });
  });

  it('writes large lists in pieces that add up, the last two of which stay while the next is made', () => {
    const labels = { label: 'x'.repeat(2_000) };
    const pods = Array.from({ length: 1200 }, (_, index) => podMetrics({ name: `p-${index}`, labels }));
    const { body } = answer(podList(...pods), 'application/json');
    assert.ok(!Buffer.isBuffer(body), 'one buffer');
    const held: { readonly piece: Buffer; readonly copy: Buffer }[] = [];
    const copies: Buffer[] = [];
    for (const piece of body.pieces) {
      for (const { piece: older, copy } of held) assert.ok(older.equals(copy), 'a piece changed too early');
      copies.push(Buffer.from(piece));
      held.push({ piece, copy: Buffer.from(piece) });
      if (held.length === piecesHeld) held.shift();
    }
    assert.ok(copies.length > piecesHeld, `${copies.length} pieces`);
    const whole = Buffer.concat(copies);
    assert.deepEqual(
      JSON.parse(whole.toString()).items.map((item: { metadata: { name: string } }) => item.metadata.name),
      pods.map((pod) => pod.name),
    );
  });

  it('indents large lists piece by piece, others having their turns between, as if at once', () => {
    const labels = { 'a, {b}': '"[x: y]"', long: 'é'.repeat(1000) };
    const pods = Array.from({ length: 2500 }, (_, index) => podMetrics({ name: `p-${index}`, labels }));
    for (const accept of ['application/json', table]) {
      const list = { ...podList(...pods), batches: [pods.slice(0, 1200), pods.slice(1200)] };
      const { body } = answer(list, accept, { pretty: 'true' });
      assert.ok(!Buffer.isBuffer(body), 'one buffer');
      const pieces = Array.from(body.pieces, (piece) => Buffer.from(piece));
      assert.ok(pieces.filter(({ length }) => length === 0).length >= 2, 'no turns');
      assert.ok(pieces.filter(({ length }) => length > 0).length >= 2, 'one piece');
      const compact = JSON.parse(text(answer(podList(...pods), accept))) as unknown;
      assert.equal(Buffer.concat(pieces).toString(), JSON.stringify(compact, null, 2));
    }
  });

  it('writes into the memory of large lists that were released, and of no other', () => {
    const make = () => {
      const { body } = answer(podList(...pods), 'application/json');
      assert.ok(!Buffer.isBuffer(body), 'one buffer');
      const pieces = Array.from(body.pieces).filter((piece) => piece.length > 0);
      const memories = new Set(pieces.map((piece) => piece.buffer));
      return { memories, release: body.release };
    };
    const pods = Array.from({ length: 1001 }, (_, index) => podMetrics({ name: `p-${index}` }));
    type Made = ReturnType<typeof make>;
    const shares = (one: Made, other: Made) => [...one.memories].some((memory) => other.memories.has(memory));
    const first = make();
    const second = make();
    assert.ok(!shares(first, second), 'shared while in use');
    first.release();
    first.release();
    const third = make();
    assert.deepEqual(third.memories, first.memories);
    assert.ok(!shares(make(), first), 'released twice');
    third.release();
    pieceMemory.forget();
    assert.ok(!shares(make(), third), 'forgotten');
  });

  it('writes the next usage of an object as if it were the first', () => {
    const usage = fc.record({
      cpu: fc.nat(10 ** 12).map(nanocores),
      memory: fc.nat(10 ** 12).map(bytes),
      length: fc.nat(10 ** 11).map(nanoseconds),
      names: fc.uniqueArray(fc.stringMatching(/^[a-zé"]{1,8}$/), { maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(usage, { minLength: 2, maxLength: 6 }), (usages) => {
        const { encoded } = podMetrics();
        for (const [revision, { names, length, ...used }] of usages.entries()) {
          const windows = names.map((name) => ({ name, length, timestamp: answeredAt, ...used }));
          const changes = { containers: windows, window: length, revision };
          for (const accept of ['application/json', 'application/vnd.kubernetes.protobuf', table, 'application/yaml'])
            assert.deepEqual(
              wholeBody(answer(podList(podMetrics({ ...changes, encoded })), accept).body),
              wholeBody(answer(podList(podMetrics(changes)), accept).body),
            );
        }
      }),
    );
  });

  it('writes lists of all sizes the same, whether at once or in pieces', () => {
    const names = Array.from({ length: 1001 }, (_, index) => `p-${index}`);
    for (const accept of ['application/json', 'application/vnd.kubernetes.protobuf']) {
      const [small, large] = [1000, 1001].map((count) =>
        answer(podList(...names.slice(0, count).map((name) => podMetrics({ name }))), accept),
      );
      assert.ok(small !== undefined && large !== undefined);
      assert.deepEqual([Buffer.isBuffer(small.body), Buffer.isBuffer(large.body)], [true, false], accept);
      const [shorter, longer] = [wholeBody(small.body), wholeBody(large.body)];
      const common = accept === 'application/json' ? shorter.subarray(0, -3) : shorter.subarray(60, -60);
      assert.ok(longer.includes(common), accept);
    }
  });

  it('writes an object that is larger than a piece', () => {
    const labels = { label: 'x'.repeat(700_000) };
    const pods = [podMetrics({ name: 'a' }), podMetrics({ name: 'b', labels }), podMetrics({ name: 'c' })];
    for (const most of [3, 3000]) {
      const { items } = JSON.parse(text(answer({ ...podList(...pods), most }, 'application/json')));
      assert.deepEqual(
        items.map((item: { metadata: { name: string } }) => item.metadata.name),
        ['a', 'b', 'c'],
      );
    }
  });

  it('says where a page goes on', () => {
    const page = { ...podList(podMetrics()), continueToken: 'next', remainingItemCount: 7 };
    const metadata = { continue: 'next', remainingItemCount: 7 };
    for (const accept of ['application/json', table, partialList])
      assert.deepEqual(JSON.parse(text(answer(page, accept))).metadata, metadata, accept);
  });
});

describe('a Table', () => {
  const tables = example('tables');
  const pods = podList(podMetrics(), idlePodMetrics());

  it('carries the metadata of each object', () => {
    const { headers, ...rest } = answer(pods, table);
    assert.deepEqual(JSON.parse(text({ headers, ...rest })), tables['podsDefault']);
    assert.equal(headers['content-type'], 'application/json');
  });

  it('carries whole objects or none when asked', () => {
    const nodes = nodeList(nodeMetrics());
    assert.deepEqual(JSON.parse(text(answer(nodes, table, { includeObject: 'None' }))), tables['nodesIncludeNone']);
    assert.deepEqual(JSON.parse(text(answer(nodes, table, { includeObject: 'Object' }))), tables['nodesIncludeObject']);
  });

  it('has columns when it is empty', () => {
    assert.deepEqual(JSON.parse(text(answer(podList(), table))), tables['emptySafer']);
  });

  it('is made of a single object too', () => {
    assert.equal(JSON.parse(text(answer(nodeMetrics(), table))).rows.length, 1);
  });

  it('speaks v1beta1', () => {
    const written = JSON.parse(text(answer(pods, table.replace('v=v1', 'v=v1beta1'))));
    assert.equal(written.apiVersion, 'meta.k8s.io/v1beta1');
    assert.equal(written.rows[0].object.apiVersion, 'meta.k8s.io/v1beta1');
  });

  it('refuses an unknown includeObject', () => {
    assert.throws(() => answer(pods, table, { includeObject: 'x"' }), {
      code: 'bad-request',
      message: `Unable to convert to Table as requested: includeObject: Invalid value: "x\\"": must be 'Metadata', 'Object', 'None', or empty`,
    });
  });
});

describe('PartialObjectMetadata', () => {
  it('is what a list or an object is reduced to', () => {
    const list = podList(podMetrics(), idlePodMetrics());
    const expected = example('partial-object-metadata-list');
    assert.equal(text(answer(list, partialList)), `${JSON.stringify(expected)}\n`);
    const single = partialList.replace('List', '');
    assert.deepEqual(JSON.parse(text(answer(idlePodMetrics(), single))), (expected['items'] as unknown[])[1]);
  });

  it('is refused for the other shape', () => {
    assert.throws(() => answer(podMetrics(), partialList), {
      code: 'not-acceptable',
      message: 'you requested PartialObjectMetadataList, but the requested object is not a list (*metrics.PodMetrics)',
    });
    assert.throws(() => answer(nodeList(), partialList.replace('List', '')), {
      message: 'you requested PartialObjectMetadata, but the requested object is a list (*metrics.NodeMetricsList)',
    });
  });
});
