import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import type { CertifiedKey } from '../../src/pki/authority.ts';

/** One answer, its body counted and, where asked for, kept. */
export interface Http2Answer {
  readonly status: number;
  readonly contentType: string;
  readonly contentEncoding: string | undefined;
  readonly bytes: number;
  readonly body: Buffer;
}

const patience = 30_000;

/** Bytes that a server may send before the client has read any: of one answer, and on one connection. */
export interface Windows {
  readonly stream: number;
  readonly connection: number;
}

/** Those of clients in Go, as kube-apiserver 1.36 announces them to extension API servers. */
export const windowsOfGo: Windows = { stream: 4 * 1024 ** 2, connection: 1024 ** 3 };
/** The default of HTTP/2, which clients in Node.js leave as it is. */
export const smallestWindows: Windows = { stream: 64 * 1024 - 1, connection: 64 * 1024 - 1 };

/** One HTTP/2 connection, as the aggregation layer keeps it, and the next when the server has retired it. */
export class Http2Client {
  readonly #connect: () => ClientHttp2Session;
  #session: ClientHttp2Session;

  constructor(url: string, client: CertifiedKey, { stream, connection } = windowsOfGo) {
    this.#connect = () => {
      const session = connect(url, { ...client, rejectUnauthorized: false, settings: { initialWindowSize: stream } });
      session.once('connect', () => session.setLocalWindowSize(connection));
      // Told to every request under way as well.
      session.on('error', () => {});
      return session;
    };
    this.#session = this.#connect();
  }

  /** GETs a path; every status is an answer. Without `keep` the body is only counted. */
  async get(path: string, headers: Readonly<Record<string, string>>, keep = false): Promise<Http2Answer> {
    if (this.#session.closed || this.#session.destroyed) this.#session = this.#connect();
    return await new Promise((resolve, reject) => {
      const stream: ClientHttp2Stream = this.#session.request({ ':path': path, ...headers });
      const chunks: Buffer[] = [];
      let [status, bytes, contentType] = [0, 0, ''];
      let contentEncoding: string | undefined;
      stream.setTimeout(patience, () => stream.destroy(new Error(`no answer within ${patience / 1000} s: ${path}`)));
      stream.on('response', (answer) => {
        status = answer[':status'] ?? 0;
        contentType = answer['content-type'] ?? '';
        contentEncoding = answer['content-encoding'];
      });
      stream.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (keep) chunks.push(chunk);
      });
      stream.on('error', reject);
      stream.on('end', () => resolve({ status, contentType, contentEncoding, bytes, body: Buffer.concat(chunks) }));
      stream.end();
    });
  }

  close(): void {
    this.#session.destroy();
  }
}
