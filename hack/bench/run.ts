// Measures kubetally beside its floors and, where there is one, metrics-server, all in one run: `npm run bench -- [micro] [scrape] [serve] [start] [scale]`.
//   --json FILE            also write everything as JSON
//   --size 100x70          nodes and pods on each, for all but scale
//   --scale 100x70,...     sizes of scale; default 100x70,1000x30,5000x30
//   --resolution 15        seconds between scrapes
//   --cycles 4             cycles that scrape averages over
//   --seconds 2            of each request of serve
//   --duration 60          seconds of each size of scale
//   --starts 5             starts of start
// METRICS_SERVER=path names a metrics-server to compare with.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Figure } from './figure.ts';
import { benchMicro } from './micro.ts';
import { documentOf, loadText, tableOf } from './report.ts';
import { benchScale } from './scale.ts';
import { benchScrape } from './scrape.ts';
import { benchServe } from './serve.ts';
import { parseSize, type Settings } from './settings.ts';
import { Stage } from './stage.ts';
import { benchStart } from './start.ts';

/** Those of the calm stage share one. */
const staged = { scrape: benchScrape, serve: benchServe };
const alone = { micro: benchMicro, start: benchStart, scale: benchScale };
const names = ['micro', 'scrape', 'serve', 'start', 'scale'];
/** Nothing here takes longer; whatever hangs is ended. */
const limit = 3_600_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    size: { type: 'string', default: '100x70' },
    scale: { type: 'string', default: '100x70,1000x30,5000x30' },
    resolution: { type: 'string', default: '15' },
    cycles: { type: 'string', default: '4' },
    seconds: { type: 'string', default: '2' },
    duration: { type: 'string', default: '60' },
    starts: { type: 'string', default: '5' },
  },
});
const unknown = positionals.find((name) => !names.includes(name));
if (unknown !== undefined) {
  console.error(`bench: there is no "${unknown}", only ${names.join(', ')}`);
  process.exit(1);
}
const asked = new Set(positionals.length === 0 ? names : positionals);

// Node reads the certificates that this names whenever it starts: a system's bundle takes Node 20 another 60 ms, which are not the program's.
delete process.env['NODE_EXTRA_CA_CERTS'];
// Every exit, also that of a signal, ends the processes started and removes the files.
for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }))
  process.once(signal, () => process.exit(code));
const directory = mkdtempSync(join(tmpdir(), 'kubetally-bench-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
setTimeout(() => {
  console.error(`bench: not done after ${limit / 60_000} minutes`);
  process.exit(1);
}, limit).unref();

if (spawnSync(process.execPath, ['hack/bundle.mjs'], { stdio: 'inherit' }).status !== 0) process.exit(1);
// A copy: the next build must not change what is measured.
await cp('dist/main.js', join(directory, 'main.js'));
await writeFile(join(directory, 'package.json'), '{"type":"module"}');

const settings: Settings = {
  directory,
  program: join(directory, 'main.js'),
  metricsServer: process.env['METRICS_SERVER'] || undefined,
  size: parseSize(values.size),
  scales: values.scale.split(',').map(parseSize),
  resolution: Number(values.resolution),
  cycles: Number(values.cycles),
  serveSeconds: Number(values.seconds),
  scaleSeconds: Number(values.duration),
  starts: Number(values.starts),
  say: (text) => console.error(`bench: ${text}`),
};
const [begun, loadBefore] = [new Date(), loadText()];
const figures: Figure[] = [];
if (asked.has('micro')) figures.push(...(await alone.micro(settings)));
if (asked.has('scrape') || asked.has('serve')) {
  const stage = await Stage.start(settings);
  try {
    for (const [name, bench] of Object.entries(staged)) if (asked.has(name)) figures.push(...(await bench(stage)));
  } finally {
    await stage.stop();
  }
}
if (asked.has('start')) figures.push(...(await alone.start(settings)));
if (asked.has('scale')) figures.push(...(await alone.scale(settings)));

const run = { begun, ended: new Date(), asked: [...asked], settings: values, loadBefore, loadAfter: loadText() };
console.log(tableOf(figures));
console.log(`before: ${run.loadBefore}; after: ${run.loadAfter}; Node ${process.version}`);
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(documentOf(figures, run), null, 2)}\n`);
