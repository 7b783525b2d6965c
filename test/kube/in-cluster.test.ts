import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, before, beforeEach, describe, it } from 'node:test';
import type { ApiServer } from '../../src/kube/api-server.ts';
import { loadApiServer } from '../../src/kube/config.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { testAuthority } from '../support/pki.ts';

let ca: string;
before(async () => {
  ca = (await testAuthority('cluster-ca')).cert;
});

describe('in a cluster', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'serviceaccount-'));
    await writeFile(join(root, 'ca.crt'), ca);
    await writeFile(join(root, 'token'), 'pod-token\n');
  });
  afterEach(async () => await rm(root, { recursive: true }));

  async function load(env: Record<string, string>, serviceAccountRoot = root): Promise<ApiServer> {
    return await loadApiServer({
      kubeconfig: '',
      clock: new FakeClock(),
      logger: silentLogger,
      env,
      serviceAccountRoot,
    });
  }

  it('takes address and service account', async () => {
    const server = await load({ KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' });
    assert.equal(server.url.href, 'https://10.96.0.1/');
    assert.equal(server.credentials.ca(), ca);
    assert.equal(await server.credentials.authorizationHeader(), 'Bearer pod-token');
  });

  it('takes an IPv6 address', async () => {
    const server = await load({ KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' });
    assert.equal(server.url.href, 'https://[fd00::1]:6443/');
  });

  it('says when it is not in one', async () => {
    await assert.rejects(load({}), /not running in a cluster .* and no --kubeconfig given/);
  });

  it('says when the service account is not mounted', async () => {
    const env = { KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' };
    await assert.rejects(load(env, join(root, 'no')), /cannot read service account CA .*ca\.crt: ENOENT/);
  });
});
