import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from 'node:http2';
import { createServer as createHttpsServer, type Server } from 'node:https';
import { constants as cryptoConstants } from 'node:crypto';
import { Server as TcpServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { SecureContextOptions, SecureVersion, TLSSocket } from 'node:tls';
import type { Clock, Timer } from '../model/clock.ts';
import { milliseconds, monotonicMs, seconds, type Milliseconds } from '../model/units.ts';
import type { CertifiedKey } from '../pki/authority.ts';
import type { Logger } from '../telemetry/log.ts';
import { Transitions } from '../telemetry/transitions.ts';
import { ConnectionTable } from './connection-table.ts';
import { attachConnection, type ServerRequest } from './connection.ts';
import { listenOn } from './listen-on.ts';
import type { ListenerLimits } from './listener-limits.ts';
import { refuseRaw, refuseUnreadable } from './unreadable-request.ts';
import { TrackedConnection, type ServerReply } from './tracked-connection.ts';

export interface ListenerOptions {
  /** Empty, `0.0.0.0` and `::` mean every address of both families. */
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Whether ALPN offers `h2` beside `http/1.1`. */
  readonly http2: boolean;
  readonly minVersion: SecureVersion;
  /** OpenSSL's names; undefined means Node's default list. */
  readonly ciphers: string | undefined;
  readonly limits: ListenerLimits;
}

export interface ListenerDependencies {
  readonly handler: (request: ServerRequest, reply: ServerReply) => void;
  readonly clock: Clock;
  /** 0 inclusive to 1 exclusive; spreads the ends of connections. */
  readonly random: () => number;
  readonly log: Logger;
  /** A request was refused because its headers are too large. */
  readonly onTooLarge?: () => void;
}

const sweepPeriod = milliseconds(1000);

/** How long connections without a request outlive the decision to stop. */
const lateRequests = seconds(1);

/** Answers that one HTTP/2 connection may wait to take; a client that takes none is cut off by the response timeout. */
const sessionMegabytes = 256;

/**
 * The HTTPS listener: HTTP/1.1 and HTTP/2 chosen by ALPN on one port. Client certificates are asked for, never required, and not judged here.
 * One TLS server hands each connection to the HTTP/1.1 or the HTTP/2 implementation of Node; so HTTP/1.1 has all its timeouts also beside HTTP/2
 * (`http2.createSecureServer` with `allowHTTP1` loses the idle one on Node 20), and closing works the same on every Node.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #deps: ListenerDependencies;
  readonly #server: Server;
  readonly #http2: Http2Server;
  readonly #table: ConnectionTable;
  readonly #sessions = new WeakMap<ServerHttp2Session, TLSSocket>();
  #secrets: SecureContextOptions;
  #sweep: Timer | undefined;
  #stopped: Promise<void> | undefined;
  #idleDropped = false;

  constructor(options: ListenerOptions, certificate: CertifiedKey, deps: ListenerDependencies) {
    this.#options = options;
    this.#deps = deps;
    this.#secrets = { ...certificate, ca: [] };
    this.#table = new ConnectionTable(options.limits.maxConnections, deps.clock, deps.log);
    const { limits } = options;
    this.#server = createHttpsServer({
      ...this.#contextOptions(),
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: options.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
      handshakeTimeout: limits.handshakeTimeout,
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeout,
      requestTimeout: Math.max(limits.requestTimeout, limits.headersTimeout),
      keepAliveTimeout: limits.idleTimeout,
      connectionsCheckingInterval: Math.min(5000, Math.max(50, limits.headersTimeout / 4)),
    });
    // A user may be in thousands of groups, each a header line; the size bounds them. A count would drop lines silently.
    this.#server.maxHeadersCount = 0;
    this.#http2 = createHttp2Server({
      settings: {
        maxConcurrentStreams: limits.maxConcurrentStreams,
        // RFC 9113 counts 32 bytes more for each header line.
        maxHeaderListSize: limits.maxHeaderBytes * 2,
      },
      maxHeaderListPairs: Math.ceil(limits.maxHeaderBytes / 32),
      // Node refuses new streams of a session that holds more, answers under way included; its 10 MB are a few lists of a large cluster.
      maxSessionMemory: sessionMegabytes,
    });
    this.#http2.setTimeout(limits.idleTimeout);
    this.#dispatchByProtocol();
  }

  /** Starts listening and says on which port. Rejects with `ServerError` `listen` that names the address and the cause. */
  async listen(): Promise<number> {
    const port = await listenOn(this.#server, this.#options.host, this.#options.port);
    const failures = new Transitions(this.#deps.log, this.#deps.clock);
    // Without a listener an exhausted table of file descriptors would end the process.
    this.#server.on('error', (error) => failures.failed('accept', error, 'Connections cannot be accepted'));
    this.#server.on('connection', () => failures.recovered('accept', 'Connections are accepted again'));
    this.#scheduleSweep();
    return port;
  }

  /** Shows another certificate to connections from now on. Throws when certificate and key do not fit; the old one stays. */
  setCertificate(certificate: CertifiedKey): void {
    this.#replaceSecrets({ ...this.#secrets, ...certificate });
  }

  /** Names the authorities (PEM) whose client certificates we like to see. Who showed none so far is made to connect, and be asked, again. */
  setClientAuthorities(authorities: readonly string[]): void {
    this.#replaceSecrets({ ...this.#secrets, ca: [...authorities] });
    for (const connection of this.#table.connections()) if (connection.peer === undefined) connection.retire();
  }

  /** Open connections, those in their handshake included. */
  get connectionCount(): number {
    return this.#table.size;
  }

  /**
   * Takes no new connections and lets running requests finish for `grace`, then cuts what is left. HTTP/2 clients learn from GOAWAY which of their requests
   * were not taken. HTTP/1.1 has no such word, so its connections stay a moment for the handler to answer what was on its way. Resolves when every socket
   * is closed.
   */
  stop(grace: Milliseconds): Promise<void> {
    this.#stopped ??= this.#drain(grace);
    return this.#stopped;
  }

  async #drain(grace: Milliseconds): Promise<void> {
    const { clock } = this.#deps;
    const closed = new Promise<void>((resolve) => {
      // HTTP's own `close` would destroy the idle connections, and whatever is on its way to them.
      TcpServer.prototype.close.call(this.#server, () => resolve());
    });
    for (const connection of this.#table.connections()) connection.retire();
    const quiet = clock.after(milliseconds(Math.min(grace, lateRequests)), () => this.#dropIdle());
    // A socket that is neither read nor written keeps no process alive: without this timer it could end before its connections are cut.
    const cut = clock.after(grace, () => this.#table.dropAll(), 'holding');
    await closed;
    for (const timer of [quiet, cut, this.#sweep]) timer?.cancel();
  }

  #dropIdle(): void {
    this.#idleDropped = true;
    this.#table.dropHandshakes();
    this.#table.dropUnused();
    this.#server.closeIdleConnections();
  }

  #replaceSecrets(secrets: SecureContextOptions): void {
    const old = this.#secrets;
    this.#secrets = secrets;
    try {
      this.#server.setSecureContext(this.#contextOptions());
    } catch (error) {
      this.#secrets = old;
      throw error;
    }
  }

  #contextOptions(): SecureContextOptions {
    const { minVersion, ciphers } = this.#options;
    return {
      ...this.#secrets,
      minVersion,
      ...(ciphers === undefined ? {} : { ciphers }),
      // A resumed session keeps the client's leaf but not its intermediates, and renegotiation may bring another leaf: neither is done.
      secureOptions: cryptoConstants.SSL_OP_NO_TICKET | cryptoConstants.SSL_OP_NO_RENEGOTIATION,
    };
  }

  #dispatchByProtocol(): void {
    const serveHttp1 = this.#server.listeners('secureConnection');
    this.#server.removeAllListeners('secureConnection');
    this.#server.on('connection', (socket: Socket) => {
      if (!this.#table.admit(socket)) socket.destroy();
    });
    this.#server.on('secureConnection', (socket: TLSSocket) => {
      const connection = this.#track(socket);
      if (connection.protocol === 'http/1.1') {
        for (const listener of serveHttp1) listener.call(this.#server, socket);
      } else {
        this.#http2.once('session', (session) => {
          this.#sessions.set(session, socket);
          connection.useSession(session);
        });
        this.#http2.emit('connection', socket);
      }
      if (this.#stopped !== undefined) connection.retire();
    });
    this.#server.on('request', (request, reply) => this.#serve(request, reply, request.socket as TLSSocket));
    this.#http2.on('request', (request, reply) => {
      const { session } = request.stream;
      this.#serve(
        request,
        reply,
        session === undefined ? undefined : this.#sessions.get(session as ServerHttp2Session),
      );
    });
    this.#http2.on('sessionError', (error) => {
      this.#deps.log.verbose(4, 'HTTP/2 session failed', { error: error.message });
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      if (error.code === 'HPE_HEADER_OVERFLOW') this.#deps.onTooLarge?.();
      this.#refuse(socket, () => refuseUnreadable(error, socket, this.#deps.clock));
    });
    this.#server.on('connect', (_request, socket) => {
      this.#refuse(socket, () => refuseRaw(405, socket, this.#deps.clock));
    });
    this.#server.on('tlsClientError', (error, socket) => {
      this.#deps.log.verbose(2, 'TLS handshake failed', { remote: socket.remoteAddress, error: error.message });
    });
  }

  /** Refuses what came last on an HTTP/1.1 connection, unless an answer before it is under way: no other may come in between. */
  #refuse(socket: Duplex, refuse: () => void): void {
    const connection = this.#table.get(socket as TLSSocket);
    if (connection === undefined) socket.destroy();
    else if (connection.replies.size === 0) refuse();
    else connection.finishOnly();
  }

  #track(socket: TLSSocket): TrackedConnection {
    const { clock, random } = this.#deps;
    const lifetime = this.#options.limits.connectionLifetime * (0.8 + 0.4 * random());
    const expiresAt = monotonicMs(lifetime > 0 ? clock.monotonic() + lifetime : Number.POSITIVE_INFINITY);
    const connection = new TrackedConnection(socket, expiresAt);
    this.#table.add(socket, connection);
    return connection;
  }

  #serve(request: ServerRequest, reply: ServerReply, socket: TLSSocket | undefined): void {
    const connection = socket === undefined ? undefined : this.#table.get(socket);
    // The client has gone in the meantime.
    if (socket === undefined || connection === undefined) return;
    const now = this.#deps.clock.monotonic();
    if (connection.protocol === 'h2') {
      // HTTP/2's own limit binds only once the client has acknowledged it.
      if (headerBytes(request) > this.#options.limits.maxHeaderBytes) {
        this.#deps.onTooLarge?.();
        reply.writeHead(431).end();
        connection.retire();
        return;
      }
    } else {
      if (now >= connection.expiresAt) connection.retire();
      // No resource of ours takes a body: it is not read, and the connection that carries it is not used again.
      if (connection.retired || hasBody(request)) reply.setHeader('Connection', 'close');
    }
    connection.asked = true;
    connection.replies.set(reply, now);
    reply.once('close', () => this.#finish(reply, socket, connection));
    attachConnection(request, connection);
    this.#deps.handler(request, reply);
  }

  #finish(reply: ServerReply, socket: TLSSocket, connection: TrackedConnection): void {
    connection.ended(reply);
    this.#table.used(socket);
    if (this.#idleDropped) this.#server.closeIdleConnections();
  }

  #scheduleSweep(): void {
    this.#sweep = this.#deps.clock.after(sweepPeriod, () => {
      const now = this.#deps.clock.monotonic();
      const since = monotonicMs(now - this.#options.limits.responseTimeout);
      for (const connection of this.#table.connections()) {
        if (connection.protocol === 'h2' && now >= connection.expiresAt) connection.retire();
        connection.dropRepliesSince(since);
      }
      this.#scheduleSweep();
    });
  }
}

function headerBytes({ rawHeaders }: ServerRequest): number {
  let bytes = 0;
  for (const text of rawHeaders) bytes += text.length;
  return bytes;
}

function hasBody(request: ServerRequest): boolean {
  const { headers } = request;
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}
