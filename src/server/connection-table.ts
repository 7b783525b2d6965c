import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../model/clock.ts';
import type { MonotonicMs } from '../model/units.ts';
import type { Logger } from '../telemetry/log.ts';
import type { TrackedConnection } from './tracked-connection.ts';

const warningPeriod = 60_000;

/** The open connections of a listener, bounded: at the cap, those without a request give way to new ones, so that idle ones lock nobody out. */
export class ConnectionTable {
  readonly #capacity: number;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** Accepted sockets whose TLS handshake is not done, oldest first. */
  readonly #handshakes = new Map<string, Socket>();
  /** The connection whose last request is longest ago comes first. */
  readonly #connections = new Map<TLSSocket, TrackedConnection>();
  #lastWarning: MonotonicMs | undefined;

  constructor(capacity: number, clock: Clock, log: Logger) {
    this.#capacity = capacity;
    this.#clock = clock;
    this.#log = log;
  }

  /** Handshakes included. */
  get size(): number {
    return this.#handshakes.size + this.#connections.size;
  }

  /** Takes a socket in before its handshake; false when every connection is at work. */
  admit(socket: Socket): boolean {
    if (this.size >= this.#capacity && !this.#evict()) return false;
    const key = peerOf(socket);
    this.#handshakes.set(key, socket);
    socket.once('close', () => {
      if (this.#handshakes.get(key) === socket) this.#handshakes.delete(key);
    });
    return true;
  }

  /** The handshake is done. */
  add(socket: TLSSocket, connection: TrackedConnection): void {
    this.#handshakes.delete(peerOf(socket));
    this.#connections.set(socket, connection);
    socket.once('close', () => this.#connections.delete(socket));
  }

  get(socket: TLSSocket): TrackedConnection | undefined {
    return this.#connections.get(socket);
  }

  connections(): Iterable<TrackedConnection> {
    return this.#connections.values();
  }

  /** A request has ended: the connection is the last to give way now. */
  used(socket: TLSSocket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    this.#connections.delete(socket);
    this.#connections.set(socket, connection);
  }

  dropHandshakes(): void {
    for (const socket of this.#handshakes.values()) socket.destroy();
  }

  /** HTTP/1.1 connections that never asked anything. */
  dropUnused(): void {
    for (const [socket, { protocol, asked }] of this.#connections)
      if (protocol === 'http/1.1' && !asked) socket.destroy();
  }

  dropAll(): void {
    this.dropHandshakes();
    for (const socket of this.#connections.keys()) socket.destroy();
  }

  #evict(): boolean {
    this.#warn();
    const [handshake] = this.#handshakes.values();
    const crowded = this.#handshakes.size > this.#capacity / 2;
    const victim = crowded ? handshake : (this.#idlest() ?? handshake);
    if (victim === undefined) return false;
    this.#handshakes.delete(peerOf(victim));
    this.#connections.delete(victim as TLSSocket);
    victim.destroy();
    return true;
  }

  #idlest(): TLSSocket | undefined {
    for (const [socket, connection] of this.#connections) if (connection.replies.size === 0) return socket;
    return undefined;
  }

  #warn(): void {
    const now = this.#clock.monotonic();
    if (this.#lastWarning !== undefined && now - this.#lastWarning < warningPeriod) return;
    this.#lastWarning = now;
    this.#log.warning('Connection limit reached, closing idle connections', { limit: this.#capacity });
  }
}

/** Tells the open connections of one listener apart: a TLS socket does not lead back to the socket below it. */
function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}
