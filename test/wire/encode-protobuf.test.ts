import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { MetricsList } from '../../src/metrics-api/list.ts';
import type { NodeMetrics, PodMetrics } from '../../src/metrics-api/objects.ts';
import { bytes, epochMs, nanocores, nanoseconds } from '../../src/model/units.ts';
import { wholeBody } from '../../src/wire/body.ts';
import { encodeMetrics, encodeStatus } from '../../src/wire/encode.ts';
import { negotiate, resourceEndpoint } from '../../src/wire/negotiation.ts';
import { PieceMemory } from '../../src/wire/piece-memory.ts';
import { notFound } from '../../src/wire/status.ts';
import { readJson } from '../support/json-file.ts';
import { decodeKubernetes as decode } from '../support/kubernetes-protobuf.ts';
import { answeredAt, examples, nodeList, nodeMetrics, podList, podMetrics } from '../support/metrics-objects.ts';

const vectors = readJson(new URL('./data/protobuf-vectors.json', import.meta.url)) as Record<
  string,
  { json?: string; hex: string }
>;

const pieceMemory = new PieceMemory();

function encode(source: MetricsList | NodeMetrics | PodMetrics, parameters = '', now = answeredAt): Buffer {
  const accept = `application/vnd.kubernetes.protobuf${parameters}`;
  const format = negotiate({ accept, userAgent: '', pretty: undefined }, resourceEndpoint);
  const request = { format, apiVersion: 'v1beta1', includeObject: undefined, now, pieceMemory } as const;
  const { body } = encodeMetrics(source, request);
  return wholeBody(body);
}

describe('protobuf', () => {
  for (const [name, { json, hex }] of Object.entries(vectors)) {
    const source = examples()[(json ?? '').replace('.json', '')];
    if (source === undefined) continue;
    it(`writes ${name} byte for byte`, () => assert.equal(encode(source).toString('hex'), hex));
  }

  it('writes a Status byte for byte', () => {
    const wishes = { accept: 'application/vnd.kubernetes.protobuf', userAgent: '', pretty: undefined };
    const { body, headers } = encodeStatus(notFound('podmetrics', 'metrics.k8s.io', 'default/web'), wishes);
    assert.ok(Buffer.isBuffer(body));
    assert.equal(body.toString('hex'), vectors['status404']?.hex);
    assert.equal(headers['content-type'], 'application/vnd.kubernetes.protobuf');
  });

  it('stamps the same object with the time of each answer', () => {
    const list = podList(podMetrics());
    const seconds = (answer: Buffer): unknown => {
      const items = decode(answer)['items'] as { metadata: { creationTimestamp: { seconds: string } } }[];
      return items[0]?.metadata.creationTimestamp.seconds;
    };
    assert.equal(seconds(encode(list)), '1795342541');
    assert.equal(seconds(encode(list, '', epochMs(1_795_342_600_000))), '1795342600');
  });

  it('writes PartialObjectMetadata of lists and objects', () => {
    const parameters = (kind: string): string => `;as=${kind};g=meta.k8s.io;v=v1`;
    const list = decode(encode(podList(podMetrics()), parameters('PartialObjectMetadataList')));
    assert.equal(list.apiVersion, 'meta.k8s.io/v1');
    const single = decode(encode(podMetrics(), parameters('PartialObjectMetadata')));
    assert.deepEqual((list['items'] as unknown[])[0], { metadata: single['metadata'] });
    assert.deepEqual((single['metadata'] as { labels: unknown }).labels, {
      app: 'web',
      'pod-template-hash': '7c9d6bf6b4',
    });
  });

  it('says where a page goes on', () => {
    const { metadata } = decode(encode({ ...nodeList(nodeMetrics()), continueToken: 'next', remainingItemCount: 300 }));
    assert.deepEqual(metadata, { selfLink: '', resourceVersion: '', continue: 'next', remainingItemCount: '300' });
  });

  it('decodes to the same as the JSON, whatever the object holds', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 200 });
    const pod = fc.record({
      name: text,
      namespace: text,
      labels: fc.dictionary(text, text),
      containers: fc.array(
        fc.record({
          name: text,
          cpu: fc.maxSafeNat().map(nanocores),
          memory: fc.maxSafeNat().map(bytes),
          timestamp: fc.constant(answeredAt),
          length: fc.constant(nanoseconds(1)),
        }),
      ),
      window: fc.maxSafeNat().map(nanoseconds),
    });
    fc.assert(
      fc.property(pod, (changes) => {
        const decoded = decode(encode(podMetrics(changes)));
        assert.equal((decoded['metadata'] as { name: string }).name, changes.name);
        assert.deepEqual(
          { ...(decoded['metadata'] as { labels?: Record<string, string> }).labels },
          { ...changes.labels },
        );
        assert.equal((decoded['window'] as { duration: string }).duration, String(changes.window));
        assert.deepEqual(
          (decoded['containers'] as { name: string }[]).map(({ name }) => name),
          changes.containers.map(({ name }) => name),
        );
      }),
      { numRuns: 200 },
    );
  });
});
