import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Where a kubelet or the API server can be reached. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A listening socket on loopback with its connections. What is accepted goes to a TLS server, which many endpoints may share. */
export class Endpoint {
  /** Where it listens, or listened last. */
  address: Address = { host: '', port: 0 };
  readonly #accept: (socket: Socket) => void;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  constructor(accept: (socket: Socket) => void) {
    this.#accept = accept;
  }

  /**
   * Binds to an address; port 0 takes any free one.
   * @throws the system's error, e.g. EADDRINUSE
   */
  async listen(address: Address): Promise<void> {
    const server = createServer({ noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      this.#accept(socket);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ ...address, backlog: 64 }, resolve);
    });
    this.#server = server;
    this.address = { host: address.host, port: (server.address() as AddressInfo).port };
  }

  /** Listens again at its old address, if it does not listen. */
  async reopen(): Promise<void> {
    if (this.#server === undefined) await this.listen(this.address);
  }

  /** Destroys the connections; new ones are still accepted. */
  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Stops listening and destroys the connections. */
  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.dropConnections();
    if (server !== undefined) await new Promise<void>((resolve) => void server.close(() => resolve()));
  }
}
