import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { runServe } from '../../src/commands/serve.ts';
import { epochMs } from '../../src/model/units.ts';
import type { KubeletFault } from '../../src/sim/kubelet/kubelet-fault.ts';
import { askApi } from '../support/cluster.ts';
import { eventually } from '../support/eventually.ts';
import { serveCluster, type ServedCluster } from '../support/served-cluster.ts';

interface Item {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly timestamp: string;
  readonly window: string;
  readonly containers: readonly {
    readonly name: string;
    readonly usage: { readonly cpu: string; readonly memory: string };
  }[];
}

describe('kubetally serve on a simulated cluster', () => {
  const cleanups: (() => Promise<unknown>)[] = [];
  let served: ServedCluster;

  before(async () => {
    const context = { after: (cleanup: () => unknown) => void cleanups.unshift(async () => await cleanup()) };
    served = await serveCluster(context, { nodes: 6, podsPerNode: 3 }, '--metric-max-age=5m');
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
  });

  const items = async (resource: string): Promise<Item[]> => {
    const { status, body } = await askApi(served.cluster, `/apis/metrics.k8s.io/v1/${resource}`);
    assert.equal(status, 200, body);
    return (JSON.parse(body) as { items: Item[] }).items;
  };

  it('serves what containers truly use: memory to the byte, constant CPU within 2 %', async () => {
    const pods = await items('pods');
    assert.equal(pods.length, 18);
    for (const { metadata, timestamp, containers } of pods)
      for (const { name, usage } of containers) {
        const truth = served.cluster.containerTruth(metadata.namespace, metadata.name, name);
        const end = epochMs(Date.parse(timestamp));
        const rate = truth.trueRate(epochMs(end - 10_000), end);
        assert.ok(Math.abs(nanocores(usage.cpu) - rate) <= rate * 0.02, `${metadata.name}: ${usage.cpu} of ${rate}`);
        assert.equal(bytes(usage.memory), truth.trueMemory(end));
      }
  });

  it('says what is wrong with each kubelet, serves what it had, and says when each is well again', async () => {
    const faults: KubeletFault[] = [
      { kind: 'hang' },
      { kind: 'reset' },
      { kind: 'truncate' },
      { kind: 'garbage' },
      { kind: 'huge', size: 100_000_000 },
    ];
    for (const [number, fault] of faults.entries()) await served.cluster.setKubeletFault(`node-0000${number}`, fault);
    const logged = (what: RegExp): boolean => what.test(served.log());
    const said = [
      'no whole answer within',
      'other side closed|ECONNRESET',
      'broke off',
      'parse|summary:',
      'larger than',
    ];
    await eventually(
      () =>
        said.every((words, number) =>
          logged(new RegExp(`Node cannot be scraped.*(${words}).*node="node-0000${number}"`)),
        ),
      'a log line for each node',
      40_000,
    );
    assert.equal((await items('nodes')).length, 6);
    assert.equal((await items('pods')).length, 18);
    for (const number of faults.keys()) await served.cluster.setKubeletFault(`node-0000${number}`, undefined);
    await eventually(
      () => faults.every((_, number) => logged(new RegExp(`Node answers again.*node="node-0000${number}"`))),
      'a log line for each recovery',
      60_000,
    );
  });

  it('outlasts a restart of the API server and sees what happened meanwhile', async () => {
    await served.cluster.apiServer.restart();
    served.cluster.pods.create('team-0', {
      metadata: { name: 'latecomer' },
      spec: { containers: [{ name: 'app', image: 'example/app' }] },
    });
    await eventually(
      async () => (await items('pods')).some(({ metadata }) => metadata.name === 'latecomer'),
      'the new pod',
      60_000,
    );
  });

  it('forgets a pod that is deleted', async () => {
    served.cluster.pods.delete({ namespace: 'team-0', name: 'latecomer' });
    await eventually(
      async () => (await items('pods')).every(({ metadata }) => metadata.name !== 'latecomer'),
      'the pod to go',
      45_000,
    );
  });

  it('ends with exit code 0 when told to stop', async () => {
    assert.equal(await served.stopServer(), 0);
    assert.match(served.log(), /"Stopped"/);
  });
});

describe('the command line of kubetally serve', () => {
  const run = async (...args: string[]): Promise<{ code: number; out: string; err: string }> => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const code = await runServe(args, { stdout, stderr, stop: AbortSignal.abort(), onCrash: () => {} });
    stdout.end();
    stderr.end();
    return { code, out: await text(stdout), err: await text(stderr) };
  };

  it('refuses an unknown flag with one line', async () => {
    assert.deepEqual(await run('--bogus'), { code: 1, out: '', err: 'Error: unknown flag: --bogus\n' });
  });

  it('says everything that is wrong at once', async () => {
    const { code, err } = await run(
      '--metric-resolution=5s',
      '--kubelet-insecure-tls',
      '--kubelet-certificate-authority=/ca.crt',
    );
    assert.equal(code, 1);
    assert.equal(err.trim().split('\n').length >= 2, true, err);
  });

  it('names the kubeconfig that cannot be read', async () => {
    const { code, err } = await run('--kubeconfig=/nowhere/config', '--bind-address=127.0.0.1', '--secure-port=0');
    assert.equal(code, 1);
    assert.match(err, /\/nowhere\/config/);
  });

  it('prints help and version', async () => {
    assert.match((await run('--help')).out, /--kubelet-insecure-tls/);
    assert.match((await run('--version')).out, /^kubetally version v\d/);
  });
});

const suffixes = new Map(
  Object.entries({ n: 1, u: 1e3, m: 1e6, '': 1e9, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3, k: 1e3 }),
);

function nanocores(text: string): number {
  const [, digits = '', suffix = ''] = /^(\d+)([a-z]?)$/.exec(text) ?? [];
  return Number(digits) * (suffixes.get(suffix) ?? Number.NaN);
}

function bytes(text: string): number {
  const [, digits = '', suffix = ''] = /^(\d+)([A-Za-z]*)$/.exec(text) ?? [];
  return Number(digits) * (suffix === '' ? 1 : (suffixes.get(suffix) ?? Number.NaN));
}
