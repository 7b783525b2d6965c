import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { runSim } from '../../src/commands/sim.ts';
import { followFaults } from '../../src/sim/fault-file.ts';
import { startCluster } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';

function collect(): { stdout: PassThrough; stderr: PassThrough; text: () => string } {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  let printed = '';
  for (const stream of [stdout, stderr]) stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  return { stdout, stderr, text: () => printed };
}

describe('kubetally sim', () => {
  it('writes kubeconfigs, says how to use them, and stops when told to', async (context) => {
    const directory = await mkdtemp(join(tmpdir(), 'kubetally-sim-test-'));
    context.after(async () => await rm(directory, { recursive: true }));
    const output = collect();
    const controller = new AbortController();
    const ended = runSim(['--nodes=2', '--pods', '3', `--dir=${directory}`], output, controller.signal);
    await eventually(() => output.text().includes('Ctrl-C'), 'the instructions');
    assert.match(output.text(), /^Simulated cluster: 2 nodes, 6 pods, API server at https:\/\/127\.0\.0\.1:\d+$/m);
    const config = await readFile(join(directory, 'viewer.kubeconfig'), 'utf8');
    assert.match(config, /server: https:\/\/127\.0\.0\.1:\d+\n/);
    controller.abort();
    assert.equal(await ended, 0);
  });

  it('refuses values that make no sense, naming the flags', async () => {
    const nonsense = [
      '--nodes=-1',
      '--provider=other',
      '--churn=often',
      '--churn=-1',
      '--sidecars=7',
      '--init-containers=1.5',
      '--backend=nonsense',
      '--backend=http://127.0.0.1:10443',
    ];
    for (const flag of nonsense) {
      const output = collect();
      assert.equal(await runSim([flag], output, new AbortController().signal), 1);
      assert.match(output.text(), new RegExp(`^Error: invalid argument .* for "${flag.split('=')[0]}" flag: .+\n$`));
    }
    const output = collect();
    assert.equal(await runSim(nonsense.slice(0, 3), output, new AbortController().signal), 1);
    assert.match(output.text(), /^(Error: invalid argument .+\n){3}$/);
  });

  it('says which directory cannot be made', async () => {
    const output = collect();
    // Node's own recursive mkdir never ends here.
    assert.equal(await runSim(['--dir=/proc/kubetally/files'], output, AbortSignal.abort()), 1);
    assert.match(output.text(), /^Error: .*mkdir '\/proc\/kubetally'\n$/);
  });

  it('refuses words that are no flags', async () => {
    const output = collect();
    assert.equal(await runSim(['foo', 'bar'], output, AbortSignal.abort()), 1);
    assert.equal(output.text(), 'Error: unknown argument "foo" for "kubetally sim"\n');
  });

  for (const [backend, flags] of [
    ['https://127.0.0.1:18443', '--bind-address=127.0.0.1 --secure-port=18443'],
    ['https://[::1]:18443/', '--bind-address=::1 --secure-port=18443'],
    ['https://localhost', '--bind-address=127.0.0.1 --secure-port=443'],
  ] as const)
    it(`says how to serve at ${backend}`, async () => {
      const output = collect();
      assert.equal(await runSim(['--nodes=1', `--backend=${backend}`], output, AbortSignal.abort()), 0);
      assert.ok(output.text().includes(`kubetally serve ${flags} --kubeconfig=`), output.text());
      assert.ok(!output.text().includes('--backend'), output.text());
    });

  it('says that the file of faults is not there yet', async (context) => {
    const output = collect();
    const controller = new AbortController();
    context.after(() => controller.abort());
    const ended = runSim(['--nodes=1', '--faults=/no/such/faults.json'], output, controller.signal);
    await eventually(() => output.text().includes('no such file'), 'the warning');
    assert.match(output.text(), /^Warning: --faults: faults cannot be read, they are applied once they can: ENOENT: /m);
    controller.abort();
    assert.equal(await ended, 0);
  });

  it('explains its flags', async () => {
    const output = collect();
    assert.equal(await runSim(['--help'], output, new AbortController().signal), 0);
    assert.match(output.text(), /--containers int/);
  });
});

describe('a fault file', () => {
  it('is applied whenever it changes', async (context) => {
    const directory = await mkdtemp(join(tmpdir(), 'kubetally-faults-'));
    context.after(async () => await rm(directory, { recursive: true }));
    const cluster = await startCluster(context, { nodes: 3, podsPerNode: 1 });
    const path = join(directory, 'faults.json');
    const told: string[] = [];
    context.after(followFaults(cluster, path, (problem) => told.push(problem)));
    const kinds = (): (string | undefined)[] => cluster.nodeNames.map((node) => cluster.kubelet(node).fault?.kind);
    await writeFile(path, '{"hang":[0],"status":{"1":500},"slowMs":{"2":5000}}');
    await eventually(() => kinds().join() === 'hang,status,slow', 'the faults');
    await writeFile(path, '{"hang":[0');
    await eventually(() => told.at(-1)?.endsWith('holds no JSON object, the faults stay as they are') === true);
    await writeFile(path, '{"reset":[2],"unknown":[1],"status":{"0":99},"slowMs":{"0":"5s","x":1}}');
    await eventually(() => kinds().join() === ',,reset', 'the other faults');
    assert.equal(
      told.at(-1),
      `${path}: these are no faults, and left out: unknown 1, status 0: 99, slowMs 0: "5s", slowMs x: 1`,
    );
  });
});
