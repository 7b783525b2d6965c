import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';

/** A long-running program that writes to a log file and does not outlive this process. */
export class Daemon {
  readonly name: string;
  readonly #process: ChildProcess;
  readonly #log: string;
  readonly #exit: Promise<number>;
  #code: number | undefined;

  /** @param log file that its output is appended to */
  constructor(name: string, command: readonly string[], log: string, env: NodeJS.ProcessEnv = process.env) {
    this.name = name;
    this.#log = log;
    const [file = '', ...args] = command;
    const output = openSync(log, 'a', 0o600);
    this.#process = spawn(file, args, { env, stdio: ['ignore', output, output] });
    closeSync(output);
    const kill = (): void => void this.#process.kill('SIGKILL');
    process.once('exit', kill);
    this.#exit = new Promise((resolve) => {
      const end = (code: number): void => {
        process.off('exit', kill);
        this.#code = code;
        resolve(code);
      };
      this.#process.once('error', () => end(127));
      this.#process.once('exit', (code, signal) =>
        end(code ?? 128 + (signal === null ? 0 : constants.signals[signal])),
      );
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** How it ended, as shells say it; undefined while it runs. */
  get exitCode(): number | undefined {
    return this.#code;
  }

  /** Everything it has written. */
  get log(): string {
    return readFileSync(this.#log, 'utf8');
  }

  get lastWords(): string {
    return this.log.trimEnd().split('\n').slice(-12).join('\n');
  }

  /** Asks it to end, insists after so many milliseconds, and resolves to its exit code. */
  async stop(patience = 10_000): Promise<number> {
    if (this.#code === undefined) this.#process.kill('SIGTERM');
    const insist = setTimeout(() => this.#process.kill('SIGKILL'), patience);
    const code = await this.#exit;
    clearTimeout(insist);
    return code;
  }

  /** Ends it the way a crash does. */
  async crash(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#exit;
  }
}
