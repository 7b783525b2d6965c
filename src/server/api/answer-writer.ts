import type { ServerResponse } from 'node:http';
import { Readable, pipeline } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { createGzip } from 'node:zlib';
import type { Context } from 'koa';
import { turn, type Answer, type PiecewiseBody } from '../../wire/body.ts';

/** Kubernetes compresses only bodies larger than this, and only fast. */
const gzipThreshold = 128 * 1024;
const gzipLevel = 1;

/** Hands an answer to Koa: headers, then the body at once, in pieces, or compressed as the client takes it. */
export function writeAnswer(ctx: Context, { status, headers, body }: Answer, acceptEncoding: string): void {
  ctx.status = status;
  const isWhole = Buffer.isBuffer(body);
  const alreadyEncoded = headers['content-encoding'] !== undefined;
  if ((!isWhole || body.length > gzipThreshold) && acceptsGzip(acceptEncoding) && !alreadyEncoded) {
    const gzip = createGzip({ level: gzipLevel });
    // Errors of either end reach Koa through the body; pipeline only ties their ends together.
    pipeline(Readable.from(isWhole ? [body] : inTurns(body, ctx.res)), gzip, () => undefined);
    ctx.body = gzip;
    ctx.set('Content-Encoding', 'gzip');
    ctx.append('Vary', 'Accept-Encoding');
  } else if (isWhole) {
    // Koa makes up a type for a body without one, be it empty.
    ctx.body = body.length === 0 && headers['content-type'] === undefined ? null : body;
  } else {
    ctx.body = Readable.from(inTurns(body, ctx.res));
  }
  // After the body, which would set a type of its own; a null body resets the status.
  ctx.status = status;
  for (const [name, value] of Object.entries(headers)) ctx.set(name, value);
}

/** The pieces, with turns of the event loop in between: a stream to a fast client would take them all in one. */
async function* inTurns({ pieces, release }: PiecewiseBody, response: ServerResponse): AsyncGenerator<Buffer> {
  for (const piece of pieces) {
    if (piece === turn) await setImmediate();
    else yield piece;
  }
  // An HTTP/2 stream ends with its last piece still to be handed to the connection, in the same turn.
  response.once('finish', () => void setImmediate().then(release));
}

/** Only the bare token counts; `gzip;q=1` does not. */
function acceptsGzip(acceptEncoding: string): boolean {
  return acceptEncoding.split(',').some((token) => token.trim() === 'gzip');
}
