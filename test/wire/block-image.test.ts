import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parseFieldSelector } from '../../src/kube/selectors/field-selector.ts';
import { parseLabelSelector } from '../../src/kube/selectors/label-selector.ts';
import { MetricsCatalog } from '../../src/metrics-api/catalog.ts';
import type { PodMetricsList } from '../../src/metrics-api/list.ts';
import { bytes, epochMs, nanocores, type EpochMs } from '../../src/model/units.ts';
import type { PodUsage } from '../../src/model/window.ts';
import { wholeBody, type Body } from '../../src/wire/body.ts';
import { encodeMetrics } from '../../src/wire/encode.ts';
import { PieceMemory } from '../../src/wire/piece-memory.ts';
import { answeredAt } from '../support/metrics-objects.ts';
import { podInfo, podUsage, TestCluster } from '../support/metrics-sources.ts';

/** What is encoded, with what `includeObject` says of Tables. */
const forms = ['json', 'protobuf', 'Table', 'Table Object', 'Table None'] as const;
type Form = (typeof forms)[number];
const everything = {
  labelSelector: parseLabelSelector(''),
  fieldSelector: parseFieldSelector(''),
  limit: 0,
  continueToken: '',
};
const pieceMemory = new PieceMemory();

function body(list: PodMetricsList, form: Form, now: EpochMs = answeredAt): Body {
  const [name, includeObject] = form.split(' ');
  const encoding = form === 'protobuf' ? form : 'json';
  const transform = name === 'Table' ? { kind: name, group: 'meta.k8s.io', version: 'v1' } : undefined;
  const format = { encoding, pretty: false, transform } as const;
  return encodeMetrics(list, { format, apiVersion: 'v1', includeObject, now, pieceMemory }).body;
}

/** Each object encoded by itself, with nothing kept of any list before. */
function plainly(cluster: TestCluster, namespace: string, form: Form, now: EpochMs): Buffer {
  cluster.forgetKept();
  const list = new MetricsCatalog(cluster.objects, cluster.usage).listPods(namespace, everything);
  return wholeBody(body({ ...list, blocks: undefined }, form, now));
}

let revisions = 0;
/** Usage whose text is longer the more it is. */
function used(cpu: number): PodUsage {
  const usage = podUsage('node-a', 'app');
  const containers = usage.containers.map((container) => ({
    ...container,
    cpu: nanocores(cpu),
    memory: bytes(cpu * 1021),
  }));
  return { ...usage, containers, revision: ++revisions };
}

const names = Array.from({ length: 1200 }, (_, index) => `web-${String(index).padStart(4, '0')}`);

function largeCluster(labels: Record<string, string> = {}): TestCluster {
  const cluster = new TestCluster();
  for (const [index, name] of names.entries()) cluster.addPod(podInfo('ns', name, labels), used(1000 + index));
  return cluster;
}

describe('images of blocks', () => {
  it('are what the objects are one by one, after any changes', () => {
    // Few, so that the same are met again; all that there are in namespace c.
    const pod = fc.constantFrom('a/web-0000', 'a/web-0001', 'a/web-0130', 'b/web-0299', 'b/new', 'c/one', 'c/two');
    const change = fc.oneof(
      fc.record({
        kind: fc.constantFrom('use', 'relabel'),
        pod,
        app: fc.constantFrom('web', 'a-longer-label', 'é'),
        cpu: fc.nat({ max: 1e10 }),
      }),
      fc.record({ kind: fc.constantFrom('lose', 'remove'), pod }),
      fc.record({ kind: fc.constant('list'), seconds: fc.nat({ max: 1 }) }),
    );
    fc.assert(
      fc.property(fc.array(change, { minLength: 30, maxLength: 60 }), (changes) => {
        const cluster = new TestCluster();
        for (const name of names.slice(0, 300)) cluster.addPod(podInfo(name < 'web-0200' ? 'a' : 'b', name), used(1));
        const catalog = new MetricsCatalog(cluster.objects, cluster.usage);
        let now = answeredAt;
        for (const change of [...changes, { kind: 'list', seconds: 1 }])
          if ('pod' in change) {
            const [namespace = '', name = ''] = change.pod.split('/');
            if (change.kind === 'lose') cluster.forgetPodUsage(namespace, name);
            else if (change.kind === 'remove') cluster.removePod(namespace, name);
            else if ('cpu' in change) {
              const { kind, app, cpu } = change;
              const info = cluster.objects.pod(namespace, name);
              const usage = info && cluster.usage.pod(info, cluster.usage.now());
              // As windows do: another revision of the same usage.
              if (kind === 'use' && usage !== undefined) Object.assign(usage, used(cpu), { kept: usage.kept });
              else if (kind === 'use' && info !== undefined) cluster.addPod(info, used(cpu));
              else cluster.addPod(podInfo(namespace, name, { app }), used(cpu));
            }
          } else {
            now = epochMs(now + change.seconds * 1000);
            for (const form of forms)
              for (const of of ['', 'a']) {
                const list = catalog.listPods(of, everything);
                assert.ok(list.blocks !== undefined);
                const listed = wholeBody(body(list, form, now));
                assert.equal(listed.toString('latin1'), plainly(cluster, of, form, now).toString('latin1'));
              }
          }
      }),
      { numRuns: 20 },
    );
  });

  it('stay as they are for who reads a list, whatever other lists find changed', () => {
    for (const form of forms) {
      // Too short for two pieces.
      if (form === 'Table None') continue;
      // So long that the first of two pieces is full before all that is encoded by then is copied.
      const cluster = largeCluster({ note: 'x'.repeat(form === 'protobuf' ? 120 : 20) });
      const catalog = new MetricsCatalog(cluster.objects, cluster.usage);
      const before = plainly(cluster, '', form, answeredAt);
      const slow = body(catalog.listPods('', everything), form);
      assert.ok(!Buffer.isBuffer(slow), 'made at once');
      const pieces: Buffer[] = [];
      let others = 0;
      for (const piece of slow.pieces) {
        pieces.push(Buffer.from(piece));
        if (piece.length === 0) continue;
        // Shorter, then longer: what is read is neither written over nor moved.
        const usage = others++ % 2 === 0 ? 7 : 9_999_999_999;
        for (const info of cluster.objects.pods().slice(0, 1000)) cluster.addPod(info, used(usage));
        for (let place = others; place < 1000; place += 50) cluster.removePod('ns', names[place] ?? '');
        const later = epochMs(answeredAt + others * 1000);
        const other = wholeBody(body(catalog.listPods('', everything), form, later));
        assert.equal(other.toString('latin1'), plainly(cluster, '', form, later).toString('latin1'));
      }
      assert.ok(others > 1);
      assert.equal(Buffer.concat(pieces).toString('latin1'), before.toString('latin1'));
    }
  });

  it('tell of the timestamp of each item, changed or not', () => {
    const cluster = largeCluster();
    const catalog = new MetricsCatalog(cluster.objects, cluster.usage);
    cluster.forgetPodUsage('ns', 'web-0007');
    for (const form of [...forms, ...forms]) {
      const told: EpochMs[] = [];
      wholeBody(body({ ...catalog.listPods('', everything), taken: (time) => void told.push(time) }, form));
      assert.deepEqual([told.length, new Set(told).size], [names.length - 1, 1]);
      assert.equal(told[0], podUsage('node-a').timestamp);
    }
  });
});
