import type { ServerResponse } from 'node:http';
import { constants, type Http2ServerResponse, type ServerHttp2Session } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { MonotonicMs } from '../model/units.ts';
import type { PeerChain } from '../pki/client-chain.ts';
import { peerChainOf, type Connection } from './connection.ts';

export type ServerReply = ServerResponse | Http2ServerResponse;

/** A connection as the `Listener` keeps it: what runs on it, since when, and how to end it. */
export class TrackedConnection implements Connection {
  readonly protocol: 'h2' | 'http/1.1';
  readonly remoteAddress: string;
  /** When it is to be retired. */
  readonly expiresAt: MonotonicMs;
  retired = false;
  /** Whether a request came. Node takes an HTTP/1.1 connection without any for one at work, not for an idle one. */
  asked = false;
  /** Answers not yet taken by the client, with the time their request came. */
  readonly replies = new Map<ServerReply, MonotonicMs>();
  readonly #socket: TLSSocket;
  #session: ServerHttp2Session | undefined;
  #finishing = false;
  #peer: PeerChain | undefined | 'unread' = 'unread';

  constructor(socket: TLSSocket, expiresAt: MonotonicMs) {
    this.protocol = socket.alpnProtocol === 'h2' ? 'h2' : 'http/1.1';
    this.remoteAddress = socket.remoteAddress ?? '';
    this.expiresAt = expiresAt;
    this.#socket = socket;
  }

  get peer(): PeerChain | undefined {
    if (this.#peer === 'unread') this.#peer = peerChainOf(this.#socket);
    return this.#peer;
  }

  useSession(session: ServerHttp2Session): void {
    this.#session = session;
  }

  retire(): void {
    if (this.retired) return;
    this.retired = true;
    if (this.#session !== undefined) {
      if (!this.#session.closed && !this.#session.destroyed) this.#session.close();
      return;
    }
    for (const reply of this.replies.keys()) if (!reply.headersSent) reply.setHeader('Connection', 'close');
  }

  /** What came last on HTTP/1.1 cannot be read: the requests before it are still answered, and then the connection ends. */
  finishOnly(): void {
    this.#finishing = true;
    this.retire();
  }

  /** An answer was taken, or will not be. */
  ended(reply: ServerReply): void {
    this.replies.delete(reply);
    if (this.#finishing && this.replies.size === 0) this.#socket.end();
  }

  /** Ends the answers whose request came before `since`: their client reads too slowly, or never finishes its own body. */
  dropRepliesSince(since: MonotonicMs): void {
    for (const [reply, start] of this.replies) {
      if (start >= since) continue;
      if ('stream' in reply) reply.stream.close(constants.NGHTTP2_CANCEL);
      else this.#socket.destroy();
    }
  }
}
