import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { kubeconfigOfNobody, runServer, type RunningServer } from '../../support/running-server.ts';
import { ask } from '../../support/tls-client.ts';

const group = '/apis/metrics.k8s.io';

describe('kubetally serve started while the API server is away', () => {
  const agent = new Agent({ rejectUnauthorized: false });
  let directory: string;
  let server: RunningServer;
  let port: number;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kubetally-test-'));
    await writeFile(join(directory, 'kubeconfig'), kubeconfigOfNobody);
    server = runServer(`--kubeconfig=${join(directory, 'kubeconfig')}`, `--cert-dir=${directory}`);
    port = await server.port();
  });
  after(async () => {
    assert.equal(await server.stop(), 0);
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
