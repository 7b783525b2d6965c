// Fails when a folder of src/ imports one that stands to its right in the data flow, or names a library that belongs to another folder.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const src = resolve(dirname(fileURLToPath(import.meta.url)), '../src');

/** Left to right; a folder may import those to its left. `model` imports nothing, `telemetry` only `model`. */
const order = [
  'model',
  'telemetry',
  'pki',
  'kube',
  'options',
  'inventory',
  'scrape',
  'windows',
  'metrics-api',
  'wire',
  'server',
];
/** May import everything in `order`; only `commands` (and tests) import them. */
const leaves = ['sim'];
/** Libraries that only these folders or files may name. */
const owners = {
  koa: ['server', 'sim'],
  '@koa/router': ['server', 'sim'],
  '@kubernetes/client-node': ['kube'],
  'prom-client': ['telemetry'],
  jose: ['server', 'sim'],
};

const problems = [];
for (const entry of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
  if (!entry.endsWith('.ts')) continue;
  const file = join(src, entry);
  const folder = entry.split(sep)[0] ?? '';
  for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(/(?:from|import|import\()\s*'([^']+)'/g)) {
    if (!specifier.startsWith('.')) {
      const library = Object.keys(owners).find((name) => specifier === name || specifier.startsWith(`${name}/`));
      if (library !== undefined && !owners[library].includes(folder))
        problems.push(`${entry}: ${library} belongs to ${owners[library].join(', ')}`);
      continue;
    }
    const target = relative(src, resolve(dirname(file), specifier)).split(sep)[0] ?? '';
    if (target === folder || folder === 'main.ts' || folder === 'commands') continue;
    if (target.endsWith('.ts') && !entry.includes(sep)) continue;
    const allowed = leaves.includes(folder)
      ? order
      : folder === 'telemetry'
        ? ['model']
        : order.slice(0, Math.max(0, order.indexOf(folder)));
    if (!allowed.includes(target) && target !== 'version.ts')
      problems.push(`${entry}: ${folder}/ must not import ${target}/`);
  }
}
for (const problem of problems) console.error(problem);
process.exit(problems.length === 0 ? 0 : 1);
