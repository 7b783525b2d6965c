import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { runServer, type RunningServer } from '../../support/running-server.ts';
import { ask } from '../../support/tls-client.ts';

describe('kubetally serve while its kubeconfig takes its time', () => {
  const agent = new Agent({ rejectUnauthorized: false });
  let directory: string;
  /** A pipe, which cannot be read before somebody writes to it. */
  let kubeconfig: string;
  let server: RunningServer;
  let port: number;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kubetally-test-'));
    kubeconfig = join(directory, 'kubeconfig');
    execFileSync('mkfifo', [kubeconfig]);
    server = runServer(`--kubeconfig=${kubeconfig}`, `--cert-dir=${directory}`);
    port = await server.port();
  });
  after(async () => {
    agent.destroy();
    await rm(directory, { recursive: true });
  });

  const status = async (path: string): Promise<number> => (await ask({ port, ca: '' }, path, { agent })).status;

  for (const path of ['/apis/metrics.k8s.io', '/openapi/v2', '/version', '/livez', '/healthz'])
    it(`answers ${path}`, async () => assert.equal(await status(path), 200));

  it('is not ready', async () => assert.equal(await status('/readyz'), 500));

  it('ends with exit code 1 and the reason when it turns out to be none', async () => {
    await writeFile(kubeconfig, 'none');
    assert.equal(await server.exit, 1);
    assert.match(server.log(), /Cannot start.*kubeconfig .* is empty or not a mapping/);
  });
});
