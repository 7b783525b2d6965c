import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const project = resolve(fileURLToPath(new URL('../..', import.meta.url)));

/** What V8 writes of one script under `NODE_V8_COVERAGE`. */
interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly {
    readonly functionName: string;
    readonly ranges: readonly { readonly count: number }[];
  }[];
}

describe('the bundle', () => {
  let directory: string;

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'bundle-'));
    for (const name of ['package.json', 'src']) symlinkSync(join(project, name), join(directory, name));
    const build = spawnSync(process.execPath, [join(project, 'hack', 'bundle.mjs')], {
      cwd: directory,
      encoding: 'utf8',
    });
    assert.equal(build.status, 0, build.stderr);
  });
  after(() => rmSync(directory, { recursive: true }));

  /** Runs it, and gives the modules that were evaluated: `src/main.ts`, `koa/lib/context.js`. In the bundle each is a function of its path's name. */
  function run(...args: string[]): { readonly output: string; readonly modules: readonly string[] } {
    const coverage = mkdtempSync(join(directory, 'coverage-'));
    const env = { ...process.env, NODE_V8_COVERAGE: coverage };
    const { stdout, stderr } = spawnSync(process.execPath, [join(directory, 'dist', 'main.js'), ...args], {
      env,
      encoding: 'utf8',
      timeout: 60_000,
    });
    const modules = readdirSync(coverage)
      .flatMap(
        (file) => (JSON.parse(readFileSync(join(coverage, file), 'utf8')) as { result: ScriptCoverage[] }).result,
      )
      .filter(({ url }) => url.endsWith('/dist/main.js'))
      .flatMap(({ functions }) => functions)
      .filter(({ functionName, ranges }) => /\.[cm]?[jt]s$/.test(functionName) && (ranges[0]?.count ?? 0) > 0)
      .map(({ functionName }) => functionName.replace(/^.*(node_modules\/|(?=src\/))/, ''));
    return { output: stdout + stderr, modules };
  }

  it('is ASCII, and leaves the notices of others to the file of licences', () => {
    const dist = join(directory, 'dist');
    assert.deepEqual(readdirSync(dist).sort(), ['main.js', 'main.js.map', 'third-party-licenses.txt']);
    assert.doesNotMatch(readFileSync(join(dist, 'main.js'), 'latin1'), /[\x80-\xff]/);
    assert.match(readFileSync(join(dist, 'third-party-licenses.txt'), 'utf8'), /formdata-polyfill\. MIT License\./);
  });

  it('evaluates nothing but its flags for --version and --help', () => {
    for (const flag of ['--version', '--help']) {
      const { output, modules } = run(flag);
      assert.match(output, /kubetally/);
      assert.ok(modules.includes('src/options/serve-options.ts'));
      assert.deepEqual(
        modules.filter(
          (name) =>
            !/^src\/(model|options|kube\/selectors)\/|^src\/(commands\/(serve|command-io)|version)\.ts$/.test(name),
        ),
        [],
      );
    }
  });

  it('evaluates what speaks with the cluster after it listens, not before', async () => {
    const late = /^(undici|yaml)\/|^src\/(scrape|kube\/(client|config))\b/;
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as AddressInfo;
    const before = run('--bind-address=127.0.0.1', `--secure-port=${port}`, '--kubeconfig=/nowhere');
    squatter.close();
    assert.match(before.output, /Cannot start.*EADDRINUSE/);
    assert.ok(before.modules.includes('koa/lib/application.js'));
    assert.deepEqual(
      before.modules.filter((name) => late.test(name)),
      [],
    );
    const listening = run('--bind-address=127.0.0.1', '--secure-port=0', '--kubeconfig=/nowhere');
    assert.match(listening.output, /Cannot start.*\/nowhere/);
    assert.ok(listening.modules.some((name) => late.test(name)));
  });
});
