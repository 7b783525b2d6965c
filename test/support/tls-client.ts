import { connect as connectHttp2, type ClientHttp2Session, type OutgoingHttpHeaders, type Settings } from 'node:http2';
import { request as httpsRequest, type Agent } from 'node:https';
import { once } from 'node:events';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { CertifiedKey } from '../../src/pki/authority.ts';

/** Where a server of a test listens on 127.0.0.1, how to trust it, and what to show it. */
export interface Target {
  readonly port: number;
  readonly ca: string;
  readonly client?: CertifiedKey | undefined;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Asking {
  readonly method?: string;
  /** Several values are several header lines. */
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly agent?: Agent;
}

/** One request over HTTP/1.1 on a connection of its own, unless an agent is given. */
export async function ask(target: Target, path: string, asking: Asking = {}): Promise<Reply> {
  return await new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host: '127.0.0.1',
        port: target.port,
        path,
        method: asking.method ?? 'GET',
        headers: asking.headers ?? {},
        agent: asking.agent ?? false,
        ca: target.ca,
        ...target.client,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const { statusCode = 0, headers } = response;
          resolve({ status: statusCode, headers, body: Buffer.concat(chunks).toString() });
        });
      },
    );
    request.on('error', reject);
    request.end();
  });
}

/** A TLS connection on which a test writes what it likes. */
export async function rawConnection(target: Target, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({ host: '127.0.0.1', port: target.port, ca: target.ca, ...target.client, ...options });
  socket.on('error', () => undefined);
  await once(socket, 'secureConnect');
  return socket;
}

/** Everything the server sends until it closes. */
export async function untilClosed(socket: TLSSocket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (!socket.closed) await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

export async function http2Session(target: Target, settings: Settings = {}): Promise<ClientHttp2Session> {
  const session = connectHttp2(`https://127.0.0.1:${target.port}`, {
    ca: target.ca,
    ...target.client,
    maxSendHeaderBlockLength: 1024 * 1024,
    settings,
  });
  session.on('error', () => undefined);
  await once(session, 'connect');
  return session;
}

/** One request on an HTTP/2 session. Rejects when the stream is reset. */
export async function askHttp2(
  session: ClientHttp2Session,
  path: string,
  headers: OutgoingHttpHeaders = {},
): Promise<Reply> {
  return await new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path, ...headers });
    const chunks: Buffer[] = [];
    let reply: Reply = { status: 0, headers: {}, body: '' };
    stream.on('response', (answered) => {
      reply = { status: answered[':status'] ?? 0, headers: answered, body: '' };
    });
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('end', () => {
      if (reply.status === 0) reject(new Error('the stream ended without an answer'));
      else resolve({ ...reply, body: Buffer.concat(chunks).toString() });
    });
    stream.end();
  });
}
