import { KubeClient } from '../kube/client.ts';
import { loadApiServer } from '../kube/config.ts';
import { sleep, systemClock } from '../model/clock.ts';
import { messageChain } from '../model/errors.ts';
import { parseServeOptions, type ServeOptions } from '../options/serve-options.ts';
import { serveFlags } from '../options/serve-flags.ts';
import { usageText, versionText } from '../options/usage.ts';
import { LogOutput } from '../telemetry/log-output.ts';
import { createLogger, type RootLogger } from '../telemetry/logger.ts';
import { Telemetry } from '../telemetry/telemetry.ts';
import { build } from '../version.ts';
import type { CommandIo } from './command-io.ts';
import { createCollection } from './serve/collection.ts';
import { collectOnMainThread } from './serve/collector.ts';
import { createFront } from './serve/front.ts';

const summary = 'Scrapes the usage of nodes and pods from kubelets and serves it as metrics.k8s.io.';

/**
 * `kubetally serve`: runs until `io.stop` is aborted, then drains and resolves to the exit code.
 * Resolves to 1 with one line per problem on stderr when it cannot start.
 */
export async function runServe(args: readonly string[], io: CommandIo): Promise<number> {
  let options: ServeOptions;
  try {
    const request = parseServeOptions(args);
    if (request.kind !== 'serve') {
      io.stdout.write(
        request.kind === 'version'
          ? `${versionText(build.version)}\n`
          : usageText('kubetally [serve]', summary, serveFlags),
      );
      return 0;
    }
    options = request.options;
  } catch (error) {
    for (const line of messageChain(error).split('\n')) io.stderr.write(`Error: ${line}\n`);
    return 1;
  }
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

/** Builds every part, runs them until `stop`, takes them down in order. */
async function serve(options: ServeOptions, log: RootLogger, logOutput: LogOutput, stop: AbortSignal): Promise<void> {
  collectOnMainThread();
  const clock = systemClock;
  const { random } = Math;
  const telemetry = new Telemetry({
    resolution: options.metricResolution,
    perNode: options.perNodeMetrics,
    version: build.version,
    clock,
    processMetrics: true,
  });
  const apiServer = await loadApiServer({ kubeconfig: options.kubeconfig, clock, logger: log.named('kube') });
  const kube = new KubeClient(apiServer, {
    clock,
    userAgent: `kubetally/${build.version}`,
    onRequest: (method, status, duration) => telemetry.kubeRequestFinished(method, status, duration),
  });
  const collection = await createCollection({ options, clock, random, log, telemetry, apiServer, kube });
  const front = await createFront({ options, clock, random, log, logOutput, telemetry, kube, collection });
  try {
    await front.start();
  } catch (error) {
    // What is still under way, such as watches, would keep the process alive.
    await front.stop();
    await collection.stop();
    throw error;
  }
  collection.start();
  if (!stop.aborted) await new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }));
  log.info('Stopping', {
    delay: options.serving.shutdownDelay / 1000,
    grace: options.serving.shutdownGracePeriod / 1000,
  });
  front.withdraw();
  await sleep(clock, options.serving.shutdownDelay);
  await front.stop();
  await collection.stop();
  log.info('Stopped');
}
