import { Daemon } from './daemon.ts';
import { HttpsClient, type ClientOptions } from './https-client.ts';
import { until } from './wait.ts';

/** The built program, running as an operator would start it, on 127.0.0.1. */
export class Kubetally {
  readonly port: number;
  readonly daemon: Daemon;
  readonly #anybody: HttpsClient;

  /** @param program dist/main.js or a copy */
  constructor(program: string, port: number, flags: readonly string[], log: string) {
    this.port = port;
    const bound = [`--bind-address=127.0.0.1`, `--secure-port=${port}`];
    this.daemon = new Daemon('kubetally', [process.execPath, program, ...bound, ...flags], log);
    this.#anybody = this.client({});
  }

  /** Asks it past the aggregator; verifies its certificate where an authority and a name are given. */
  client(who: Omit<ClientOptions, 'url'>): HttpsClient {
    return new HttpsClient({ url: `https://127.0.0.1:${this.port}`, ...who });
  }

  /** Rejects with its last words when it ends or is not ready in time. */
  async ready(limit: number): Promise<void> {
    await until(limit, 'kubetally is ready', async () => {
      if (this.daemon.exitCode !== undefined) return;
      const { status, body } = await this.#anybody.ask('/readyz?verbose');
      if (status !== 200) throw new Error(body);
    });
    if (this.daemon.exitCode !== undefined)
      throw new Error(`kubetally ended with ${this.daemon.exitCode}:\n${this.daemon.lastWords}`);
  }
}
