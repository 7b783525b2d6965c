import type { CommandIo } from './commands/command-io.ts';

type Command = (args: readonly string[], io: CommandIo) => Promise<number>;

/** Subcommands, each loaded when it is asked for; `serve` is the default, so flags alone are its flags. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./commands/serve.ts')).runServe,
  sim: async () => {
    const { runSim } = await import('./commands/sim.ts');
    return async (args, io) => await runSim(args, io, io.stop);
  },
  demo: async () => {
    const { runDemo } = await import('./commands/demo.ts');
    const program = [process.execPath, ...process.execArgv, process.argv[1] ?? ''];
    return async (args, io) => await runDemo(args, io, io.stop, program);
  },
};

/** What ends the program, with the exit code that shells report for it: 128 + its number. A closed terminal hangs up. */
const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

function processIo(): CommandIo {
  const stop = new AbortController();
  for (const [signal, code] of Object.entries(signals))
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(code);
      stop.abort();
    });
  let onCrash = (error: unknown): void => void process.stderr.write(`${String(error)}\n`);
  for (const event of ['uncaughtException', 'unhandledRejection'])
    process.on(event, (error: unknown) => {
      onCrash(error);
      process.exit(1);
    });
  // A reader that goes away (`kubetally sim | head`) is no reason to crash.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    stop: stop.signal,
    onCrash: (listener) => (onCrash = listener),
  };
}

const [first = '', ...rest] = process.argv.slice(2);
const named = Object.hasOwn(commands, first) ? commands[first] : undefined;
const load = named ?? commands['serve'];
const io = processIo();
const run = await load?.();
process.exitCode = await run?.(named === undefined ? process.argv.slice(2) : rest, io);
