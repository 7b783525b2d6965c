import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LabelSets } from '../../src/inventory/label-sets.ts';
import { nodeInfo } from '../../src/inventory/nodes.ts';
import { podInfo } from '../../src/inventory/pods.ts';
import { KnownStrings } from '../../src/model/known-strings.ts';

function readNode(object: unknown): ReturnType<typeof nodeInfo> {
  return nodeInfo(object, new LabelSets());
}

function readPod(object: unknown): ReturnType<typeof podInfo> {
  return podInfo(object, new LabelSets(), new KnownStrings());
}

/** A null-prototype copy, as labels are. */
function labels(entries: Record<string, string>): object {
  return Object.assign(Object.create(null) as object, entries);
}

describe('what is kept of a Node', () => {
  it('is name, labels, addresses, port, readiness, CPU capacity and metrics path', () => {
    const node = {
      metadata: {
        name: 'n1',
        uid: 'u',
        labels: { zone: 'a', arch: 'arm64' },
        annotations: { 'metrics.k8s.io/resource-metrics-path': '/custom', other: 'x' },
      },
      spec: { podCIDR: '10.0.0.0/24' },
      status: {
        capacity: { cpu: '3920m', memory: '16Gi' },
        addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
        daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
        conditions: [
          { type: 'MemoryPressure', status: 'False' },
          { type: 'Ready', status: 'True' },
        ],
        images: [{ names: ['x'] }],
      },
    };
    assert.deepEqual(readNode(node), {
      name: 'n1',
      labels: labels({ arch: 'arm64', zone: 'a' }),
      addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
      kubeletPort: 10250,
      ready: true,
      cpuCapacity: 3_920_000_000,
      resourceMetricsPath: '/custom',
    });
  });

  it('is undefined where the Node says nothing usable', () => {
    const empty = {
      name: 'n1',
      labels: labels({}),
      addresses: [],
      kubeletPort: undefined,
      ready: false,
      cpuCapacity: undefined,
      resourceMetricsPath: undefined,
    };
    assert.deepEqual(readNode({ metadata: { name: 'n1' } }), empty);
    const status = {
      capacity: { cpu: 'many' },
      addresses: [null, { type: 'InternalIP' }, 7],
      daemonEndpoints: { kubeletEndpoint: { Port: 0 } },
      conditions: [{ type: 'Ready', status: 'Unknown' }],
    };
    const annotations = { 'metrics.k8s.io/resource-metrics-path': '' };
    assert.deepEqual(readNode({ metadata: { name: 'n1', annotations }, status }), empty);
  });

  it('is nothing for what has no name', () => {
    for (const object of [undefined, null, 7, 'x', [], {}, { metadata: null }, { metadata: { name: '' } }])
      assert.equal(readNode(object), undefined);
  });
});

describe('what is kept of a Pod', () => {
  it('is namespace, name, labels and UID', () => {
    const metadata = { namespace: 'ns', name: 'p', uid: 'u1', labels: { app: 'x' }, resourceVersion: '5' };
    assert.deepEqual(readPod({ kind: 'PartialObjectMetadata', metadata }), {
      namespace: 'ns',
      name: 'p',
      labels: labels({ app: 'x' }),
      uid: 'u1',
      kubeletUid: 'u1',
      series: undefined,
    });
  });

  it('includes the UID under which the kubelet knows a static pod', () => {
    const metadata = { namespace: 'kube-system', name: 'etcd-cp1', uid: 'u1' };
    const hash = { 'kubernetes.io/config.hash': '0123abcd' };
    const mirror = { ...hash, 'kubernetes.io/config.mirror': '0123abcd' };
    assert.equal(readPod({ metadata: { ...metadata, annotations: mirror } })?.kubeletUid, '0123abcd');
    assert.equal(readPod({ metadata: { ...metadata, annotations: hash } })?.kubeletUid, 'u1');
  });

  it('is nothing without namespace, name or UID', () => {
    const whole = { namespace: 'ns', name: 'p', uid: 'u' };
    for (const field of Object.keys(whole))
      assert.equal(readPod({ metadata: { ...whole, [field]: undefined } }), undefined);
  });

  it('never throws, whatever the object', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        readPod(value);
        readPod({ metadata: value });
        readNode({ metadata: { name: 'n', labels: value, annotations: value }, status: value });
        readNode({
          metadata: { name: 'n' },
          status: { addresses: value, conditions: value, capacity: value, daemonEndpoints: value },
        });
      }),
    );
  });
});

describe('label sets', () => {
  it('are shared by all who have the same labels, in whatever order', () => {
    const sets = new LabelSets();
    const one = sets.intern({ app: 'x', tier: 'web' });
    assert.equal(sets.intern({ tier: 'web', app: 'x' }), one);
    assert.notEqual(sets.intern({ app: 'x' }), one);
    assert.deepEqual(Object.keys(one), ['app', 'tier']);
  });

  it('keep a key named __proto__', () => {
    const set = new LabelSets().intern(JSON.parse('{"__proto__":"evil","constructor":"c"}'));
    assert.deepEqual(Object.entries(set), [
      ['__proto__', 'evil'],
      ['constructor', 'c'],
    ]);
    assert.equal(Object.getPrototypeOf(set), null);
    assert.equal(set['toString'], undefined);
  });

  it('do not confuse values that contain separators', () => {
    const sets = new LabelSets();
    assert.notEqual(sets.intern({ a: '1","b":"2' }), sets.intern({ a: '1', b: '2' }));
  });
});
