import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../model/clock.ts';
import { milliseconds } from '../model/units.ts';

/** How long a client may take to read why it was refused. */
const linger = milliseconds(500);

const statusCodes: ReadonlyMap<string, number> = new Map([
  ['HPE_HEADER_OVERFLOW', 431],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 413],
  ['ERR_HTTP_REQUEST_TIMEOUT', 408],
]);

/** Answers bytes that are no readable HTTP/1.1 request as Go's HTTP server does, and closes. */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Duplex, clock: Clock): void {
  if (error.code === 'ECONNRESET') socket.destroy();
  else refuseRaw(statusCodes.get(error.code ?? '') ?? 400, socket, clock);
}

/**
 * Answers on a socket that no reply writes to, and closes. The rest of what the client sends is read for a moment longer: a socket closed with unread
 * bytes is reset, and the answer is lost with it.
 */
export function refuseRaw(code: number, socket: Duplex, clock: Clock): void {
  if (socket.writableEnded) return;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const reason = `${code} ${STATUS_CODES[code] ?? ''}`;
  socket.end(
    `HTTP/1.1 ${reason}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: ${reason.length}\r\n\r\n${reason}`,
  );
  socket.resume();
  const timer = clock.after(linger, () => socket.destroy());
  socket.once('close', () => timer.cancel());
}
