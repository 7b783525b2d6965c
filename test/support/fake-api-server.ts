import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { CertificateAuthority, CertifiedKey } from '../../src/pki/authority.ts';
import { eventually } from './eventually.ts';
import { servingCertificate, testAuthority } from './pki.ts';

/** A request as it arrived. */
export interface FakeRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Common name of the client's certificate. */
  readonly clientName: string | undefined;
}

export type Answer = (request: FakeRequest, response: ServerResponse) => void;

/** A JSON body. */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Answer {
  return (_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
}

/** A `metav1.Status` failure. */
export function failure(code: number, reason: string, message: string, headers: Record<string, string> = {}): Answer {
  return json({ kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason, code }, code, headers);
}

/** Any bytes with status 200. */
export function text(body: string): Answer {
  return (_, response) => void response.end(body);
}

/** Never answers. */
export const hang: Answer = () => {};

/** Closes the connection instead of answering. */
export const reset: Answer = (_, response) => void response.socket?.destroy();

/** An answer that stays open, for a test to write into. */
export class OpenStream {
  readonly answer: Answer = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    this.#response = response;
  };
  #response: ServerResponse | undefined;

  async opened(): Promise<ServerResponse> {
    await eventually(() => this.#response !== undefined, 'the stream opened');
    if (this.#response === undefined) throw new Error('not open');
    return this.#response;
  }

  /** Writes text as it is. */
  async write(text: string | Buffer): Promise<void> {
    const response = await this.opened();
    await new Promise((resolve) => response.write(text, resolve));
  }

  /** Writes one watch event. */
  async event(type: string, object: unknown): Promise<void> {
    await this.write(`${JSON.stringify({ type, object })}\n`);
  }

  /** Ends it as a server does when `timeoutSeconds` are over. */
  async end(): Promise<void> {
    (await this.opened()).end();
  }

  /** Breaks the connection. */
  async break(): Promise<void> {
    (await this.opened()).socket?.destroy();
  }
}

/** An https server on loopback that answers from a script: for each path a row of answers, the last of which repeats. */
export class FakeApiServer {
  readonly authority: CertificateAuthority;
  readonly requests: FakeRequest[] = [];
  /** TLS connections accepted so far. */
  connections = 0;
  readonly #scripts = new Map<string, Answer[]>();
  readonly #sockets = new Set<TLSSocket>();
  #server: Server | undefined;
  #certificate: CertifiedKey;
  #port = 0;

  private constructor(authority: CertificateAuthority, certificate: CertifiedKey) {
    this.authority = authority;
    this.#certificate = certificate;
  }

  static async start(authority?: CertificateAuthority, ...names: string[]): Promise<FakeApiServer> {
    const issuer = authority ?? (await testAuthority('fake-ca'));
    const server = new FakeApiServer(
      issuer,
      await servingCertificate(issuer, ...(names.length > 0 ? names : ['127.0.0.1'])),
    );
    await server.listen();
    return server;
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  /** Sets the answers for a path, in turn; the last repeats. */
  on(path: string, ...answers: Answer[]): this {
    this.#scripts.set(path, answers);
    return this;
  }

  /** The requests for a path so far. */
  of(path: string): FakeRequest[] {
    return this.requests.filter((request) => request.path === path);
  }

  /** Starts to listen, on the same port as before if there was one. */
  async listen(certificate?: CertifiedKey): Promise<void> {
    this.#certificate = certificate ?? this.#certificate;
    const server = createServer(
      { ...this.#certificate, requestCert: true, rejectUnauthorized: false },
      (request, response) => void this.#handle(request, response),
    );
    server.on('secureConnection', (socket) => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** Stops listening and breaks all connections. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    server.close();
    this.dropConnections();
    await once(server, 'close');
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {});
    const url = new URL(request.url ?? '/', this.url);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const peer = (request.socket as TLSSocket).getPeerCertificate() as { subject?: { CN?: string } } | null;
    const received: FakeRequest = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
      clientName: peer?.subject?.CN,
    };
    this.requests.push(received);
    const script = this.#scripts.get(url.pathname) ?? [failure(404, 'NotFound', 'no such path')];
    const answer = script.length > 1 ? script.shift() : script[0];
    answer?.(received, response);
  }
}
