import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../support/eventually.ts';
import { kubeconfigOfNobody, runServer } from '../../support/running-server.ts';
import { ask, type Reply } from '../../support/tls-client.ts';

describe('kubetally serve told to stop', () => {
  let directory: string;
  const agent = new Agent({ rejectUnauthorized: false, keepAlive: true, maxSockets: 1 });

  before(async () => (directory = await mkdtemp(join(tmpdir(), 'kubetally-test-'))));
  after(async () => {
    agent.destroy();
    await rm(directory, { recursive: true });
  });

  it('is not ready, goes on serving for the delay, then refuses what comes late, and ends with 0', async () => {
    // What is asked here needs no API server.
    await writeFile(join(directory, 'kubeconfig'), kubeconfigOfNobody);
    const server = runServer(
      `--kubeconfig=${join(directory, 'kubeconfig')}`,
      `--cert-dir=${directory}`,
      '--shutdown-delay-duration=2s',
    );
    const port = await server.port();
    const get = async (path: string): Promise<Reply> => await ask({ port, ca: '' }, path, { agent });
    const isShuttingDown = async (): Promise<boolean> =>
      (await get('/readyz?verbose')).body.includes('[-]shutdown failed');

    assert.equal((await get('/version')).status, 200);
    assert.equal(await isShuttingDown(), false);
    const exit = server.stop();
    await eventually(isShuttingDown);
    const served = await get('/version');
    assert.deepEqual([served.status, served.headers['connection']], [200, 'keep-alive']);
    let last = served;
    await eventually(async () => (last = await get('/version')).status !== 200);
    assert.deepEqual([last.status, last.headers['connection'], last.headers['retry-after']], [503, 'close', '1']);
    assert.equal(await exit, 0);
  });
});
