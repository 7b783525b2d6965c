import { readFile } from 'node:fs/promises';
import type { Clock, Timer } from '../model/clock.ts';
import { seconds } from '../model/units.ts';

/** Reads a file's text; `node:fs` in production. */
export type ReadText = (path: string) => Promise<string>;

export const readText: ReadText = (path) => readFile(path, 'utf8');

/** Mounted Secrets and ConfigMaps change by a swap of links, which file notifications miss; reading a few kilobytes is cheap. */
const pollPeriod = seconds(10);

/** Files that are read again and again, and handed on when their texts have changed. */
export class WatchedFiles {
  readonly #paths: readonly string[];
  readonly #read: ReadText;
  readonly #clock: Clock;
  #texts: readonly string[] = [];
  #timer: Timer | undefined;
  #stopped = false;

  constructor(paths: readonly string[], clock: Clock, read: ReadText = readText) {
    this.#paths = paths;
    this.#clock = clock;
    this.#read = read;
  }

  /** The texts as they are now, in the order of the paths. Rejects when one cannot be read. */
  async read(): Promise<readonly string[]> {
    this.#texts = await Promise.all(this.#paths.map((path) => this.#read(path)));
    return this.#texts;
  }

  /** From now on calls `changed` with new texts, and `failed` when a file cannot be read; neither may throw. */
  watch(changed: (texts: readonly string[]) => void, failed: (error: unknown) => void): void {
    this.#timer = this.#clock.after(pollPeriod, () => void this.#poll(changed, failed));
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #poll(changed: (texts: readonly string[]) => void, failed: (error: unknown) => void): Promise<void> {
    const before = this.#texts;
    try {
      const texts = await this.read();
      if (!this.#stopped && texts.some((text, index) => text !== before[index])) changed(texts);
    } catch (error) {
      if (!this.#stopped) failed(error);
    }
    if (!this.#stopped) this.watch(changed, failed);
  }
}
