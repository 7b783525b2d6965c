import { createSecureContext } from 'node:tls';
import { candidateAddresses, hostAndPort } from '../inventory/addresses.ts';
import type { Clock } from '../model/clock.ts';
import { asError } from '../model/errors.ts';
import type { NodeInfo } from '../model/inventory.ts';
import {
  bytes,
  epochMs,
  milliseconds,
  type Bytes,
  type EpochMs,
  type Milliseconds,
  type MonotonicMs,
} from '../model/units.ts';
import { BodyBuffers } from './body-buffers.ts';
import { KubeletConnection, type KubeletTls } from './kubelet-connection.ts';
import { ScrapeError } from './scrape-error.ts';

/** What a kubelet is shown and what it is believed by. */
export interface KubeletIdentity {
  /** Rejects with the signal's reason when that aborts. */
  authorizationHeader(signal?: AbortSignal): Promise<string | undefined>;
  clientCertificate(): { readonly cert: string; readonly key: string } | undefined;
  /** PEM of the authorities that sign kubelet certificates; undefined means those of the system. */
  ca(): string | undefined;
  onRotate(listener: () => void): () => void;
}

export interface KubeletClientOptions {
  readonly clock: Clock;
  readonly port: number;
  /** The port in the node's status counts, where it is given. */
  readonly useNodeStatusPort: boolean;
  readonly addressTypes: readonly string[];
  /** Undefined: plain HTTP without credentials. */
  readonly identity: KubeletIdentity | undefined;
  /** Take any certificate. */
  readonly insecureTls: boolean;
  readonly maxBodySize: Bytes;
  /** Nodes whose connection stays open between requests: those that came first. */
  readonly maxIdleConnections: number;
  /** Hears of every body's size. */
  readonly onBody?: (size: Bytes) => void;
}

/** What is known about when a body was made. */
export interface AnswerTiming {
  readonly requestedAt: MonotonicMs;
  readonly answeredAt: MonotonicMs;
  readonly answeredAtWall: EpochMs;
  readonly date: EpochMs | undefined;
}

/** An address gets this share of the deadline to connect, while others are left to try. */
const connectShare = 0.3;
/** Of an error's body, what fits a log line. */
const longestExcerpt = 300;

/**
 * GETs from kubelets over one keep-alive connection each, as far as so many may stay open; further ones have one for each request, which resumes a TLS
 * session. Connections are dropped with their node, and made anew when certificates rotate.
 */
export class KubeletClient {
  readonly #options: KubeletClientOptions;
  readonly #connections = new Map<string, KubeletConnection>();
  /** Nodes whose connection stays open. */
  readonly #lasting = new Set<string>();
  readonly #buffers = new BodyBuffers();
  readonly #stopListening: () => void;
  #tls: KubeletTls | undefined;

  constructor(options: KubeletClientOptions) {
    this.#options = options;
    this.#stopListening = options.identity?.onRotate(() => this.#rotate()) ?? (() => {});
  }

  /**
   * GETs `path` from the node's kubelet, trying its addresses in order; the one that answered is tried first next time.
   *
   * @param deadline for everything together
   * @param read takes the body of a 200, which it must not keep, and the address that it came from
   * @throws ScrapeError, also what `read` throws
   */
  async get<Result>(
    node: NodeInfo,
    path: string,
    deadline: Milliseconds,
    signal: AbortSignal,
    read: (body: Buffer, timing: AnswerTiming, address: string) => Result,
  ): Promise<Result> {
    const { clock } = this.#options;
    const timeout = new AbortController();
    let hasCredentials = false;
    const timer = clock.after(deadline, () => {
      const within = `within ${Math.round(deadline) / 1000} s`;
      timeout.abort(
        hasCredentials
          ? new ScrapeError('timeout', `no whole answer ${within}`)
          : new ScrapeError('credentials', `no credentials ${within}`),
      );
    });
    const aborted = (): void => timeout.abort(asError(signal.reason));
    signal.addEventListener('abort', aborted, { once: true });
    try {
      signal.throwIfAborted();
      const authorization = await this.#authorization(timeout.signal);
      hasCredentials = true;
      let failure: unknown;
      for (const address of this.#addresses(node)) {
        try {
          return await this.#getFrom(node, address, path, authorization, deadline, timeout.signal, read);
        } catch (error) {
          // The reader's own fault says nothing about the kubelet.
          if (!(error instanceof ScrapeError)) throw error;
          if (error.code !== 'status' && error.code !== 'parse') await this.#drop(node.name);
          if (error.code !== 'connect') throw error;
          failure ??= error;
        }
      }
      throw failure;
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', aborted);
    }
  }

