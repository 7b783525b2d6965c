import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { stringify } from 'yaml';
import { eventually } from '../../support/eventually.ts';

const program = ['--import', 'tsx', new URL('../../../src/main.ts', import.meta.url).pathname];

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

it(
  'kubetally serve stops while a credential plugin hangs, ends it, and logs no failure any more',
  { timeout: 60_000 },
  async (context) => {
    const directory = await mkdtemp(join(tmpdir(), 'kubetally-test-'));
    const pidFile = join(directory, 'plugin.pid');
    const script = `require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); setTimeout(() => {}, 600_000)`;
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', script] };
    const kubeconfig = join(directory, 'kubeconfig');
    await writeFile(
      kubeconfig,
      stringify({
        'current-context': 'c',
        contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
        clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
        users: [{ name: 'u', user: { exec } }],
      }),
    );
    const flags = [`--kubeconfig=${kubeconfig}`, `--cert-dir=${directory}`, '--shutdown-delay-duration=0s'];
    const server = spawn(
      process.execPath,
      [...program, 'serve', '--bind-address=127.0.0.1', '--secure-port=0', '--v=4', ...flags],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    context.after(async () => {
      server.kill('SIGKILL');
      await rm(directory, { recursive: true });
    });
    let log = '';
    server.stderr.setEncoding('utf8').on('data', (text: string) => (log += text));

    await eventually(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '', 'the plugin', 25_000);
    const plugin = Number(readFileSync(pidFile, 'utf8'));
    context.after(() => isAlive(plugin) && process.kill(plugin));
    server.kill('SIGTERM');
    const [code] = (await once(server, 'close')) as [number | null];

    assert.equal(code, 0, log);
    await eventually(() => !isAlive(plugin), 'the end of the plugin');
    const stopping = log.slice(log.indexOf('"Stopping"'));
    assert.match(stopping, /^"Stopping".*\nI.* "Stopped"\n$/);
  },
);
