// Does anything grow? A cluster whose pods, containers and nodes come and go and whose kubelets fail in turn, for so many cycles at the shortest
// resolution there is: 60 cycles are an hour at the default resolution of a minute.
//   npm run soak -- --out DIR [--cycles 60] [--size 50x30]
// Writes soak.json and soak.svg into DIR. Exits with 1 when something grew.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { until } from '../e2e/wait.ts';
import { Clients } from './clients.ts';
import { drawCurves } from './curve.ts';
import { LiveHeap } from './live-heap.ts';
import { descriptorCount } from './process-usage.ts';
import { loadText } from './report.ts';
import { parseSize, sizeText } from './settings.ts';
import { Simulation } from './simulation.ts';
import { faultsOf } from './soak-faults.ts';
import { startServer, type MetricsServer } from './subject.ts';
import { growths, type SoakSample } from './soak-growth.ts';

const resolution = 10;
/** Everybody has been seen and compiled by then; growth is counted from here. */
const settlingCycles = 6;

const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'soak' },
    cycles: { type: 'string', default: '60' },
    size: { type: 'string', default: '50x30' },
  },
});
const [size, cycles] = [parseSize(values.size), Number(values.cycles)];
// The first third of what follows the settling is compared with the last.
const fewestCycles = settlingCycles + 3;
if (!Number.isInteger(cycles) || cycles < fewestCycles) {
  console.error(`soak: --cycles must be a whole number of at least ${fewestCycles}, not "${values.cycles}"`);
  process.exit(1);
}
for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }))
  process.once(signal, () => process.exit(code));
const directory = mkdtempSync(join(tmpdir(), 'kubetally-soak-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
mkdirSync(values.out, { recursive: true });
if (spawnSync(process.execPath, ['hack/bundle.mjs'], { stdio: 'inherit' }).status !== 0) process.exit(1);

const samples: SoakSample[] = [];
const simulation = await Simulation.start(directory, {
  ...size,
  // Six times what is much in a cluster, since an hour passes in ten minutes.
  churnPerMinute: size.nodes * size.podsPerNode * 0.06,
  restartsPerMinute: 30,
  nodeChurnPerMinute: 6,
  workloads: 100,
});
try {
  const server = await startServer(
    'kubetally',
    [process.execPath, '--inspect=127.0.0.1:0', 'dist/main.js'],
    simulation,
    resolution,
  );
  try {
    await server.untilStored(size.nodes * 0.9, simulation.pods * 0.9, 120_000);
    await soak(server);
  } finally {
    await server.stop();
  }
} finally {
  await simulation.stop();
}
report();

async function soak(server: MetricsServer): Promise<void> {
  const heap = await until(10_000, 'the inspector answers', async () => await LiveHeap.connect(server.log));
  const clients = new Clients(server.url, simulation);
  const begun = performance.now();
  try {
    for (let cycle = 0; cycle < cycles; cycle++) {
      await simulation.setFaults(faultsOf(cycle, size.nodes));
      await clients.ask(begun + (cycle + 1) * resolution * 1000 - performance.now());
      samples.push(await sampleOf(server, heap, (performance.now() - begun) / 1000));
      console.error(`soak: cycle ${cycle + 1} of ${cycles}: ${JSON.stringify(samples.at(-1))}`);
    }
  } finally {
    clients.stop();
    heap.close();
  }
}

async function sampleOf(server: MetricsServer, heap: LiveHeap, seconds: number): Promise<SoakSample> {
  const liveHeap = await heap.measure();
  const metrics = await server.metrics();
  return {
    seconds,
    heap: liveHeap,
    rss: server.usage.rss,
    descriptors: descriptorCount(server.pid),
    resources: metrics.get('nodejs_active_resources_total') ?? Number.NaN,
    series: metrics.size,
    pods: metrics.get('kubetally_inventory_pods') ?? Number.NaN,
    containers: metrics.get('metrics_server_storage_points{type="container"}') ?? Number.NaN,
  };
}

function report(): void {
  const grown = growths(samples.slice(settlingCycles));
  const run = { size: sizeText(size), cycles, resolution, node: process.version, load: loadText() };
  writeFileSync(join(values.out, 'soak.json'), `${JSON.stringify({ ...run, grown, samples }, null, 2)}\n`);
  const curve = (title: string, unit: string, of: (sample: SoakSample) => number) => ({
    title,
    unit,
    points: samples.map((sample) => ({ seconds: sample.seconds, value: of(sample) })),
  });
  const svg = drawCurves(`${sizeText(size)} with churn, restarts and faults, ${cycles} cycles of ${resolution} s`, [
    curve('Heap after a full collection', 'MiB', ({ heap }) => heap),
    curve('Resident memory', 'MiB', ({ rss }) => rss),
    curve('Descriptors', '', ({ descriptors }) => descriptors),
    curve('Active handles and timers of Node', '', ({ resources }) => resources),
    curve('Prometheus series', '', ({ series }) => series),
    curve('Pods known', '', ({ pods }) => pods),
  ]);
  writeFileSync(join(values.out, 'soak.svg'), svg);
  for (const { what, from, to, grew } of grown)
    console.log(`${what}: ${from.toFixed(1)} -> ${to.toFixed(1)}${grew ? ' GREW' : ''}`);
  if (grown.some(({ grew }) => grew)) process.exitCode = 1;
}
