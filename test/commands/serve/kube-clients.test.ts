import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it, type TestContext } from 'node:test';
import { createKubeClients, type KubeClients } from '../../../src/commands/serve/kube-clients.ts';
import { parseServeOptions } from '../../../src/options/serve-options.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { Telemetry } from '../../../src/telemetry/telemetry.ts';
import { FakeClock } from '../../support/fake-clock.ts';

const kubeconfig = `
current-context: here
contexts: [{name: here, context: {cluster: c}}]
clusters: [{name: c, cluster: {server: "https://127.0.0.1:6443"}}]`;

describe('The clients of the API server', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kubetally-'));
    for (const name of ['a', 'b']) await writeFile(join(directory, name), kubeconfig);
  });
  afterEach(async () => await rm(directory, { recursive: true }));

  /** @param flags with names of kubeconfigs in the directory */
  async function create(t: TestContext, flags: Readonly<Record<string, string>>): Promise<KubeClients> {
    const request = parseServeOptions(
      Object.entries(flags).map(([flag, name]) => `--${flag}=${join(directory, name)}`),
    );
    assert.ok(request.kind === 'serve');
    const { options } = request;
    const clock = new FakeClock();
    const telemetry = new Telemetry({
      resolution: options.metricResolution,
      perNode: false,
      version: '',
      clock,
      processMetrics: false,
    });
    const log = createLogger({ format: 'text', verbosity: 0, write: () => {}, clock, pid: 1 });
    const clients = await createKubeClients({ options, clock, log, telemetry });
    t.after(async () => await clients.close());
    return clients;
  }

  it('are one for all flags that name the same kubeconfig, or none', async (t) => {
    const named = await create(t, {
      kubeconfig: 'a',
      'authentication-kubeconfig': 'a',
      'authorization-kubeconfig': 'a',
    });
    assert.equal(named.authentication, named.main);
    assert.equal(named.authorization, named.main);
    const unnamed = await create(t, { kubeconfig: 'a' });
    assert.equal(unnamed.authentication, unnamed.main);
    assert.equal(unnamed.authorization, unnamed.main);
  });

  it('are others for flags that name another kubeconfig', async (t) => {
    const clients = await create(t, {
      kubeconfig: 'a',
      'authentication-kubeconfig': 'b',
      'authorization-kubeconfig': 'b',
    });
    assert.notEqual(clients.authentication, clients.main);
    assert.equal(clients.authorization, clients.authentication);
  });
});
