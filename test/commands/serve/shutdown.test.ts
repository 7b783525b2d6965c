import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { runServe } from '../../../src/commands/serve.ts';
import { eventually } from '../../support/eventually.ts';
import { ask, type Reply } from '../../support/tls-client.ts';

/** Nobody listens there; what is asked here needs no API server. */
const kubeconfig = `apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]
users: [{name: u, user: {token: t}}]
`;

describe('kubetally serve told to stop', () => {
  let directory: string;
  const agent = new Agent({ rejectUnauthorized: false, keepAlive: true, maxSockets: 1 });

  before(async () => (directory = await mkdtemp(join(tmpdir(), 'kubetally-test-'))));
  after(async () => {
    agent.destroy();
    await rm(directory, { recursive: true });
  });

  it('is not ready, goes on serving for the delay, then refuses what comes late, and ends with 0', async () => {
    await writeFile(join(directory, 'kubeconfig'), kubeconfig);
    const stop = new AbortController();
    const output = new PassThrough();
    let log = '';
    output.on('data', (chunk: Buffer) => (log += chunk.toString()));
    const flags = [
      `--kubeconfig=${join(directory, 'kubeconfig')}`,
      `--cert-dir=${directory}`,
      '--bind-address=127.0.0.1',
      '--secure-port=0',
      '--shutdown-delay-duration=2s',
    ];
    const exit = runServe(flags, { stdout: output, stderr: output, stop: stop.signal, onCrash: () => {} });
    let port = 0;
    await eventually(() => (port = Number(/"Serving securely".* port=(\d+)/.exec(log)?.[1] ?? 0)) !== 0);
    const get = async (path: string): Promise<Reply> => await ask({ port, ca: '' }, path, { agent });
    const isShuttingDown = async (): Promise<boolean> =>
      (await get('/readyz?verbose')).body.includes('[-]shutdown failed');

    assert.equal((await get('/version')).status, 200);
    assert.equal(await isShuttingDown(), false);
    stop.abort();
    await eventually(isShuttingDown);
    const served = await get('/version');
    assert.deepEqual([served.status, served.headers['connection']], [200, 'keep-alive']);
    let last = served;
    await eventually(async () => (last = await get('/version')).status !== 200);
    assert.deepEqual([last.status, last.headers['connection'], last.headers['retry-after']], [503, 'close', '1']);
    assert.equal(await exit, 0);
  });
});
