import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { sleep, type Clock } from '../../model/clock.ts';
import type { CertifiedKey } from '../../pki/authority.ts';
import type { Aggregator } from './aggregator.ts';
import type { ApiFault } from './api-fault.ts';
import { ApiRouter, type ApiRouterOptions } from './api-router.ts';
import { Endpoint } from '../endpoint.ts';

export interface ApiServerOptions extends ApiRouterOptions {
  readonly certificate: CertifiedKey;
  /** PEM of the authority that signs users' certificates. */
  readonly clientAuthority: string;
  readonly aggregator: Aggregator;
  readonly clock: Clock;
}

/** The listener of the simulated API server: TLS with optional client certificates, HTTP/1.1, on loopback. */
export class ApiServer {
  readonly #endpoint: Endpoint;
  readonly #router: ApiRouter;
  readonly #aggregator: Aggregator;
  readonly #clock: Clock;
  #fault: ApiFault | undefined;

  constructor(options: ApiServerOptions) {
    this.#router = new ApiRouter(options);
    this.#aggregator = options.aggregator;
    this.#clock = options.clock;
    const tls = {
      ...options.certificate,
      ca: options.clientAuthority,
      requestCert: true,
      rejectUnauthorized: false,
      keepAliveTimeout: 90_000,
    };
    const server = createServer(tls, (request, response) => void this.#serve(request, response));
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    this.#endpoint = new Endpoint((socket) => void server.emit('connection', socket));
  }

  get url(): string {
    return `https://127.0.0.1:${this.#endpoint.address.port}`;
  }

  /** Misbehaves from the next request on, or behaves again with undefined. */
  setFault(fault: ApiFault | undefined): void {
    this.#fault = fault;
    if (fault?.kind === 'watch-expired') this.#router.expireWatches();
    if (fault?.kind === 'hang' || fault?.kind === 'watch-gone') this.#router.endWatches();
  }

  /**
   * Listens on any free port, and on the same again after a pause.
   * @throws the system's error, e.g. EADDRINUSE
   */
  async start(): Promise<void> {
    await this.#endpoint.listen({ host: '127.0.0.1', port: this.#endpoint.address.port });
  }

  /** Destroys every connection; new ones are accepted. */
  dropConnections(): void {
    this.#endpoint.dropConnections();
  }

  /** Stops listening and destroys the connections; `start` brings it back on the same port. */
  async pause(): Promise<void> {
    await this.#endpoint.close();
  }

  /** Goes away with all connections and comes back on the same port, its objects as they were. */
  async restart(): Promise<void> {
    await this.pause();
    await this.start();
  }

  /** Stops for good. */
  async stop(): Promise<void> {
    this.#aggregator.stop();
    this.#router.endWatches();
    await this.pause();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => request.socket.destroy());
    response.setHeader('Date', new Date(this.#clock.now()).toUTCString());
    const fault = this.#fault;
    switch (fault?.kind) {
      case 'hang':
        return;
      case 'garbage':
        response.writeHead(200, { 'Content-Type': 'application/json' });
        response.end('<<< this is not JSON');
        return;
      case 'status':
        response.writeHead(fault.status, { 'Content-Type': 'text/plain; charset=utf-8' });
        response.end('simulated fault\n');
        return;
      case 'slow':
        await sleep(this.#clock, fault.delay);
        break;
      case undefined:
      case 'watch-expired':
      case 'watch-gone':
      case 'reviews-fail':
        break;
    }
    await this.#router.handle(request, response, fault);
  }
}
