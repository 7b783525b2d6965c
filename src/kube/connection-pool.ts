import { createSecureContext } from 'node:tls';
import { Pool, ProxyAgent, type Dispatcher } from 'undici';
import type { ApiServer } from './api-server.ts';

/** Below the 90 s after which the API server closes idle connections. */
const keepAliveMs = 60_000;
const connectTimeoutMs = 10_000;
/** Requests beyond this wait for a connection within their deadline. */
const maxConnections = 32;

/**
 * Connections to the API server, trusting and identifying as the credentials say now. HTTP/1.1: a request that hangs or a big answer
 * holds up no other one. Deadlines are the caller's, so the pool has none but for connecting.
 */
function connectionPool(server: ApiServer): Dispatcher {
  const { credentials } = server;
  const certificate = credentials.clientCertificate();
  const ca = credentials.ca();
  // Parsed once instead of for each connection.
  const secureContext = createSecureContext({ ...(ca !== undefined && { ca }), ...certificate });
  const tls = {
    secureContext,
    rejectUnauthorized: !server.insecure,
    ...(server.serverName !== undefined && { servername: server.serverName }),
    timeout: connectTimeoutMs,
    keepAliveInitialDelay: 30_000,
  };
  const limits = {
    allowH2: false,
    connections: maxConnections,
    pipelining: 1,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  if (server.proxy !== undefined) return new ProxyAgent({ ...limits, uri: server.proxy.href, requestTls: tls });
  return new Pool(server.url.origin, { ...limits, connect: tls });
}

/** The pool of the credentials as they are now: after they rotate new requests get new connections, old ones finish on theirs. */
export class RotatingPool {
  readonly #server: ApiServer;
  readonly #unsubscribe: () => void;
  readonly #retired = new Set<Dispatcher>();
  #current: Dispatcher | undefined;
  #closed = false;

  constructor(server: ApiServer) {
    this.#server = server;
    this.#unsubscribe = server.credentials.onRotate(() => this.#retire());
  }

  get(): Dispatcher {
    if (this.#closed) throw new Error('the client is closed');
    return (this.#current ??= connectionPool(this.#server));
  }

  /** Breaks off what is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    const pools = [...this.#retired];
    if (this.#current !== undefined) pools.push(this.#current);
    this.#current = undefined;
    await Promise.all(pools.map(async (pool) => await pool.destroy()));
  }

  #retire(): void {
    const pool = this.#current;
    if (pool === undefined) return;
    this.#current = undefined;
    this.#retired.add(pool);
    void pool
      .close()
      .catch(() => {})
      .finally(() => this.#retired.delete(pool));
  }
}
