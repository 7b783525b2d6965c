import type { Writable } from 'node:stream';

const lost = 'Log lines were dropped because nobody read them';

/** What a reader that has stopped may hold in memory, in characters. */
const greatestBacklog = 1024 * 1024;

/**
 * Writes lines to a stream, usually stderr, without ever throwing or waiting: while its reader is stuck, lines beyond 1 MiB are dropped, and the next line
 * written is preceded by how many.
 */
export class LogOutput {
  readonly #stream: Writable;
  readonly #format: 'text' | 'json';
  #dropped = 0;

  constructor(stream: Writable, format: 'text' | 'json') {
    this.#stream = stream;
    this.#format = format;
    // A closed pipe ends the log, not the program.
    stream.on('error', () => {});
  }

  /** Lines are being dropped, because nobody reads them. */
  get stuck(): boolean {
    return this.#stream.writableLength > greatestBacklog;
  }

  write(line: string): void {
    if (this.stuck) {
      this.#dropped++;
      return;
    }
    if (this.#dropped > 0) {
      const count = this.#dropped;
      this.#stream.write(
        this.#format === 'json' ? `${JSON.stringify({ msg: lost, count })}\n` : `"${lost}" count=${count}\n`,
      );
      this.#dropped = 0;
    }
    this.#stream.write(line);
  }
}
