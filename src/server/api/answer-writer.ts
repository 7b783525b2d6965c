import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import { Readable, pipeline } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { Context } from 'koa';
import type { Answer, PiecewiseBody } from '../../wire/body.ts';
import { PieceStream } from './piece-stream.ts';

/** Kubernetes compresses only bodies larger than this, and only fast. */
const gzipThreshold = 128 * 1024;
const gzipLevel = 1;

const mostSliceBytes = 16 * 1024;
const leastSliceBytes = 4 * 1024;

/** Hands an answer to Koa: headers, then the body at once, in pieces, or compressed as the client takes it. */
export function writeAnswer(ctx: Context, { status, headers, body }: Answer, acceptEncoding: string): void {
  ctx.status = status;
  const isWhole = Buffer.isBuffer(body);
  const alreadyEncoded = headers['content-encoding'] !== undefined;
  if ((!isWhole || body.length > gzipThreshold) && acceptsGzip(acceptEncoding) && !alreadyEncoded) {
    const gzip = createGzip({ level: gzipLevel });
    // Each slice would be a job of its own for another thread. Errors of either end reach Koa through the body; pipeline only ties their ends together.
    pipeline(isWhole ? Readable.from([body]) : sliced(body, ctx, Infinity), gzip, () => undefined);
    ctx.body = gzip;
    ctx.set('Content-Encoding', 'gzip');
    ctx.append('Vary', 'Accept-Encoding');
  } else if (isWhole) {
    // Koa makes up a type for a body without one, be it empty.
    ctx.body = body.length === 0 && headers['content-type'] === undefined ? null : body;
  } else {
    ctx.body = sliced(body, ctx, sliceBytesFor(ctx.req));
  }
  // After the body, which would set a type of its own; a null body resets the status.
  ctx.status = status;
  for (const [name, value] of Object.entries(headers)) ctx.set(name, value);
}

/** The pieces, whose memory is free when the client has them all. */
function sliced({ pieces, release }: PiecewiseBody, { res }: Context, sliceBytes: number): Readable {
  const stream = new PieceStream(pieces, sliceBytes);
  // An HTTP/2 stream ends with its last piece still to be handed to the connection, in the same turn.
  stream.once('end', () => res.once('finish', () => setImmediate(release)));
  return stream;
}

/**
 * A client with the smallest window, 64 KiB, as those in Node.js have, lets no more be under way. In quarters of it, it reads one while the next is encrypted: a list
 * of 7,000 pods takes two thirds of the time that it takes where the window is filled at once. Rounded up: clients let more come when they have
 * read half of it, which two quarters are then. Larger windows would take larger slices, and those of 32 KiB are a tenth faster; but while 150,000 pods are listed in them, the
 * slowest hundredth of namespaced lists waits three times as long, 100 ms.
 */
function sliceBytesFor(request: IncomingMessage | Http2ServerRequest): number {
  const window = 'stream' in request ? request.stream.session?.remoteSettings.initialWindowSize : undefined;
  return window === undefined
    ? mostSliceBytes
    : Math.min(mostSliceBytes, Math.max(leastSliceBytes, Math.ceil(window / 4)));
}

/** Only the bare token counts; `gzip;q=1` does not. */
function acceptsGzip(acceptEncoding: string): boolean {
  return acceptEncoding.split(',').some((token) => token.trim() === 'gzip');
}
