import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HttpsClient } from '../e2e/https-client.ts';
import { pause } from '../e2e/wait.ts';
import { asInImage } from './as-in-image.ts';
import type { Figure } from './figure.ts';
import type { Settings } from './settings.ts';
import { Simulation } from './simulation.ts';
import { median } from './statistics.ts';
import { startServeFloor, startServer, type ServerName, type Subject } from './subject.ts';

/** Milliseconds between looks, which is also how exact the times are. */
const glance = 10;
const patience = 120_000;

/** Milliseconds since the process was started. */
interface Start {
  readonly answers: number;
  /** Metrics of a node and of a pod. */
  readonly firstMetrics: number;
  readonly allNodes: number;
}

/** How long it takes from the start of the process to its end with nothing to do, to the first answer over TLS, and to metrics; medians of several starts. */
export async function benchStart(settings: Settings): Promise<readonly Figure[]> {
  const { size, program, metricsServer, starts, say } = settings;
  const simulation = await Simulation.start(join(settings.directory, 'start'), { ...size });
  try {
    const ours: Start[] = [];
    const floors: number[] = [];
    const runtimes: number[] = [];
    const versions: number[] = [];
    for (let turn = 1; turn <= starts; turn++) {
      say(`start: ${turn} of ${starts}`);
      runtimes.push(await timeRun('-e', '0'));
      versions.push(await timeRun(program, '--version'));
      floors.push(await timeFloor(simulation));
      ours.push(await timeStart('kubetally', asInImage(program), simulation, settings));
    }
    // One start is enough of a server that takes two scrapes.
    const theirs = metricsServer && (await timeStart('metrics-server', [metricsServer], simulation, settings));
    const figure = (what: string, of: (start: Start) => number): Figure => ({
      bench: 'start',
      name: what,
      unit: 'ms',
      kubetally: median(ours.map(of)),
      metricsServer: theirs ? of(theirs) : undefined,
    });
    const besideNode = (what: string, times: readonly number[]): Figure => ({
      bench: 'start',
      name: `${what}, beside Node itself`,
      unit: 'ms',
      kubetally: median(times),
      floor: median(runtimes),
    });
    return [
      besideNode('--version', versions),
      {
        ...figure('to the first TLS answer', ({ answers }) => answers),
        floor: median(floors),
        budget: { of: 'itself', most: 300 },
      },
      besideNode(
        'to the first TLS answer',
        ours.map(({ answers }) => answers),
      ),
      { ...figure('to the first metrics', ({ firstMetrics }) => firstMetrics), budget: { of: 'itself', most: 3000 } },
      figure('to metrics of all nodes', ({ allNodes }) => allNodes),
    ];
  } finally {
    await simulation.stop();
  }
}

/** Milliseconds until Node has run a program to its end. */
async function timeRun(...args: readonly string[]): Promise<number> {
  const begun = performance.now();
  const child = spawn(process.execPath, args, { stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`node ${args.join(' ')} ended with ${code}`);
  return performance.now() - begun;
}

async function timeStart(
  name: ServerName,
  program: readonly string[],
  simulation: Simulation,
  { size, resolution }: Settings,
): Promise<Start> {
  const begun = performance.now();
  const server = await startServer(name, program, simulation, resolution);
  try {
    const answers = await until(server, begun, async () => await hears(server.admin));
    const firstMetrics = await until(
      server,
      begun,
      async () => (await server.served('nodes')) > 0 && (await server.served('pods')) > 0,
    );
    const allNodes = await until(server, begun, async () => (await server.served('nodes')) >= size.nodes);
    return { answers, firstMetrics, allNodes };
  } finally {
    await server.stop();
  }
}

/** The same of a server that has nothing to do but to listen. */
async function timeFloor(simulation: Simulation): Promise<number> {
  const answers = simulation.path('no-answers.json');
  await writeFile(answers, '[]');
  const begun = performance.now();
  const floor = await startServeFloor(simulation, answers);
  try {
    const client = new HttpsClient({ url: floor.url, client: simulation.admin });
    return await until(floor, begun, async () => await hears(client));
  } finally {
    await floor.stop();
  }
}

/** Whether it answers anything at all. */
async function hears(client: HttpsClient): Promise<boolean> {
  return await client.ask('/livez').then(
    () => true,
    () => false,
  );
}

/** Milliseconds from `begun` until it holds. */
async function until(subject: Subject, begun: number, holds: () => Promise<boolean>): Promise<number> {
  while (!(await holds())) {
    subject.assertRunning();
    if (performance.now() > begun + patience) throw new Error(`${subject.name}: nothing within ${patience / 1000} s`);
    await pause(glance);
  }
  return performance.now() - begun;
}
