import assert from 'node:assert/strict';
import { KubeClient } from '../../src/kube/client.ts';
import { ListWatch, type ListWatchOptions } from '../../src/kube/list-watch.ts';
import { eventually } from './eventually.ts';
import { FakeApiServer, json, type Answer } from './fake-api-server.ts';
import { FakeClock } from './fake-clock.ts';
import { apiServer } from './fake-credentials.ts';
import { RecordingLogger } from './recording-logger.ts';

/** The collection that the bench watches. */
export const podsPath = '/api/v1/pods';

export function pod(name: string, resourceVersion = '1'): object {
  return { metadata: { name, resourceVersion } };
}

/** One page of a list. */
export function page(names: string[], resourceVersion: string, token?: string): Answer {
  return json({
    kind: 'PartialObjectMetadataList',
    metadata: { resourceVersion, ...(token !== undefined && { continue: token }) },
    items: names.map((name) => pod(name)),
  });
}

/** A list-watch of pods, whose names it keeps, on a fake API server and a fake clock. */
export class ListWatchBench {
  readonly server: FakeApiServer;
  readonly clock = new FakeClock();
  readonly logger = new RecordingLogger();
  /** What the sink was told, in order: `=a,b` replaced, `+a` upserted, `-a` removed. */
  readonly told: string[] = [];
  readonly #client: KubeClient;
  #watch: ListWatch<string> | undefined;

  private constructor(server: FakeApiServer, client: (clock: FakeClock) => KubeClient) {
    this.server = server;
    this.#client = client(this.clock);
  }

  static async open(): Promise<ListWatchBench> {
    const server = await FakeApiServer.start();
    const target = await apiServer(server);
    return new ListWatchBench(server, (clock) => new KubeClient(target, { clock }));
  }

  async close(): Promise<void> {
    await this.#watch?.stop();
    await this.#client.close();
    await this.server.close();
    assert.equal(this.clock.waiting, 0, 'timers left behind');
  }

  /** Answers for the pods, in turn; the last repeats. */
  answer(...answers: Answer[]): void {
    this.server.on(podsPath, ...answers);
  }

  start(options: Partial<ListWatchOptions<string>> = {}): ListWatch<string> {
    this.#watch = new ListWatch<string>({
      client: this.#client,
      path: podsPath,
      metadataOnly: true,
      project: (object) => (object as { metadata: { name?: string } }).metadata.name,
      sink: {
        replace: (names) => void this.told.push(`=${names.join(',')}`),
        upsert: (name) => void this.told.push(`+${name}`),
        remove: (name) => void this.told.push(`-${name}`),
      },
      clock: this.clock,
      logger: this.logger,
      random: () => 0.5,
      ...options,
    });
    this.#watch.start();
    return this.#watch;
  }

  /** Waits until the sink has been told so much, and checks it. */
  async tells(...expected: string[]): Promise<void> {
    const { told } = this;
    await eventually(() => told.length >= expected.length, `${expected.join(' ')} (have ${told.join(' ')})`);
    assert.deepEqual(told, expected);
  }

  /** Waits until a line has been logged so often. */
  async logs(message: RegExp, times = 1): Promise<void> {
    await eventually(() => this.logger.lines.filter((line) => message.test(line)).length >= times, String(message));
  }

  /** Waits for a failure to be noted, and lets the pause after it pass. */
  async failed(message: RegExp, times = 1): Promise<void> {
    await eventually(() => this.failures(message) >= times, String(message));
    await this.clock.advance(30_000);
  }

  /** How many failures have been logged that match: errors, and repeats of them at verbosity 4. */
  failures(message: RegExp): number {
    return this.logger.lines.filter((line) => /^(error|v4) /.test(line) && message.test(line)).length;
  }

  /** The resource version that the last request asked for. */
  get lastVersion(): string | null | undefined {
    return this.server.requests.at(-1)?.query.get('resourceVersion');
  }
}
