import type { Socket } from 'node:net';
import { buildConnector } from 'undici';

/**
 * Opens sockets, one at a time, that read into a memory of ours. Node would make a Buffer for each read: five for the answer of a node of 30 pods, dead a
 * millisecond later, but each 64 MiB of them make V8 mark the whole heap. In a cluster of 5,000 nodes that was every 7 s, for a third of a second; and receiving
 * took twice the CPU.
 *
 * @param options as of undici's connector
 * @param memory where bytes are put for whoever listens to `readable` and takes them, with `read`, before the listener returns. Sockets of other connectors may
 * share it, since none reads while another's listener runs
 * @param mayShare whether who takes these bytes, which have just arrived, is done with them when the listener returns; else they get a copy. undici hands on
 * slices of a body, but keeps those of a head until it is complete, which may be some reads later
 * @param resumes whether each socket resumes the TLS session of the one before
 */
export function socketsReadingInto(
  memory: Buffer,
  options: buildConnector.BuildOptions,
  mayShare: (bytes: Buffer) => boolean,
  resumes = false,
): buildConnector.connector {
  // undici resumes the last one, but holds it weakly.
  const sessions: [held?: Buffer] = [];
  let take = nobody;
  const onread = {
    buffer: memory,
    callback: (length: number): boolean => {
      const bytes = memory.subarray(0, length);
      return take(mayShare(bytes) ? bytes : Buffer.from(bytes));
    },
  };
  const connect = buildConnector({ ...options, onread });
  return (target, callback) => {
    connect(target, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      const reader = readableFrom(socket);
      take = reader;
      // All that a closed socket was would stay until the next is open: 6 KB of each kubelet, old by then, so that only a full collection frees it.
      socket.once('close', () => {
        if (take === reader) take = nobody;
      });
      // With TLS 1.3 it comes behind the handshake. Only one whose certificate was believed comes this far: Node does not look at it again when a session is resumed.
      if (resumes) socket.on('session', (next: Buffer) => void (sessions[0] = next));
      callback(null, socket);
    });
  };
}

function nobody(_bytes: Buffer): boolean {
  return true;
}

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
