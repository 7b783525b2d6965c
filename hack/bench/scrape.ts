import { pause } from '../e2e/wait.ts';
import type { Figure } from './figure.ts';
import { Http2Client } from './http2-client.ts';
import { sampleRequests } from './requests.ts';
import type { Stage } from './stage.ts';
import { mean } from './statistics.ts';
import { startScrapeFloor, type Subject } from './subject.ts';

/** Code is compiled while it runs; cycles before that tell nothing. */
const warmUpCycles = 4;
const listsEach = 20;
/** Both servers are given so long to collect the garbage of the last list; `RSS at its peak` tells what it was before. */
const collectionTime = 5_000;

/**
 * CPU of one cycle and memory, from outside. Server, floor and metrics-server run and are read over the very same windows of one resolution each:
 * CPU is counted by process, and whatever else the machine does meanwhile disturbs all of them alike.
 */
export async function benchScrape(stage: Stage): Promise<readonly Figure[]> {
  const { resolution, cycles, say } = stage.settings;
  const floor = await startScrapeFloor(stage.simulation, resolution);
  try {
    const subjects = [stage.kubetally, floor, ...(stage.metricsServer === undefined ? [] : [stage.metricsServer])];
    say(`scrape: warming up for ${warmUpCycles} cycles of ${resolution} s`);
    await pause((warmUpCycles + 1) * resolution * 1000);
    const cpu = await cpuPerCycle(subjects, cycles, resolution, say);
    const calm = subjects.map(({ usage }) => usage.rss);
    const [kubetally = Number.NaN, floorCpu, metricsServer] = cpu.map(mean);
    const [rss = Number.NaN, floorRss, otherRss] = calm;
    await floor.stop();
    say('scrape: lists');
    for (const server of stage.servers) await list(server, stage);
    await pause(collectionTime);
    const [after, otherAfter] = stage.servers.map(({ usage }) => usage);
    return [
      {
        bench: 'scrape',
        name: 'CPU of a cycle',
        unit: 'ms',
        kubetally,
        floor: floorCpu,
        metricsServer,
        budget: { of: 'floor', most: 1.6 },
      },
      {
        bench: 'scrape',
        name: 'CPU of a cycle, against metrics-server',
        unit: 'ms',
        kubetally,
        metricsServer,
        budget: { of: 'metrics-server', most: 0.7 },
      },
      {
        bench: 'scrape',
        name: 'RSS before lists',
        unit: 'MiB',
        kubetally: rss,
        floor: floorRss,
        metricsServer: otherRss,
      },
      {
        bench: 'scrape',
        name: 'RSS after lists',
        unit: 'MiB',
        kubetally: after?.rss ?? Number.NaN,
        metricsServer: otherAfter?.rss,
        budget: { of: 'metrics-server', most: 0.8 },
      },
      {
        bench: 'scrape',
        name: 'RSS at its peak',
        unit: 'MiB',
        kubetally: after?.peakRss ?? Number.NaN,
        metricsServer: otherAfter?.peakRss,
      },
    ];
  } finally {
    await floor.stop();
  }
}

/** Milliseconds of CPU that each subject used in each window. */
async function cpuPerCycle(
  subjects: readonly Subject[],
  cycles: number,
  resolution: number,
  say: (text: string) => void,
): Promise<readonly (readonly number[])[]> {
  const used: number[][] = subjects.map(() => []);
  let next = performance.now();
  let before = subjects.map(({ usage }) => usage.cpu);
  for (let cycle = 0; cycle < cycles; cycle++) {
    next += resolution * 1000;
    await pause(next - performance.now());
    const now = subjects.map(({ usage }) => usage.cpu);
    for (const [index, values] of used.entries()) values.push((now[index] ?? 0) - (before[index] ?? 0));
    before = now;
    say(
      `scrape: cycle ${cycle + 1} of ${cycles}: ${subjects.map(({ name }, i) => `${name} ${used[i]?.at(-1)} ms`).join(', ')}`,
    );
  }
  return used;
}

async function list({ url }: { readonly url: string }, { simulation }: Stage): Promise<void> {
  const client = new Http2Client(url, simulation.admin);
  try {
    for (let turn = 0; turn < listsEach; turn++)
      for (const { path, headers } of sampleRequests.slice(0, 2)) await client.get(path, headers);
  } finally {
    client.close();
  }
}
