// Makes dist/main.js: the whole program in one file that needs no node_modules; and the licences of what is in it.
// Where there is no git, as in the image's build, REVISION and CREATED say which commit it is and when that was made.
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { thirdPartyLicenses } from './third-party-licenses.mjs';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const git = (...args) => {
  try {
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
};
const { REVISION, CREATED } = process.env;
const changes = git('status', '--porcelain');
/** Of the commit, so that the same sources make the same file. */
const date = git('log', '-1', '--format=%cd', '--date=format-local:%Y-%m-%dT%H:%M:%SZ');

const json = (path) => JSON.parse(readFileSync(path, 'utf8'));

/**
 * What takes the place of modules that we need a small part of, since the whole makes the program larger and its start slower. Milliseconds are what
 * evaluating the whole took with Node 20 on a slow machine, of 170 for Node itself.
 */
const standIns = [
  {
    // The generated clients of every API, two thirds of the bundle; kubeconfigs are read without them.
    instead: /[\\/]@kubernetes[\\/]client-node[\\/]dist[\\/]gen[\\/]index\.js$/,
    contents:
      'export const ServerConfiguration = undefined, createConfiguration = undefined, ResponseContext = undefined;',
  },
  {
    // Kubeconfigs reach client-node parsed.
    instead: /[\\/]js-yaml[\\/]dist[\\/]js-yaml\.mjs$/,
    contents: 'export const load = undefined, dump = undefined;',
  },
  {
    // Beside the clients, fetch, WebSockets, caches, cookies and mocks: 60 ms.
    instead: /[\\/]node_modules[\\/]undici[\\/]index\.js$/,
    contents: `
      const Dispatcher = require('./lib/dispatcher/dispatcher');
      Object.assign(Dispatcher.prototype, require('./lib/api'));
      module.exports = {
        errors: require('./lib/core/errors'),
        buildConnector: require('./lib/core/connect'),
        Client: require('./lib/dispatcher/client'),
        Pool: require('./lib/dispatcher/pool'),
        get Agent() { return require('./lib/dispatcher/agent'); },
        get ProxyAgent() { return require('./lib/dispatcher/proxy-agent'); },
      };`,
  },
  {
    // Proxies of another kind than the two that we take.
    instead: /[\\/]node_modules[\\/]socks(-proxy-agent)?[\\/](dist|build)[\\/]index\.js$/,
    contents: 'export const SocksProxyAgent = undefined, SocksClient = undefined;',
  },
  {
    // 2,500 media types, three times: 60 ms. We name ours; these are what Koa falls back to.
    instead: /[\\/]mime-db[\\/]index\.js$/,
    contents: ({ path }) => {
      const all = json(join(dirname(path), 'db.json'));
      const used = ['application/json', 'application/octet-stream', 'text/html', 'text/plain'];
      return `module.exports = ${JSON.stringify(Object.fromEntries(used.map((type) => [type, all[type]])))};`;
    },
  },
  {
    // Warns developers of old calls, of which we make none. To name the caller it asks, when it is loaded, where each line of the bundle begins: 4 ms.
    instead: /[\\/]depd[\\/]index\.js$/,
    contents: 'module.exports = () => Object.assign(() => {}, { function: (called) => called, property: () => {} });',
  },
  {
    // prom-client asks it for the trace of an exemplar; we have none.
    instead: /[\\/]@opentelemetry[\\/]api[\\/]dist[\\/]index\.cjs$/,
    contents: 'module.exports = {};',
  },
];
const useStandIns = {
  name: 'stand-ins',
  setup(build) {
    for (const { instead, contents } of standIns)
      build.onLoad({ filter: instead }, (module) => ({
        contents: typeof contents === 'string' ? contents : contents(module),
        resolveDir: dirname(module.path),
      }));
  },
};

/**
 * Loads Node's own modules when they are first needed, not all of them before the first line runs; and without looking at every export, of which tls's
 * root certificates alone take 10 ms.
 */
const lateBuiltins = {
  name: 'late-builtins',
  setup(build) {
    build.onResolve({ filter: /./ }, ({ path, kind }) =>
      kind === 'import-statement' && isBuiltin(path) ? { path, namespace: 'builtin' } : undefined,
    );
    build.onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = require(${JSON.stringify(path)});`,
    }));
  },
};

const { metafile } = await build({
  entryPoints: ['src/main.ts'],
  outfile: 'dist/main.js',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  minifyWhitespace: true,
  minifySyntax: true,
  sourcemap: true,
  // Apart, since one of them is not ASCII: Node 24 would keep the whole program at two bytes a character, 1.6 MB more, and read it 2 ms longer.
  legalComments: 'external',
  metafile: true,
  logLevel: 'warning',
  plugins: [useStandIns, lateBuiltins],
  // CommonJS dependencies call require for Node's own modules.
  banner: {
    js: "#!/usr/bin/env node\nimport { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
  },
  define: {
    KUBETALLY_BUILD: JSON.stringify({
      version,
      commit: git('rev-parse', 'HEAD') ?? REVISION ?? 'unknown',
      treeState: changes === undefined ? 'unknown' : changes === '' ? 'clean' : 'dirty',
      date: date ?? CREATED ?? '1970-01-01T00:00:00Z',
    }),
  },
});

const notices = 'dist/main.js.LEGAL.txt';
writeFileSync(
  'dist/third-party-licenses.txt',
  thirdPartyLicenses(Object.keys(metafile.outputs['dist/main.js'].inputs)) + '\n' + readFileSync(notices, 'utf8'),
);
rmSync(notices);
