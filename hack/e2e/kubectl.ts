import { execFile } from 'node:child_process';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** kubectl as one user, with a cache of its own. */
export class Kubectl {
  readonly #program: string;
  readonly #options: readonly string[];
  readonly #home: string;

  constructor(program: string, kubeconfig: string, home: string) {
    this.#program = program;
    this.#home = home;
    this.#options = ['--kubeconfig', kubeconfig, '--cache-dir', `${kubeconfig}.cache`, '--request-timeout', '20s'];
  }

  /** Never rejects for an exit code. */
  async try(args: readonly string[], input = ''): Promise<CommandResult> {
    return await new Promise((resolve) => {
      const env = { PATH: process.env['PATH'], HOME: this.#home, NO_COLOR: '1' };
      const child = execFile(
        this.#program,
        [...this.#options, ...args],
        { env, timeout: 40_000, maxBuffer: 64 * 1_048_576 },
        (error, stdout, stderr) => {
          const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
          resolve({ code, stdout, stderr });
        },
      );
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(input);
    });
  }

  /** What it prints. Rejects when it fails, with what it says. */
  async run(...args: readonly string[]): Promise<string> {
    return await this.feed('', ...args);
  }

  /** As `run`, with something on standard input. */
  async feed(input: string, ...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.try(args, input);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: exit ${code}\n${stderr.trim()}`);
    return stdout;
  }

  /** The error it ends with. Rejects when it succeeds. */
  async fail(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.try(args);
    if (code === 0) throw new Error(`kubectl ${args.join(' ')} succeeded:\n${stdout}`);
    return stderr.trim();
  }

  /** The objects printed with `-o json`. */
  async json<Value>(...args: readonly string[]): Promise<Value> {
    return JSON.parse(await this.run(...args, '-o', 'json')) as Value;
  }
}

/** A table that kubectl printed, as rows of cells under its column names. */
export function rowsOf(table: string): Readonly<Record<string, string>>[] {
  const [head = '', ...lines] = table.trimEnd().split('\n');
  const columns = head.trim().split(/\s+/);
  return lines.map((line) => {
    const cells = line.trim().split(/\s{2,}|\s+/);
    return Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? '']));
  });
}
