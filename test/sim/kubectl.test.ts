import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { milliseconds } from '../../src/model/units.ts';
import { startCluster } from '../support/cluster.ts';
import { kubectl, withoutKubectl, type CommandResult } from '../support/kubectl.ts';

describe('kubectl against the simulated cluster', { skip: withoutKubectl }, () => {
  let directory: string;
  const cleanups: (() => unknown)[] = [];
  const context = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kubetally-test-'));
    cleanups.push(async () => await rm(directory, { recursive: true }));
    const options = { nodes: 3, podsPerNode: 4, containersPerPod: 2, startup: milliseconds(10) };
    const cluster = await startCluster(context, options);
    await cluster.writeFiles(directory);
  });
  after(async () => {
    for (const cleanup of cleanups.toReversed()) await cleanup();
  });

  const run = async (user: string, ...args: string[]): Promise<CommandResult> =>
    await kubectl(join(directory, `${user}.kubeconfig`), join(directory, 'cache'), ...args);

  it('has keys that only their owner may read', async () => {
    const files = await readdir(directory);
    for (const name of ['admin', 'viewer', 'nobody', 'front-proxy', 'impostor'])
      assert.ok(files.includes(`${name}.crt`) && files.includes(`${name}.key`), name);
    assert.equal((await stat(join(directory, 'admin.key'))).mode & 0o777, 0o600);
    assert.equal((await stat(join(directory, 'kubetally.kubeconfig'))).mode & 0o777, 0o600);
  });

  it('prints nodes', async () => {
    const { stdout, stderr } = await run('viewer', 'get', 'nodes');
    assert.equal(stderr, '');
    const lines = stdout.trimEnd().split('\n');
    assert.match(lines[0] ?? '', /^NAME +STATUS +ROLES +AGE +VERSION/);
    assert.deepEqual(
      lines.slice(1).map((line) => line.split(/ +/).slice(0, 2)),
      [
        ['node-00000', 'Ready'],
        ['node-00001', 'Ready'],
        ['node-00002', 'Ready'],
      ],
    );
  });

  it('prints pods of all namespaces', async () => {
    const { stdout } = await run('kubetally', 'get', 'pods', '-A');
    const lines = stdout.trimEnd().split('\n');
    assert.match(lines[0] ?? '', /^NAMESPACE +NAME +READY +STATUS +RESTARTS +AGE/);
    assert.equal(lines.length, 13);
    assert.match(stdout, /^team-1 +app-3-00002 +2\/2 +Running +0 +\d+[dh]/m);
  });

  it('finds pods by labels and fields, in pages', async () => {
    const args = ['get', 'pods', '-A', '-o', 'name', '--chunk-size=2', '-l', 'app in (app-1,app-2),tier!=front'];
    const { stdout } = await run('admin', ...args, '--field-selector', 'spec.nodeName!=node-00001');
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      'pod/app-2-00000',
      'pod/app-2-00002',
      'pod/app-1-00000',
      'pod/app-1-00002',
    ]);
  });

  it('lists the resources there are', async () => {
    const { stdout } = await run('nobody', 'api-resources', '--no-headers');
    assert.match(stdout, /^nodes +no +v1 +false +Node$/m);
    assert.match(stdout, /^subjectaccessreviews +authorization.k8s.io\/v1 +false +SubjectAccessReview$/m);
  });

  it('is told what its user may do', async () => {
    assert.equal((await run('viewer', 'auth', 'can-i', 'list', 'pods', '-A')).stdout, 'yes\n');
    assert.equal((await run('nobody', 'auth', 'can-i', 'list', 'pods', '-A')).stdout, 'no\n');
    assert.equal((await run('admin', 'auth', 'can-i', 'list', 'nodes', '--as', 'viewer')).stdout, 'yes\n');
    const { stderr, code } = await run('nobody', 'get', 'pods', '-n', 'team-0');
    assert.equal(code, 1);
    assert.match(stderr, /pods is forbidden: User "nobody" cannot list resource "pods"/);
  });

  it('creates what a file describes, without a schema to check it against', async () => {
    const file = join(directory, 'pod.json');
    const metadata = { name: 'described', namespace: 'team-0' };
    const spec = { containers: [{ name: 'main', image: 'x' }] };
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata, spec }));
    const { stdout, stderr } = await run('admin', 'create', '-f', file);
    assert.equal(stdout, 'pod/described created\n', stderr);
    assert.equal((await run('admin', 'delete', '-f', file, '--now')).code, 0);
  });

  it('counts pods among everything', async () => {
    const { stdout } = await run('admin', 'get', 'all', '-n', 'team-1', '-o', 'name');
    assert.match(stdout, /^pod\/app-1-00000$/m);
  });

  it('runs a pod and deletes it', async () => {
    const namespace = ['-n', 'team-1'];
    assert.equal((await run('admin', 'run', 'web', '--image=x', ...namespace)).code, 0);
    const waited = await run('admin', 'wait', '--for=condition=Ready', 'pod/web', ...namespace, '--timeout=15s');
    assert.equal(waited.stdout, 'pod/web condition met\n', waited.stderr);
    assert.equal((await run('admin', 'delete', 'pod', 'web', ...namespace)).stdout.includes('"web" deleted'), true);
    assert.match((await run('admin', 'get', 'pod', 'web', ...namespace)).stderr, /pods "web" not found/);
  });
});
