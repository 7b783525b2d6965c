import { parseServeOptions, type ServeOptions } from '../options/serve-options.ts';
import { serveFlags } from '../options/serve-flags.ts';
import { usageText, versionText } from '../options/usage.ts';
import { build } from '../version.ts';
import { writeError, type CommandIo } from './command-io.ts';

/** Of a simulated cluster, alone or with kubetally in it. Their `--help` tells more. */
const otherCommands = ['kubetally sim', 'kubetally demo'];
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
          : usageText('kubetally [serve]', summary, serveFlags, otherCommands),
      );
      return 0;
    }
    options = request.options;
  } catch (error) {
    writeError(io.stderr, error);
    return 1;
  }
  // Everything that serves: another 80 ms on a slow machine, for which help, version and what is wrong with flags need not wait.
  const { run } = await import('./serve/run.ts');
  return await run(options, io);
}
