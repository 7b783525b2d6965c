import { StringDecoder } from 'node:string_decoder';
import { KubeError } from './kube-error.ts';

/** The whole body as text. Throws `KubeError` `too_large` when it passes `maxBytes`; the rest is then not read. */
export async function readBody(body: AsyncIterable<Buffer>, maxBytes: number, what: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    // Leaving the loop destroys the stream.
    if (size > maxBytes) throw new KubeError('too_large', `${what}: the answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size).toString('utf8');
}

/**
 * The lines of a body as they come, without their ends; empty lines are left out, an unfinished last line is given too.
 * Throws `KubeError` `too_large` at a line longer than `maxLength` characters.
 */
export async function* readLines(body: AsyncIterable<Buffer>, maxLength: number, what: string): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let pieces: string[] = [];
  let length = 0;
  for await (const chunk of body) {
    const text = decoder.write(chunk);
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      pieces.push(text.slice(start, end));
      const line = pieces.join('');
      pieces = [];
      length = 0;
      start = end + 1;
      if (line.length > maxLength) throw tooLong(maxLength, what);
      if (line.trim() !== '') yield line;
    }
    if (start < text.length) {
      pieces.push(text.slice(start));
      length += text.length - start;
      if (length > maxLength) throw tooLong(maxLength, what);
    }
  }
  const rest = pieces.join('') + decoder.end();
  if (rest.trim() !== '') yield rest;
}

function tooLong(maxLength: number, what: string): KubeError {
  return new KubeError('too_large', `${what}: a line is longer than ${maxLength} characters`);
}
