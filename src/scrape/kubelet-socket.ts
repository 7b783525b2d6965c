import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, TLSSocket, type ConnectionOptions } from 'node:tls';
import type { buildConnector } from 'undici';
import type { Clock } from '../model/clock.ts';
import { seconds, type Milliseconds } from '../model/units.ts';

export interface KubeletSocketOptions {
  /**
   * Where bytes are put for whoever listens to `readable` and takes them, with `read`, before the listener returns. Sockets of other connectors may share it, since none
   * reads while another's listener runs.
   */
  readonly memory: Buffer;
  /**
   * Whether who takes these bytes, which have just arrived, is done with them when the listener returns; else they get a copy. undici hands on slices of a body, but keeps
   * those of a head until it is complete, which may be some reads later.
   */
  readonly mayShare: (bytes: Buffer) => boolean;
  /** Undefined: plain TCP. */
  readonly tls: ConnectionOptions | undefined;
  /** Until the handshake is done. */
  readonly connectTimeout: Milliseconds;
  /** Whether each socket resumes the TLS session of one before. */
  readonly resumes: boolean;
  readonly clock: Clock;
}

export interface KubeletSockets {
  readonly connect: buildConnector.connector;
  /** Closes the socket that is open, if any. undici would do so with an error, whose stack Node formats: with 230 connections a second that was a tenth of a core. */
  readonly close: () => void;
}

const probePeriod = seconds(60);

/**
 * Opens sockets, one at a time, that read into a memory of ours. Node would make a Buffer for each read: five for the answer of a node of 30 pods, dead a
 * millisecond later, but each 64 MiB of them make V8 mark the whole heap. In a cluster of 5,000 nodes that was every 7 s, for a third of a second; and receiving
 * took twice the CPU. undici's own connector would besides hold each socket for half a second after it is open, in a timer, which makes it old.
 */
export function kubeletSockets(options: KubeletSocketOptions): KubeletSockets {
  const { memory, mayShare, tls, connectTimeout, resumes, clock } = options;
  let session: Buffer | undefined;
  let open: { readonly socket: Socket; readonly take: (received: Buffer) => boolean } | undefined;
  const onread = {
    buffer: memory,
    callback: (length: number): boolean => {
      const bytes = memory.subarray(0, length);
      return open?.take(mayShare(bytes) ? bytes : Buffer.from(bytes)) ?? true;
    },
  };
  const connect: buildConnector.connector = ({ hostname, port, servername }, callback) => {
    const target = { host: hostname, port: Number(port), onread };
    const socket =
      tls === undefined
        ? connectTcp(target)
        : // Without ALPN, HTTP/1.1 it is. What Node makes of a list of protocols would be a slice of its pool, 64 KiB of which stay as long as the connection.
          connectTls({ ...tls, ...target, session, servername: servername ?? '' });
    socket.setNoDelay(true).setKeepAlive(true, probePeriod);
    const timer = clock.after(connectTimeout, () => {
      socket.destroy(new Error(`no connection within ${Math.round(connectTimeout) / 1000} s`));
    });
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      open = { socket, take: readableFrom(socket) };
      timer.cancel();
      // All that a closed socket was would stay until the next is open: 6 KB of each kubelet, old by then, so that only a full collection frees it. Node's own
      // remains of a TLS socket outlive small collections whatever we do; who listened need not.
      socket.once('close', () => {
        if (open?.socket === socket) open = undefined;
        socket.removeAllListeners().on('error', ignore);
      });
      if (resumes && socket instanceof TLSSocket) keepSession(socket, (made) => (session = made));
      callback(null, socket);
    });
    socket.on('error', (error) => {
      timer.cancel();
      if (open?.socket !== socket) callback(error, null);
    });
  };
  return { connect, close: () => void open?.socket.destroy() };
}

/**
 * Hears of the session of a whole handshake, whose certificate was believed: Node does not look at it again when a session is resumed. One that the kubelet takes is
 * resumed until it does not, instead of each time the next, which would be a Buffer for each connection, old when it is used.
 */
function keepSession(socket: TLSSocket, keep: (session: Buffer | undefined) => void): void {
  if (socket.isSessionReused()) return;
  // With TLS 1.3 it comes behind the handshake.
  if (socket.getProtocol() === 'TLSv1.3') socket.once('session', keep);
  else keep(socket.getSession());
}

function ignore(): void {}

/**
 * Lets the socket's `read` give bytes that never went through its own queue.
 *
 * @returns how to give it some; false when it should read no more for now
 */
function readableFrom(socket: Socket): (bytes: Buffer) => boolean {
  let arrived: Buffer | null = null;
  const readQueue = socket.read.bind(socket);
  socket.read = (size?: number): unknown => {
    if (arrived === null || size !== undefined || socket.readableLength > 0) return readQueue(size);
    const bytes = arrived;
    arrived = null;
    return bytes;
  };
  return (bytes) => {
    arrived = bytes;
    socket.emit('readable');
    if (arrived === null) return true;
    arrived = null;
    return socket.destroyed || socket.push(Buffer.from(bytes));
  };
}
