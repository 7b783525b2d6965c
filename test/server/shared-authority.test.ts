import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { CaBundlePublisher } from '../../src/server/ca-bundle-publisher.ts';
import { ServerError } from '../../src/server/server-error.ts';
import { selfMadeCertificate } from '../../src/server/serving-certificate.ts';
import { sharedAuthority } from '../../src/server/shared-authority.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { RecordingLogger } from '../support/recording-logger.ts';

interface StoredObject {
  metadata: { resourceVersion: string };
  data: Record<string, string>;
  spec?: Record<string, unknown>;
}

const failure = (status: number): Error => Object.assign(new Error(`status ${status}`), { status });

/** A Secret of an API server: optimistic concurrency and all. */
class SecretStore {
  stored: StoredObject | undefined;
  readonly calls: string[] = [];
  beforeWrite: () => void = () => undefined;

  async get(path: string): Promise<object> {
    this.calls.push(`get ${path}`);
    if (this.stored === undefined) throw failure(404);
    return await Promise.resolve(structuredClone(this.stored));
  }

  async create(path: string, object: object): Promise<object> {
    this.calls.push(`create ${path}`);
    this.beforeWrite();
    if (this.stored !== undefined) throw failure(409);
    this.stored = { metadata: { resourceVersion: '1' }, data: (object as StoredObject).data };
    return await Promise.resolve(this.stored);
  }

  async patch(path: string, patch: object): Promise<object> {
    this.calls.push(`patch ${path}`);
    this.beforeWrite();
    const { metadata, data } = patch as StoredObject;
    if (this.stored?.metadata.resourceVersion !== metadata.resourceVersion) throw failure(409);
    this.stored = { metadata: { resourceVersion: `${Number(metadata.resourceVersion) + 1}` }, data };
    return await Promise.resolve(this.stored);
  }
}

const secret = { namespace: 'kube-system', name: 'serving-ca' };

function make(store: SecretStore) {
  const clock = new FakeClock(Date.now());
  const log = new RecordingLogger();
  return { clock, log, source: sharedAuthority(secret, { secrets: store, clock, log }) };
}

describe('sharedAuthority', () => {
  it('is made by the first replica and found by the others', async () => {
    const store = new SecretStore();
    const first = await make(store).source();
    const second = await make(store).source();
    assert.equal(second.authority.cert, first.authority.cert);
    assert.equal(second.bundle, first.bundle);
    assert.deepEqual(store.calls, [
      'get /api/v1/namespaces/kube-system/secrets/serving-ca',
      'create /api/v1/namespaces/kube-system/secrets',
      'get /api/v1/namespaces/kube-system/secrets/serving-ca',
    ]);
    const { clock, log, source } = make(store);
    const certificate = await selfMadeCertificate(['localhost'], { clock, log }, source);
    assert.ok(new X509Certificate(certificate.current.cert).verify(new X509Certificate(first.bundle).publicKey));
    assert.equal(certificate.caBundle, first.bundle);
  });

  it('fills a Secret that exists empty', async () => {
    const store = new SecretStore();
    store.stored = { metadata: { resourceVersion: '7' }, data: {} };
    await make(store).source();
    assert.equal(store.stored.metadata.resourceVersion, '8');
    assert.deepEqual(Object.keys(store.stored.data), ['tls.crt', 'tls.key', 'ca.crt']);
  });

  it('takes that of a faster replica', async () => {
    const store = new SecretStore();
    const rival = new SecretStore();
    const faster = await make(rival).source();
    store.beforeWrite = () => {
      store.stored ??= rival.stored;
    };
    assert.equal((await make(store).source()).authority.cert, faster.authority.cert);
  });

  it('replaces one that ends too soon, and keeps it in the bundle', async () => {
    const store = new SecretStore();
    const old = await make(store).source();
    const { clock, source } = make(store);
    clock.jumpWall(10 * 365 * 86_400_000 - 30 * 86_400_000);
    const next = await source();
    assert.notEqual(next.authority.cert, old.authority.cert);
    assert.equal(next.bundle, `${next.authority.cert}${old.authority.cert}`);
    clock.jumpWall(10 * 365 * 86_400_000);
    assert.doesNotMatch(
      (await source()).bundle,
      new RegExp(old.authority.cert.slice(40, 100).replaceAll(/[+/]/g, '.')),
    );
  });

  it('replaces one that is broken, and says so', async () => {
    const store = new SecretStore();
    store.stored = { metadata: { resourceVersion: '1' }, data: { 'tls.crt': 'eHg=', 'tls.key': 'eHg=' } };
    const { log, source } = make(store);
    assert.ok((await source()).authority);
    assert.match(log.lines[0] ?? '', /^warning .*cannot be used/);
  });

  it('names the Secret it cannot read', async () => {
    const store = new SecretStore();
    store.get = async () => await Promise.reject(failure(403));
    await assert.rejects(
      make(store).source(),
      (error) => error instanceof ServerError && error.message === 'Secret kube-system/serving-ca: status 403',
    );
  });
});

describe('CaBundlePublisher', () => {
  function publisher(specs: Record<string, Record<string, unknown>>) {
    const clock = new FakeClock();
    const log = new RecordingLogger();
    const patches: [string, unknown][] = [];
    const bundle = { text: 'first' };
    const client = {
      async get(path: string): Promise<object> {
        const spec = specs[path.split('/').at(-1) ?? ''];
        if (spec === undefined) throw failure(404);
        return await Promise.resolve({ spec });
      },
      async patch(path: string, patch: object): Promise<object> {
        const name = path.split('/').at(-1) ?? '';
        const { spec } = patch as { spec: Record<string, unknown> };
        patches.push([name, spec]);
        specs[name] = { ...specs[name], ...spec };
        return await Promise.resolve({});
      },
    };
    const made = new CaBundlePublisher(
      {
        service: { namespace: 'kube-system', name: 'metrics-server' },
        apiServices: ['v1beta1.metrics.k8s.io', 'v1.metrics.k8s.io'],
      },
      { client, bundle: () => bundle.text, clock, log },
    );
    return { made, clock, log, patches, bundle };
  }
  const ours = { namespace: 'kube-system', name: 'metrics-server' };

  it('writes the bundle once, and again when it has changed', async () => {
    const { made, clock, patches, bundle } = publisher({
      'v1beta1.metrics.k8s.io': { service: ours, insecureSkipTLSVerify: true },
    });
    await made.start();
    await clock.advance(600_000);
    const patch = (text: string) => ({ caBundle: Buffer.from(text).toString('base64'), insecureSkipTLSVerify: null });
    assert.deepEqual(patches, [['v1beta1.metrics.k8s.io', patch('first')]]);
    bundle.text = 'second';
    await clock.advance(300_000);
    assert.deepEqual(patches.slice(1), [['v1beta1.metrics.k8s.io', patch('second')]]);
    made.stop();
    assert.equal(clock.waiting, 0);
  });

  it('does not touch the APIService of another Service, and says so once', async () => {
    const { made, clock, log, patches } = publisher({
      'v1beta1.metrics.k8s.io': { service: { namespace: 'kube-system', name: 'prometheus-adapter' } },
    });
    await made.start();
    await clock.advance(900_000);
    assert.deepEqual(patches, []);
    assert.equal(log.lines.filter((line) => line.startsWith('error')).length, 1);
    made.stop();
  });
});
