import type { ServerResponse } from 'node:http';
import { sleep, type Clock } from '../../model/clock.ts';
import type { Milliseconds } from '../../model/units.ts';

/** Promises the whole body, sends half of it and closes. */
export function answerWithHalf(response: ServerResponse, type: string, body: Buffer): void {
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': body.length });
  response.write(body.subarray(0, body.length >> 1), () => response.destroy());
}

/** Sends sixteen bytes at a time: the connection is never idle. */
export async function answerInDrops(
  response: ServerResponse,
  type: string,
  body: Buffer,
  clock: Clock,
  every: Milliseconds,
): Promise<void> {
  response.writeHead(200, { 'Content-Type': type, 'Content-Length': body.length });
  for (let sent = 0; sent < body.length && !response.destroyed; sent += 16) {
    response.write(body.subarray(sent, sent + 16));
    await sleep(clock, every);
  }
  response.end();
}

/** Sends `size` bytes of a list that never ends, as fast as the reader takes them. */
export async function answerWithoutEnd(response: ServerResponse, type: string, size: number): Promise<void> {
  const chunk = Buffer.alloc(65_536, '{"podRef":{"name":"flood"}},');
  response.writeHead(200, { 'Content-Type': type });
  response.write('{"node":{},"pods":[');
  for (let sent = 0; sent < size && !response.destroyed; sent += chunk.length) {
    if (response.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        response.off('drain', done);
        response.off('close', done);
        resolve();
      };
      response.once('drain', done);
      response.once('close', done);
    });
  }
  response.end();
}
