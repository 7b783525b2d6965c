import type { Writable } from 'node:stream';

const lost = 'Log lines were dropped because nobody read them';

/** What a reader that has stopped may hold in memory, in characters. */
const greatestBacklog = 1024 * 1024;

/**
 * Writes lines to a stream, usually stderr, without ever throwing or waiting: while its reader is stuck, lines beyond 1 MiB are dropped, and the next line
 * written is preceded by how many.
 */
export function lineWriter(stream: Writable, format: 'text' | 'json'): (line: string) => void {
  let dropped = 0;
  // A closed pipe ends the log, not the program.
  stream.on('error', () => {});
  return (line) => {
    if (stream.writableLength > greatestBacklog) {
      dropped++;
      return;
    }
    if (dropped > 0) {
      stream.write(
        format === 'json' ? `${JSON.stringify({ msg: lost, count: dropped })}\n` : `"${lost}" count=${dropped}\n`,
      );
      dropped = 0;
    }
    stream.write(line);
  };
}
