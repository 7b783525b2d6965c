import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { KubeClient } from '../../src/kube/client.ts';
import type { CertifiedKey } from '../../src/pki/authority.ts';
import { servingNames } from '../../src/server/serving-certificate.ts';
import { SharedCertificate } from '../../src/server/shared-certificate.ts';
import { eventually } from '../support/eventually.ts';
import { FakeApiServer, failure } from '../support/fake-api-server.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { apiServer } from '../support/fake-credentials.ts';
import { FakeObjectStore } from '../support/fake-object-store.ts';
import { clientCertificate, testAuthority } from '../support/pki.ts';
import { RecordingLogger } from '../support/recording-logger.ts';
import { ask } from '../support/tls-client.ts';

const day = 86_400_000;
const period = 20_000;
const service = { namespace: 'kube-system', name: 'kubetally' };
const secret = { namespace: 'kube-system', name: 'serving-ca' };
const secrets = '/api/v1/namespaces/kube-system/secrets';
const secretPath = `${secrets}/serving-ca`;
const apiServices = '/apis/apiregistration.k8s.io/v1/apiservices';
const beta = 'v1beta1.metrics.k8s.io';
const names = servingNames('kubetally', 'kube-system');

interface Replica {
  readonly certificate: SharedCertificate;
  readonly seen: CertifiedKey[];
  readonly log: RecordingLogger;
}

