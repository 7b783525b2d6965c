import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { runServe } from '../../../src/commands/serve.ts';
import { eventually } from '../../support/eventually.ts';
import { ask } from '../../support/tls-client.ts';

/** Nobody listens there. */
const kubeconfig = `apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]
users: [{name: u, user: {token: t}}]
`;
const group = '/apis/metrics.k8s.io';

describe('kubetally serve started while the API server is away', () => {
  const stop = new AbortController();
  const agent = new Agent({ rejectUnauthorized: false });
  let directory: string;
  let exit: Promise<number>;
  let port = 0;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kubetally-test-'));
    await writeFile(join(directory, 'kubeconfig'), kubeconfig);
    const output = new PassThrough();
    let log = '';
    output.on('data', (chunk: Buffer) => (log += chunk.toString()));
    const flags = [
      `--kubeconfig=${join(directory, 'kubeconfig')}`,
      `--cert-dir=${directory}`,
      '--bind-address=127.0.0.1',
      '--secure-port=0',
    ];
    exit = runServe(flags, { stdout: output, stderr: output, stop: stop.signal, onCrash: () => {} });
    await eventually(() => {
      port = Number(/"Serving securely".* port=(\d+)/.exec(log)?.[1] ?? 0);
      return port !== 0;
    });
  });
  after(async () => {
    stop.abort();
    assert.equal(await exit, 0);
    await rm(directory, { recursive: true });
  });

  const status = async (path: string): Promise<number> => (await ask({ port, ca: '' }, path, { agent })).status;

  for (const path of ['/apis', group, `${group}/v1`, `${group}/v1beta1`, '/openapi/v2', '/openapi/v3', '/version'])
    it(`answers ${path}`, async () => assert.equal(await status(path), 200));

  it('is alive but not ready, and refuses resources', async () => {
    assert.equal(await status('/livez'), 200);
    assert.equal(await status('/healthz'), 200);
    assert.equal(await status('/readyz'), 500);
    assert.equal(await status(`${group}/v1/nodes`), 500);
  });
});
