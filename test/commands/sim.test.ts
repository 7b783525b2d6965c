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

  it('refuses values that make no sense', async () => {
    for (const args of [['--nodes=-1'], ['--provider=other'], ['--churn=often'], ['--backend=nonsense']]) {
      const output = collect();
      assert.equal(await runSim(args, output, new AbortController().signal), 1);
      assert.match(output.text(), /^Error: .+\n$/);
    }
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
    context.after(followFaults(cluster, path));
    const kinds = (): (string | undefined)[] => cluster.nodeNames.map((node) => cluster.kubelet(node).fault?.kind);
    await writeFile(path, '{"hang":[0],"status":{"1":500},"slowMs":{"2":5000}}');
    await eventually(() => kinds().join() === 'hang,status,slow', 'the faults');
    await writeFile(path, '{"hang":[0');
    await writeFile(path, '{"reset":[2],"unknown":[1]}');
    await eventually(() => kinds().join() === ',,reset', 'the other faults');
  });
});
