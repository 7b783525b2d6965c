import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Agent, get } from 'node:https';
import { createServer } from 'node:tls';
import type { SimulatedCluster } from '../../src/sim/cluster.ts';
import { at, manifests, readObjects } from '../manifests/manifest-objects.ts';
import { askApi, startCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { servingCertificate, testAuthority } from '../support/pki.ts';
import { freePorts } from '../../hack/e2e/free-ports.ts';
import { buildImage, type Image } from './build.ts';
import { Container, mountFiles, withoutContainers } from './container.ts';

const serviceAccount = '/var/run/secrets/kubernetes.io/serviceaccount';
const writeEverywhere = `
  const { writeFileSync } = require('node:fs');
  for (const path of ['/', '/app/', '/tmp/', '/home/nonroot/', '/var/run/secrets/kubernetes.io/serviceaccount/'])
    try { writeFileSync(path + 'file', ''); console.log(path, 'written'); }
    catch ({ code }) { console.log(path, code); }`;

const connect = `
  require('node:tls').connect({ port: Number(process.env.PORT), host: '127.0.0.1' })
    .on('secureConnect', () => { console.log('believed'); process.exit(); })
    .on('error', ({ code }) => { console.log(code); process.exit(); });`;

describe('a container of the image', { skip: withoutContainers() }, () => {
  const cleanups: (() => unknown)[] = [];
  const context = { after: (cleanup: () => unknown) => void cleanups.unshift(cleanup) };
  const [deployment] = readObjects(readFileSync(join(manifests, 'base/deployment.yaml'), 'utf8'));
  const spec = at(deployment, 'spec', 'template', 'spec', 'containers', 0);
  let image: Image;
  let cluster: SimulatedCluster;
  let container: Container;
  let port: number;

  before(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'container-'));
    context.after(() => rmSync(directory, { recursive: true }));
    image = buildImage(directory, {});
    cluster = await startCluster(context, { nodes: 2, podsPerNode: 3 });
    const files = join(directory, 'cluster');
    await cluster.writeFiles(files);
    const account = join(files, 'serviceaccount');
    const mounted = readdirSync(account).map((name) => [name, readFileSync(join(account, name))] as const);
    mountFiles(image, serviceAccount, Object.fromEntries(mounted));
    mountFiles(image, '/etc/kubelet', { 'ca.crt': readFileSync(join(files, 'kubelet-ca.crt')) });
    [port = 0] = await freePorts(1);
    cluster.setBackend({ url: `https://127.0.0.1:${port}` });
    const api = new URL(cluster.apiServer.url);
    container = new Container(context, image, {
      args: [
        ...(at(spec, 'args') as string[]),
        // What differs here from a cluster: loopback, and kubelets with a CA of their own.
        '--bind-address=127.0.0.1',
        `--secure-port=${port}`,
        '--kubelet-certificate-authority=/etc/kubelet/ca.crt',
      ],
      env: { KUBERNETES_SERVICE_HOST: api.hostname, KUBERNETES_SERVICE_PORT: api.port },
    });
    await eventually(async () => (await probe('/readyz').catch(() => undefined)) === 'ok', 'readiness', 30_000).catch(
      (cause: unknown) => assert.fail(new Error(container.output, { cause })),
    );
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  async function probe(path: string): Promise<string> {
    const agent = new Agent({ rejectUnauthorized: false, keepAlive: false });
    return await new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', port, path, agent }, (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => (body += chunk.toString()));
        response.on('end', () => resolve(body));
      }).on('error', reject);
    });
  }

  it('answers the probes of its Deployment', async () => {
    for (const name of ['livenessProbe', 'readinessProbe'])
      assert.equal(await probe(String(at(spec, name, 'httpGet', 'path'))), 'ok');
  });

  it('serves the metrics of nodes and pods through the API server', async () => {
    for (const [resource, count] of [
      ['nodes', 2],
      ['pods', 6],
    ] as const)
      await eventually(async () => {
        const { status, body } = await askApi(cluster, `/apis/metrics.k8s.io/v1/${resource}`);
        return status === 200 && (JSON.parse(body) as { items: unknown[] }).items.length === count;
      }, resource);
  });

  it("is the image's user, first of its processes, without a capability and without a way to gain one", () => {
    const status = new Map(
      readFileSync(`/proc/${container.pid}/status`, 'utf8')
        .split('\n')
        .map((line) => line.split(':\t', 2) as [string, string]),
    );
    const { uid, gid } = image.user;
    assert.equal(status.get('Uid'), [uid, uid, uid, uid].join('\t'));
    assert.equal(status.get('Gid'), [gid, gid, gid, gid].join('\t'));
    assert.equal(status.get('Groups')?.trim(), '');
    assert.match(status.get('NSpid') ?? '', /\t1$/);
    assert.equal(status.get('NoNewPrivs'), '1');
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb']) assert.match(status.get(set) ?? '', /^0+$/);
  });

  it('has no file open to write to', () => {
    const directory = `/proc/${container.pid}/fd`;
    for (const descriptor of readdirSync(directory)) {
      const flags = Number.parseInt(
        /^flags:\s+0(\d+)$/m.exec(readFileSync(`/proc/${container.pid}/fdinfo/${descriptor}`, 'utf8'))?.[1] ?? '',
        8,
      );
      const isFile = statSync(join(directory, descriptor)).isFile();
      assert.ok(!isFile || (flags & 3) === 0, readlinkSync(join(directory, descriptor)));
    }
  });

  it('cannot write anywhere, /tmp included', async (t) => {
    const writer = new Container(t, image, { args: [], entrypoint: [node(), '-e', writeEverywhere] });
    assert.equal(await writer.exit, 0);
    for (const path of ['/', '/app/', '/tmp/', '/home/nonroot/', `${serviceAccount}/`])
      assert.ok(writer.output.includes(`${path} EROFS\n`), writer.output);
  });

  it('could write to /tmp and its home if the root were not read-only, so that it is this which hinders', async (t) => {
    const options = { entrypoint: [node(), '-e', writeEverywhere], readOnlyRootFilesystem: false };
    const writer = new Container(t, image, options);
    assert.equal(await writer.exit, 0);
    assert.match(writer.output, /^\/ EACCES\n\/app\/ EACCES\n\/tmp\/ written\n\/home\/nonroot\/ written\n/);
  });

  it('believes the authorities of SSL_CERT_FILE, as programs in Go do', async (t) => {
    const authority = await testAuthority('company');
    const server = createServer(await servingCertificate(authority, '127.0.0.1')).listen(0, '127.0.0.1');
    t.after(() => void server.close());
    await once(server, 'listening');
    const PORT = String((server.address() as AddressInfo).port);
    mountFiles(image, '/etc/company', { 'ca.crt': authority.cert });
    const entrypoint = [...image.entrypoint.slice(0, -1), '-e', connect];
    for (const [environment, said] of [
      [{ SSL_CERT_FILE: '/etc/company/ca.crt' }, 'believed'],
      [{ SSL_CERT_FILE: '/etc/kubelet/ca.crt' }, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    ] as const) {
      const client = new Container(t, image, { entrypoint, env: { PORT, ...environment } });
      assert.equal(await client.exit, 0);
      assert.equal(client.output.trim(), said);
    }
  });

  it('ends with code 0 when Kubernetes asks it to, without a complaint before', async () => {
    process.kill(container.pid, 'SIGTERM');
    assert.equal(await container.exit, 0, container.output);
    assert.doesNotMatch(container.output, /^[EF]\d|EROFS|EACCES/m);
  });

  function node(): string {
    return image.entrypoint[0] ?? assert.fail();
  }
});
