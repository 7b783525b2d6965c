import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { CertifiedKey } from '../pki/authority.ts';
import type { ClusterCertificates } from './cluster-certificates.ts';
import { KubeletEndpoint, type KubeletAddress } from './kubelet-endpoint.ts';
import type { KubeletFault } from './kubelet-fault.ts';
import type { Kubelet } from './kubelet.ts';
import { SimError } from './sim-error.ts';

/** Kubelets whose certificate is one and the same: a leaf for thousands of names would weigh down every handshake. */
const perCertificate = 100;
const attempts = 8;

/** What the names in serving certificates are: a self-signed kubelet has its host name only. */
export type ServingNames = 'name-and-address' | 'name';

/** The address of a node, counted from 0: one loopback address for each, all on one port. */
export function nodeAddress(number: number): string {
  return `127.1.${(number + 1) >> 8}.${(number + 1) & 255}`;
}

interface Member {
  readonly kubelet: Kubelet;
  readonly endpoint: KubeletEndpoint;
}

/** Real TLS listeners on loopback for many simulated kubelets in one process. */
export class KubeletFleet {
  readonly #certificates: ClusterCertificates;
  readonly #members: readonly Member[];
  readonly #byAddress = new Map<string, Kubelet>();
  readonly #groups: Server[] = [];
  #impostor: Server | undefined;

  private constructor(certificates: ClusterCertificates, kubelets: readonly Kubelet[]) {
    this.#certificates = certificates;
    this.#members = kubelets.map((kubelet, number) => {
      const endpoint = new KubeletEndpoint((socket) => this.#accept(number, socket));
      return { kubelet, endpoint };
    });
  }

  /**
   * Binds every kubelet and gives it a serving certificate of the kubelet authority.
   * @throws SimError `no-address` when no port is free on all addresses
   */
  static async start(
    certificates: ClusterCertificates,
    kubelets: readonly Kubelet[],
    names: ServingNames,
  ): Promise<KubeletFleet> {
    const fleet = new KubeletFleet(certificates, kubelets);
    await fleet.#bind();
    try {
      for (let first = 0; first < kubelets.length; first += perCertificate)
        fleet.#groups.push(fleet.#serve(await fleet.#certificateFor(first, names)));
    } catch (error) {
      await fleet.stop();
      throw error;
    }
    return fleet;
  }

  /** Where the kubelet of a node, counted from 0, listens. */
  address(number: number): KubeletAddress {
    return this.#member(number).endpoint.address;
  }

  kubelet(number: number): Kubelet {
    return this.#member(number).kubelet;
  }

  /** Makes a kubelet misbehave, or behave again with undefined. Resolves when it does. */
  async setFault(number: number, fault: KubeletFault | undefined): Promise<void> {
    const { kubelet, endpoint } = this.#member(number);
    const before = kubelet.fault?.kind;
    if (fault?.kind === 'wrong-certificate') await this.#makeImpostor();
    kubelet.fault = fault;
    if (fault?.kind === 'refuse') return await endpoint.close();
    await endpoint.reopen();
    if ((before === 'wrong-certificate') !== (fault?.kind === 'wrong-certificate')) endpoint.dropConnections();
  }

  /** Closes every listener and connection. */
  async stop(): Promise<void> {
    await Promise.all(this.#members.map(async ({ endpoint }) => await endpoint.close()));
    for (const server of [...this.#groups, this.#impostor]) server?.closeAllConnections();
  }

  #member(number: number): Member {
    const member = this.#members[number];
    if (member === undefined) throw new SimError('unknown-object', `there is no simulated node ${number}`);
    return member;
  }

  #accept(number: number, socket: Socket): void {
    const wrong = this.#members[number]?.kubelet.fault?.kind === 'wrong-certificate';
    const server = wrong ? this.#impostor : this.#groups[Math.floor(number / perCertificate)];
    if (server === undefined) socket.destroy();
    else server.emit('connection', socket);
  }

  async #bind(): Promise<void> {
    let failure: unknown;
    for (let attempt = 0; attempt < attempts; attempt++) {
      try {
        await this.#bindAll((number) => nodeAddress(number));
        return;
      } catch (error) {
        failure = error;
        await Promise.all(this.#members.map(async ({ endpoint }) => await endpoint.close()));
        // Systems other than Linux have one loopback address; there every kubelet gets its own port.
        if ((error as NodeJS.ErrnoException).code === 'EADDRNOTAVAIL') {
          await this.#bindAll(() => '127.0.0.1');
          return;
        }
      }
    }
    throw new SimError('no-address', 'no port is free on all addresses of the simulated nodes', { cause: failure });
  }

  async #bindAll(hostOf: (number: number) => string): Promise<void> {
    this.#byAddress.clear();
    let port = 0;
    for (const [number, { endpoint, kubelet }] of this.#members.entries()) {
      const host = hostOf(number);
      await endpoint.listen({ host, port });
      this.#byAddress.set(`${host}:${endpoint.address.port}`, kubelet);
      if (host !== hostOf(number + 1)) port = endpoint.address.port;
    }
  }

  async #certificateFor(first: number, names: ServingNames): Promise<CertifiedKey> {
    const members = this.#members.slice(first, first + perCertificate);
    const served = members.flatMap(({ kubelet, endpoint }) =>
      names === 'name' ? [kubelet.node.name] : [kubelet.node.name, endpoint.address.host],
    );
    const commonName = `system:node:${members[0]?.kubelet.node.name ?? ''}`;
    return await this.#certificates.servingOf(this.#certificates.kubelet, commonName, [...new Set(served)]);
  }

  async #makeImpostor(): Promise<void> {
    const { frontProxy } = this.#certificates;
    this.#impostor ??= this.#serve(await this.#certificates.servingOf(frontProxy, 'elsewhere', ['elsewhere.example']));
  }

  #serve(pair: CertifiedKey): Server {
    const options = {
      ...pair,
      ca: this.#certificates.cluster.cert,
      requestCert: true,
      rejectUnauthorized: false,
      keepAliveTimeout: 90_000,
    };
    const server = createServer(options, (request, response) => {
      const { localAddress = '', localPort = 0 } = request.socket;
      const kubelet = this.#byAddress.get(`${localAddress.replace('::ffff:', '')}:${localPort}`);
      response.on('error', () => request.socket.destroy());
      if (kubelet === undefined) request.socket.destroy();
      else void kubelet.handle(request, response);
    });
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    return server;
  }
}
