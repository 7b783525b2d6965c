import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runDemo } from '../../src/commands/demo.ts';
import { eventually } from '../support/eventually.ts';

const standIn = fileURLToPath(new URL('data/serve-stand-in.mjs', import.meta.url));
const small = ['--nodes=1', '--pods=1'];

/** Collects what a command prints. */
class Output {
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  printed = '';
  complained = '';

  constructor() {
    this.stdout.on('data', (chunk: Buffer) => (this.printed += chunk.toString()));
    this.stderr.on('data', (chunk: Buffer) => (this.complained += chunk.toString()));
  }
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('kubetally demo', () => {
  let directory: string;
  let pidFile: string;
  const temporary = process.env['TMPDIR'];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kubetally-demo-test-'));
    pidFile = join(directory, 'pid');
    process.env['STAND_IN_PID'] = pidFile;
    const own = join(directory, 'tmp');
    await mkdir(own);
    process.env['TMPDIR'] = own;
  });
  after(async () => {
    delete process.env['STAND_IN_PID'];
    if (temporary === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = temporary;
    await rm(directory, { recursive: true });
  });

  const run = async (output: Output, args: readonly string[], signal = new AbortController().signal): Promise<number> =>
    await runDemo([...small, ...args], output, signal, [process.execPath, standIn]);
  const assertNothingLeft = async (): Promise<void> => {
    assert.equal(alive(Number(await readFile(pidFile, 'utf8'))), false);
    assert.deepEqual(await readdir(join(directory, 'tmp')), []);
  };

  it('runs a command with KUBECONFIG set and exits with its code', async () => {
    const output = new Output();
    const script =
      'process.exit(require("fs").readFileSync(process.env.KUBECONFIG, "utf8").includes("server: https") ? 7 : 8)';
    assert.equal(await run(output, ['--', process.execPath, '-e', script]), 7, output.complained);
    assert.match(output.complained, /1 of 1 nodes and 1 of 1 pods have metrics/);
    await assertNothingLeft();
  });

  it('says so when the command does not exist', async () => {
    const output = new Output();
    assert.equal(await run(output, ['--', 'no-such-command']), 127);
    assert.match(output.complained, /cannot run no-such-command: .*ENOENT/);
    await assertNothingLeft();
  });

  it('prints tables and stays up until it is interrupted', async () => {
    const output = new Output();
    const controller = new AbortController();
    const ended = run(output, [], controller.signal);
    await eventually(() => output.printed.includes('Ctrl-C'), 'the instructions');
    assert.match(output.printed, /^NAME +CPU +MEMORY\nnode-00000 +5m +20Mi$/m);
    assert.match(output.printed, /^team-0 +app-0-00000 +5m +20Mi$/m);
    assert.ok(alive(Number(await readFile(pidFile, 'utf8'))));
    controller.abort();
    assert.equal(await ended, 0);
    await assertNothingLeft();
  });

  it('ends a running command when it is interrupted', async () => {
    const output = new Output();
    const controller = new AbortController();
    const marker = join(directory, 'marker');
    const script = `require("fs").writeFileSync(${JSON.stringify(marker)}, "x"); setInterval(() => {}, 1000)`;
    const ended = run(output, ['--', process.execPath, '-e', script], controller.signal);
    await eventually(() => existsSync(marker), 'the command');
    controller.abort();
    assert.equal(await ended, 143);
    await assertNothingLeft();
  });

  it('passes on why the server ended', async (context) => {
    process.env['STAND_IN'] = 'fails';
    context.after(() => delete process.env['STAND_IN']);
    const output = new Output();
    assert.equal(await run(output, []), 1);
    assert.match(output.complained, /kubetally ended unexpectedly\nError: unknown flag: --nonsense/);
    assert.deepEqual(await readdir(join(directory, 'tmp')), []);
  });

  it('refuses flags it does not know', async () => {
    const output = new Output();
    assert.equal(await run(output, ['--flowers']), 1);
    assert.equal(output.complained, 'Error: unknown flag: --flowers\n');
  });
});