  /** Closes the connection to a node that left. */
  async forget(nodeName: string): Promise<void> {
    await this.#drop(nodeName);
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    this.#stopListening();
    await Promise.all([...this.#connections.keys()].map(async (name) => await this.#drop(name)));
  }

  /** Nodes with a connection, open or to be resumed. */
  get size(): number {
    return this.#connections.size;
  }

  /** Addresses in order of preference, but the one in use first: a kept connection may have been closed by the kubelet, so that address comes again. */
  #addresses(node: NodeInfo): readonly string[] {
    try {
      const candidates = candidateAddresses(node.addresses, this.#options.addressTypes);
      const inUse = this.#connections.get(node.name)?.address;
      return inUse !== undefined && candidates.includes(inUse) ? [inUse, ...candidates] : candidates;
    } catch (error) {
      throw new ScrapeError('no_address', asError(error).message, { cause: error });
    }
  }

  /** Connections are not to blame for what fails here, and stay. */
  async #authorization(signal: AbortSignal): Promise<string | undefined> {
    try {
      return await this.#options.identity?.authorizationHeader(signal);
    } catch (error) {
      if (error instanceof ScrapeError) throw error;
      throw new ScrapeError('credentials', asError(error).message, { cause: error });
    }
  }

  async #getFrom<Result>(
    node: NodeInfo,
    address: string,
    path: string,
    authorization: string | undefined,
    deadline: Milliseconds,
    signal: AbortSignal,
    read: (body: Buffer, timing: AnswerTiming, address: string) => Result,
  ): Promise<Result> {
    const { clock, onBody } = this.#options;
    const connection = await this.#connection(node, address, deadline, signal);
    const requestedAt = clock.monotonic();
    return await connection.get(
      path,
      authorization === undefined ? {} : { authorization },
      signal,
      ({ status, date, body }) => {
        onBody?.(bytes(body.length));
        if (status !== 200) throw refusal(address, path, status, body);
        const kubeletDate = Date.parse(date ?? '');
        const timing = {
          requestedAt,
          answeredAt: clock.monotonic(),
          answeredAtWall: clock.now(),
          date: Number.isNaN(kubeletDate) ? undefined : epochMs(kubeletDate),
        };
        return read(body, timing, address);
      },
    );
  }

  async #connection(
    node: NodeInfo,
    address: string,
    deadline: Milliseconds,
    signal: AbortSignal,
  ): Promise<KubeletConnection> {
    const { identity, port, useNodeStatusPort, maxBodySize, clock } = this.#options;
    const origin = `${identity === undefined ? 'http' : 'https'}://${hostAndPort(address, useNodeStatusPort ? (node.kubeletPort ?? port) : port)}`;
    const current = this.#connections.get(node.name);
    if (current?.origin === origin) return current;
    await this.#drop(node.name);
    // The node may have left meanwhile; nobody would close the connection.
    signal.throwIfAborted();
    const lasting = this.#lasting.size < this.#options.maxIdleConnections;
    if (lasting) this.#lasting.add(node.name);
    const connection = new KubeletConnection({
      origin,
      address,
      nodeName: node.name,
      tls: identity === undefined ? undefined : this.#tlsOf(identity),
      connectTimeout: milliseconds(Math.max(1, deadline * connectShare)),
      clock,
      maxBodySize,
      lasting,
      buffers: this.#buffers,
    });
    this.#connections.set(node.name, connection);
    return connection;
  }

  /** One context for all connections: parsing the authorities costs more than a handshake. */
  #tlsOf(identity: KubeletIdentity): KubeletTls {
    const certificate = identity.clientCertificate();
    this.#tls ??= {
      context: createSecureContext({ ca: identity.ca(), cert: certificate?.cert, key: certificate?.key }),
      insecure: this.#options.insecureTls,
    };
    return this.#tls;
  }

  /** Requests under way end on the connection they began on; each next one opens a new one. */
  #rotate(): void {
    this.#tls = undefined;
    for (const connection of this.#connections.values()) connection.retire();
    this.#connections.clear();
    this.#lasting.clear();
  }

  async #drop(nodeName: string): Promise<void> {
    const connection = this.#connections.get(nodeName);
    this.#connections.delete(nodeName);
    this.#lasting.delete(nodeName);
    await connection?.destroy();
  }
}

function refusal(address: string, path: string, status: number, body: Buffer): ScrapeError {
  const excerpt = body.toString('utf8', 0, longestExcerpt).replaceAll(/\s+/g, ' ').trim();
  return new ScrapeError('status', `${address}: ${path} answered ${status}${excerpt === '' ? '' : `: ${excerpt}`}`, {
    status,
  });
}
