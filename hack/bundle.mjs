// Makes dist/main.js: the whole program in one file that needs no node_modules; and the licences of what is in it.
// Where there is no git, as in the image's build, REVISION and CREATED say which commit it is and when that was made.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
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

/** Of client-node only the reading of kubeconfigs is used; the generated clients of every API behind it are two thirds of the bundle. */
const withoutGeneratedClients = {
  name: 'without-generated-clients',
  setup(build) {
    build.onResolve({ filter: /\/gen\/index\.js$/ }, ({ importer }) =>
      /client-node[\\/]dist[\\/]/.test(importer) ? { path: 'generated-clients', namespace: 'empty' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'empty' }, () => ({
      contents:
        'export const ServerConfiguration = undefined, createConfiguration = undefined, ResponseContext = undefined;',
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
  minify: false,
  sourcemap: true,
  legalComments: 'eof',
  metafile: true,
  logLevel: 'warning',
  plugins: [withoutGeneratedClients],
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

writeFileSync(
  'dist/third-party-licenses.txt',
  thirdPartyLicenses(Object.keys(metafile.outputs['dist/main.js'].inputs)),
);
