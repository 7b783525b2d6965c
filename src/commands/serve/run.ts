import { lateClient } from '../../kube/late-client.ts';
import { sleep, systemClock } from '../../model/clock.ts';
import type { ServeOptions } from '../../options/serve-options.ts';
import { LogOutput } from '../../telemetry/log-output.ts';
import { createLogger, type RootLogger } from '../../telemetry/logger.ts';
import { Telemetry } from '../../telemetry/telemetry.ts';
import { build } from '../../version.ts';
import type { CommandIo } from '../command-io.ts';
import type { Collection } from './collection.ts';
import { createFront } from './front.ts';
import { collectLessOften, holdNewSpace } from './garbage.ts';
import { createHoldings } from './holdings.ts';
import type { KubeClients } from './kube-clients.ts';

/** Serves until `io.stop` is aborted, then drains. Resolves to the exit code: 1 when it cannot start, with the reason in the log. */
export async function run(options: ServeOptions, io: CommandIo): Promise<number> {
  const logOutput = new LogOutput(io.stderr, options.logging.format);
  const log = createLogger({
    ...options.logging,
    write: (line) => logOutput.write(line),
    clock: systemClock,
    pid: process.pid,
  });
  for (const warning of options.warnings) log.warning(warning);
  io.onCrash((error) => log.error(error, 'Uncaught error, exiting'));
  try {
    await serve(options, log, logOutput, io.stop);
    return 0;
  } catch (error) {
    log.error(error, 'Cannot start');
    return 1;
  }
}

/**
 * Builds every part, runs them until `stop`, takes them down in order. The front listens before what speaks with the cluster is loaded (80 ms on a slow machine,
 * where Node itself takes 130) and the kubeconfig is read, so that discovery is answered as soon as can be, and whatever a credential plugin does. Requests that
 * need the API server wait for it.
 */
async function serve(options: ServeOptions, log: RootLogger, logOutput: LogOutput, stop: AbortSignal): Promise<void> {
  const clock = systemClock;
  const telemetry = new Telemetry({
    resolution: options.metricResolution,
    perNode: options.perNodeMetrics,
    version: build.version,
    clock,
    processMetrics: true,
  });
  const holdings = createHoldings({ options, clock, log, telemetry });
  const common = { options, clock, random: Math.random, log, telemetry, holdings };
  let loading: Promise<KubeClients> | undefined;
  const clients = (): Promise<KubeClients> =>
    (loading ??= import('./kube-clients.ts').then(async ({ createKubeClients }) => await createKubeClients(common)));
  let collection: Collection | undefined;
  const front = await createFront({
    ...common,
    logOutput,
    kube: {
      main: lateClient(async () => (await clients()).main),
      authentication: lateClient(async () => (await clients()).authentication),
      authorization: lateClient(async () => (await clients()).authorization),
    },
    collection: () => collection,
  });
  try {
    await front.start();
    const { createCollection } = await import('./collection.ts');
    collection = await createCollection({ ...common, clients: await clients() });
  } catch (error) {
    // What is still under way, such as connections, would keep the process alive.
    await front.stop();
    await loading?.then(
      async (loaded) => await loaded.close(),
      () => {},
    );
    throw error;
  }
  front.follow();
  collection.start();
  collectLessOften();
  holdNewSpace();
  if (!stop.aborted) await new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }));
  log.info('Stopping', {
    delay: options.serving.shutdownDelay / 1000,
    grace: options.serving.shutdownGracePeriod / 1000,
  });
  front.withdraw();
  await sleep(clock, options.serving.shutdownDelay);
  await front.stop();
  await collection.stop();
  await (await clients()).close();
  log.info('Stopped');
}
