import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { constants } from 'node:os';

/** How a child ended: its code, or 128 plus the signal's number as shells have it. */
export interface Exit {
  readonly code: number;
  /** Set when it could not be started at all. */
  readonly failure?: Error;
}

const patience = 10_000;

/** A child process that does not outlive its parent. */
export class Child {
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  /** Resolves when it has ended; never rejects. */
  readonly exit: Promise<Exit>;
  #ended = false;

  /** `stdio` as in `spawn`; what a piped stderr brings is kept for `lastWords`. */
  constructor(command: readonly string[], env: NodeJS.ProcessEnv, stdio: StdioOptions) {
    const [file = '', ...args] = command;
    this.#process = spawn(file, args, { env, stdio });
    const killOnExit = (): void => void this.#process.kill('SIGKILL');
    process.once('exit', killOnExit);
    this.#process.stderr?.on('data', (chunk: Buffer) => this.#remember(chunk.toString()));
    this.exit = new Promise((resolve) => {
      const end = (exit: Exit): void => {
        this.#ended = true;
        process.off('exit', killOnExit);
        resolve(exit);
      };
      this.#process.once('error', (failure) => end({ code: 127, failure }));
      this.#process.once('close', (code, signal) =>
        end({ code: code ?? 128 + (signal === null ? 0 : constants.signals[signal]) }),
      );
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** The end of what it wrote to a piped stderr. */
  get lastWords(): string {
    return this.#lines.join('').split('\n').slice(-16).join('\n').trimEnd();
  }

  /** Asks it to end, insists after ten seconds, and waits until it has. */
  async stop(): Promise<Exit> {
    if (!this.#ended) this.#process.kill('SIGTERM');
    const insist = setTimeout(() => this.#process.kill('SIGKILL'), patience);
    const exit = await this.exit;
    clearTimeout(insist);
    return exit;
  }

  #remember(text: string): void {
    this.#lines.push(text);
    while (this.#lines.length > 100) this.#lines.shift();
  }
}