describe('A serving certificate shared through a Secret', () => {
  let server: FakeApiServer;
  let objects: FakeObjectStore;
  let client: KubeClient;
  let clock: FakeClock;
  let replicas: Replica[];

  beforeEach(async () => {
    server = await FakeApiServer.start();
    objects = new FakeObjectStore(server).serve(secrets, 'serving-ca').serve(apiServices, beta);
    objects.put(`${apiServices}/${beta}`, { metadata: { name: beta }, spec: { service, insecureSkipTLSVerify: true } });
    client = new KubeClient(await apiServer(server));
    clock = new FakeClock(Date.now());
    replicas = [];
  });

  afterEach(async () => {
    for (const { certificate } of replicas) certificate.stop();
    await client.close();
    await server.close();
    assert.equal(clock.waiting, 0, 'timers left behind');
  });

  async function replica(published = true): Promise<Replica> {
    const log = new RecordingLogger();
    const publish = published ? { service, apiServices: [beta, 'v1.metrics.k8s.io'] } : undefined;
    const made = await SharedCertificate.create({ names, secret, publish }, { client, clock, random: () => 1, log });
    const one = { certificate: made, seen: [] as CertifiedKey[], log };
    replicas.push(one);
    return one;
  }

  /** Waits for the end of a round, which is when the next is planned. */
  async function round(...whose: Replica[]): Promise<void> {
    const waiting = clock.waiting + whose.length;
    for (const { certificate, seen } of whose) certificate.follow((next) => void seen.push(next));
    await eventually(() => clock.waiting === waiting, 'the round');
  }

  /** Moves on to the next rounds and waits for all of them. */
  async function nextRounds(ms: number = period): Promise<void> {
    const before = clock.waiting;
    await clock.advance(ms);
    await eventually(() => clock.waiting === before, 'the rounds');
  }

  const bundle = (): string => decoded(objects.object(`${apiServices}/${beta}`)?.spec?.['caBundle']);
  const signedBy = ({ certificate }: Replica, ca: string): boolean =>
    new X509Certificate(certificate.current.cert).checkIssued(new X509Certificate(ca)) &&
    new X509Certificate(certificate.current.cert).verify(new X509Certificate(ca).publicKey);

  it('is verified by the bundle that the APIService then holds, by the name that the aggregator checks', async () => {
    const one = await replica();
    assert.match(one.certificate.check()?.message ?? '', /kube-system\/serving-ca/);
    await round(one);
    assert.equal(one.certificate.check(), undefined);
    assert.equal(objects.object(`${apiServices}/${beta}`)?.spec?.['insecureSkipTLSVerify'], undefined);
    const https = createServer({ ...one.certificate.current }, (_, response) => void response.end('hello'));
    https.listen(0, '127.0.0.1');
    await once(https, 'listening');
    const { port } = https.address() as AddressInfo;
    try {
      assert.equal((await ask({ port, ca: bundle() }, '/')).body, 'hello');
    } finally {
      https.close();
    }
    const leaf = new X509Certificate(one.certificate.current.cert);
    assert.equal(leaf.checkHost('kubetally.kube-system.svc'), 'kubetally.kube-system.svc');
  });

  it('is signed by the same authority in every replica, and the Secret written once', async () => {
    const [one, two] = [await replica(), await replica()];
    await round(one);
    const first = one.certificate.current;
    await round(two);
    await nextRounds();
    assert.ok(signedBy(one, bundle()) && signedBy(two, bundle()));
    assert.equal(one.certificate.current, first);
    assert.deepEqual(objects.writes, [`POST ${secretPath}`, `PATCH ${apiServices}/${beta}`]);
    assert.notEqual(one.certificate.current.key, two.certificate.current.key);
  });

  it('is signed by the authority of the replica that was faster in storing it', async () => {
    const [one, two] = [await replica(), await replica()];
    await round(two);
    const stored = objects.object(secretPath);
    objects.remove(secretPath);
    objects.beforeWrite = ({ method }) => {
      if (method === 'POST' && stored !== undefined) objects.put(secretPath, stored);
    };
    await round(one);
    assert.ok(signedBy(one, two.certificate.caBundle));
    assert.equal(objects.writes.filter((write) => write === `POST ${secretPath}`).length, 1);
  });

  it('fills a Secret that exists empty, keeping what else is in it', async () => {
    objects.put(secretPath, { metadata: { name: 'serving-ca' }, data: { note: 'eA==' } });
    await round(await replica());
    assert.deepEqual(objects.writes[0], `PUT ${secretPath}`);
    assert.deepEqual(Object.keys(objects.object(secretPath)?.data ?? {}), ['note', 'tls.crt', 'tls.key', 'ca.crt']);
  });

  it('leaves a Secret of somebody else alone, and says what to do', async () => {
    const { cert, key } = await clientCertificate(await testAuthority('other'), 'jane');
    objects.put(secretPath, {
      metadata: { name: 'serving-ca' },
      data: { 'tls.crt': Buffer.from(cert).toString('base64'), 'tls.key': Buffer.from(key).toString('base64') },
    });
    const one = await replica();
    await round(one);
    assert.deepEqual(objects.writes, []);
    assert.match(one.log.lines.join('\n'), /holds no CA that can sign; delete it/);
    assert.ok(one.certificate.check());
  });

  it('serves while the API server is away, and joins when it is back', async () => {
    await server.close();
    const one = await replica();
    const provisional = one.certificate.current;
    await round(one);
    assert.ok(one.certificate.check());
    await nextRounds(1000);
    await nextRounds(2000);
    assert.equal(one.certificate.current, provisional);
    assert.equal(one.log.lines.filter((line) => line.startsWith('error')).length, 1);
    await server.listen();
    await nextRounds(4000);
    assert.equal(one.certificate.check(), undefined);
    assert.ok(signedBy(one, bundle()));
    assert.match(one.log.lines.at(-1) ?? '', /^info Serving CA is shared again .*"failures":3/);
  });

  it('passes to a successor in time, which signs only when the APIService is seen to trust it', async () => {
    const [one, two] = [await replica(), await replica()];
    await round(one);
    await round(two);
    const old = bundle();
    const served = [one, two].map(({ certificate }) => certificate.current);
    clock.jumpWall(250 * day);
    await nextRounds();
    assert.equal(objects.writes.filter((write) => write === `PUT ${secretPath}`).length, 1);
    const both = bundle();
    assert.ok(both.endsWith(old));
    const successor = both.slice(0, both.length - old.length);
    await nextRounds();
    assert.ok(signedBy(one, successor) && signedBy(two, successor));
    // What was served before the APIService was seen to hold both was still signed by the first; who sees it at once renews nothing before.
    for (const [index, { seen }] of [one, two].entries()) {
      const before = seen.at(-2) ?? served[index];
      assert.ok(new X509Certificate(before?.cert ?? '').checkIssued(new X509Certificate(old)));
    }
  });

  it('goes on with the old authority while the APIService cannot be written', async () => {
    const one = await replica();
    await round(one);
    const old = bundle();
    server.on(`${apiServices}/${beta}`, failure(403, 'Forbidden', 'no'));
    clock.jumpWall(250 * day);
    await nextRounds();
    await nextRounds();
    assert.ok(signedBy(one, old));
    assert.equal(one.log.lines.filter((line) => line.startsWith('error CA bundle not published')).length, 1);
  });

  it('waits a week with a successor where others publish the bundle', async () => {
    const one = await replica(false);
    await round(one);
    const old = one.certificate.caBundle;
    clock.jumpWall(250 * day);
    await nextRounds();
    assert.ok(signedBy(one, old));
    clock.jumpWall(8 * day);
    await nextRounds();
    assert.equal(signedBy(one, old), false);
    assert.deepEqual(objects.writes, [`POST ${secretPath}`, `PUT ${secretPath}`]);
  });

  it('is renewed before it ends, also while the API server is away', async () => {
    const one = await replica();
    await round(one);
    const first = one.certificate.current;
    await server.close();
    clock.jumpWall(21 * day);
    await nextRounds();
    assert.notEqual(one.certificate.current, first);
    assert.ok(signedBy(one, bundle()));
  });

  it('has a new authority at once when the Secret was deleted', async () => {
    const one = await replica();
    await round(one);
    const old = bundle();
    objects.remove(secretPath);
    await nextRounds();
    assert.notEqual(bundle(), old);
    assert.ok(signedBy(one, bundle()));
  });

  it('repairs the APIService, but not one that has passed to another Service', async () => {
    const one = await replica();
    await round(one);
    const path = `${apiServices}/${beta}`;
    objects.put(path, { metadata: { name: beta }, spec: { service, insecureSkipTLSVerify: true } });
    await nextRounds();
    assert.ok(bundle());
    const spec = { service: { ...service, name: 'metrics-server' }, insecureSkipTLSVerify: true };
    objects.put(path, { metadata: { name: beta }, spec });
    await nextRounds();
    await nextRounds();
    assert.deepEqual(objects.object(path)?.spec, spec);
    assert.equal(one.log.lines.filter((line) => /^error .*its Service is not/.test(line)).length, 1);
  });
});

function decoded(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : '', 'base64').toString();
}
