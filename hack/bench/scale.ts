import { join } from 'node:path';
import { messageChain } from '../../src/model/errors.ts';
import { asInImage } from './as-in-image.ts';
import { Clients, type Latencies } from './clients.ts';
import { growth, histogramQuantile, type Exposition } from './exposition.ts';
import type { Budget, Figure } from './figure.ts';
import { processUsage, stolenCpu } from './process-usage.ts';
import { sizeText, type ClusterSize, type Settings } from './settings.ts';
import { Simulation } from './simulation.ts';
import { quantile } from './statistics.ts';
import { startServer, type MetricsServer } from './subject.ts';

/** Milliseconds that a size may take to be served: thousands of first handshakes are seconds of CPU on both sides, and the pods are listed meanwhile. */
const patience = ({ nodes }: ClusterSize): number => Math.max(90_000, nodes * 60);
const autoscaledWorkloads = 100;
const nodesReplacedPerMinute = 3;
/** Of the pods, each minute. */
const podChurn = 0.01;
/** The largest size has budgets of its own. */
const largest = 5000;

/** Sizes under churn, with autoscalers and a dashboard asking: does scraping keep up, and what do clients see meanwhile? */
export async function benchScale(settings: Settings): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const size of settings.scales) figures.push(...(await benchSize(size, settings)));
  return figures;
}

async function benchSize(size: ClusterSize, settings: Settings): Promise<readonly Figure[]> {
  const { resolution, program, scaleSeconds, say } = settings;
  const name = sizeText(size);
  say(`scale: ${name}: starting`);
  const simulation = await Simulation.start(join(settings.directory, name), {
    ...size,
    churnPerMinute: size.nodes * size.podsPerNode * podChurn,
    nodeChurnPerMinute: nodesReplacedPerMinute,
    workloads: autoscaledWorkloads,
  });
  try {
    const server = await startServer('kubetally', asInImage(program), simulation, resolution);
    try {
      await settle(server, simulation, size, say);
      say(`scale: ${name}: one cycle with clients to warm up, then ${scaleSeconds} s`);
      const clients = new Clients(server.url, simulation);
      try {
        await clients.ask(resolution * 1000);
        return await loaded(size, server, simulation, clients, settings);
      } finally {
        clients.stop();
      }
    } finally {
      await server.stop();
    }
  } finally {
    await simulation.stop();
  }
}

/** Waits until nearly everything has usage; a server that does not come so far in time is measured as it is. */
async function settle(
  server: MetricsServer,
  { pods }: Simulation,
  size: ClusterSize,
  say: (text: string) => void,
): Promise<void> {
  try {
    await server.untilStored(size.nodes * 0.95, pods * 0.95, patience(size));
  } catch (error) {
    server.assertRunning();
    say(messageChain(error));
  }
}

async function loaded(
  size: ClusterSize,
  server: MetricsServer,
  simulation: Simulation,
  clients: Clients,
  { scaleSeconds, resolution }: Settings,
): Promise<readonly Figure[]> {
  const before = await server.metrics();
  const [cpu, othersCpu, stolen] = [server.usage.cpu, processUsage(simulation.pid).cpu, stolenCpu()];
  const begun = performance.now();
  const latencies = await clients.ask(scaleSeconds * 1000);
  const seconds = (performance.now() - begun) / 1000;
  const [usage, othersUsage] = [server.usage, processUsage(simulation.pid)];
  const after = await server.metrics();
  const due = (size.nodes * seconds) / resolution;
  const figure = (what: string, unit: string, kubetally: number, most?: number): Figure => {
    const budget: Budget | undefined =
      most === undefined || size.nodes !== largest ? undefined : { of: 'itself', most };
    return { bench: `scale ${sizeText(size)}`, name: what, unit, kubetally, budget };
  };
  return [
    figure('nodes with usage', '%', (100 * stored(after, 'node')) / size.nodes),
    figure('containers with usage', '%', (100 * stored(after, 'container')) / simulation.pods),
    ...scrapeFigures(figure, before, after, due),
    ...clientFigures(figure, latencies),
    figure('RSS', 'MiB', usage.rss, 700),
    figure('RSS at its peak', 'MiB', usage.peakRss),
    figure('CPU, of one core', '%', (usage.cpu - cpu) / seconds / 10),
    figure('CPU of the simulation, of one core', '%', (othersUsage.cpu - othersCpu) / seconds / 10),
    // Latencies mean little in a minute in which the machine itself had to wait.
    figure('CPU taken by other machines, of one core', '%', (stolenCpu() - stolen) / seconds / 10),
  ];
}

function stored(metrics: Exposition, type: 'node' | 'container'): number {
  return metrics.get(`metrics_server_storage_points{type="${type}"}`) ?? 0;
}

type MakeFigure = (what: string, unit: string, kubetally: number, most?: number) => Figure;

function scrapeFigures(figure: MakeFigure, before: Exposition, after: Exposition, due: number): readonly Figure[] {
  const succeeded = growth(before, after, 'metrics_server_kubelet_request_total{success="true"}');
  const late = (share: number): number =>
    histogramQuantile(before, after, 'kubetally_scrape_start_delay_seconds', share) * 1000;
  // Node tells the whole interval between two looks at the loop, delay or none; each reading begins anew.
  const loop = (share: string): number => (after.get(`nodejs_eventloop_lag_${share}_seconds`) ?? Number.NaN) * 1000;
  return [
    figure('scrapes missing, of those due', '%', Math.max(0, 1 - succeeded / due) * 100, 2),
    figure('scrapes late, p50', 'ms', late(0.5)),
    figure('scrapes late, p99', 'ms', late(0.99)),
    figure('event loop delay, p99', 'ms', loop('p99') - loop('min'), 50),
  ];
}

function clientFigures(
  figure: MakeFigure,
  { selector, calmSelector, allPods, failures }: Latencies,
): readonly Figure[] {
  return [
    figure('selector list, p50', 'ms', quantile(selector, 0.5)),
    figure('selector list, p99', 'ms', quantile(selector, 0.99), 50),
    // Says how much of the last one is the machine's.
    figure('selector list, p99 of those that other machines left alone', 'ms', quantile(calmSelector, 0.99)),
    figure('lists that other machines left alone', '%', (100 * calmSelector.length) / selector.length),
    figure('all pods, p50', 'ms', quantile(allPods, 0.5)),
    figure('all pods, p99', 'ms', quantile(allPods, 0.99)),
    figure('requests failed', '', failures, 0),
  ];
}
