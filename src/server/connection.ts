import type { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { PeerChain } from '../pki/client-chain.ts';

/** One TLS connection of a client, whichever protocol it speaks. Lives as long as the socket, so it is what per-connection results are remembered by. */
export interface Connection {
  readonly protocol: 'h2' | 'http/1.1';
  readonly remoteAddress: string;
  /** The certificate the client showed, unverified; undefined when it showed none. */
  readonly peer: PeerChain | undefined;
  /** Lets running requests finish, takes no new ones and closes: GOAWAY on HTTP/2, `Connection: close` on HTTP/1.1. */
  retire(): void;
}

const connectionKey: unique symbol = Symbol('connection');

export type ServerRequest = (IncomingMessage | Http2ServerRequest) & { [connectionKey]?: Connection };

/** Notes on which connection a request came. */
export function attachConnection(request: ServerRequest, connection: Connection): void {
  request[connectionKey] = connection;
}

/** The connection a request came on. Throws when the request did not come through a `Listener`. */
export function connectionOf(request: ServerRequest): Connection {
  const connection = request[connectionKey];
  if (connection === undefined) throw new Error('the request came on no known connection');
  return connection;
}

/** The certificate chain the client showed in the handshake, leaf and intermediates, as sent: nothing is verified here. */
export function peerChainOf(socket: TLSSocket): PeerChain | undefined {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) return undefined;
  const intermediates: X509Certificate[] = [];
  for (let next = leaf.issuerCertificate; next !== undefined; next = next.issuerCertificate) {
    const { fingerprint256 } = next;
    if (intermediates.some((known) => known.fingerprint256 === fingerprint256)) break;
    intermediates.push(next);
  }
  return { leaf, intermediates };
}
