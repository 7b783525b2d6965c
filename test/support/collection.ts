import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createCollection, type Collection } from '../../src/commands/serve/collection.ts';
import { createHoldings, type Holdings } from '../../src/commands/serve/holdings.ts';
import { createKubeClients } from '../../src/commands/serve/kube-clients.ts';
import { serveArguments } from '../../src/commands/sim.ts';
import { systemClock, type Clock } from '../../src/model/clock.ts';
import { parseServeOptions } from '../../src/options/serve-options.ts';
import type { SimulatedCluster } from '../../src/sim/cluster.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { Telemetry } from '../../src/telemetry/telemetry.ts';

/** The collecting half of `kubetally serve`, at work on a simulated cluster. */
export interface Collecting extends Holdings, Pick<Collection, 'scraper'> {
  readonly telemetry: Telemetry;
  /** What was logged so far. */
  log(): string;
  /** Prometheus series as they are read, comments left out. */
  series(): Promise<string[]>;
}

/** Starts collecting; it ends with the test. */
export async function collect(
  context: Pick<TestContext, 'after'>,
  cluster: SimulatedCluster,
  flags: readonly string[],
  clock: Clock = systemClock,
): Promise<Collecting> {
  const directory = await mkdtemp(join(tmpdir(), 'kubetally-test-'));
  context.after(async () => await rm(directory, { recursive: true }));
  await cluster.writeFiles(directory);
  const request = parseServeOptions([...serveArguments(directory), ...flags]);
  if (request.kind !== 'serve') throw new Error('these flags do not serve');
  const { options } = request;
  const telemetry = new Telemetry({
    resolution: options.metricResolution,
    perNode: options.perNodeMetrics,
    version: 'test',
    clock,
    processMetrics: false,
  });
  let logged = '';
  const log = createLogger({ format: 'text', verbosity: 0, write: (line) => void (logged += line), clock, pid: 1 });
  const holdings = createHoldings({ options, clock, log, telemetry });
  const clients = await createKubeClients({ options, clock, log, telemetry });
  context.after(async () => await clients.close());
  const common = { options, clock, random: Math.random, log, telemetry };
  const collection = await createCollection({ ...common, holdings, clients });
  context.after(async () => await collection.stop());
  collection.start();
  return {
    ...holdings,
    scraper: collection.scraper,
    telemetry,
    log: () => logged,
    async series() {
      const { body } = await telemetry.exposition();
      return body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    },
  };
}
