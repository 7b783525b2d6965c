import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import type { CertifiedKey } from '../../pki/authority.ts';
import type { ClusterCertificates } from '../cluster-certificates.ts';
import { Endpoint, type Address } from '../endpoint.ts';
import type { KubeletFault } from './kubelet-fault.ts';
import type { Kubelet } from './kubelet.ts';
import { SimError } from '../sim-error.ts';

/** Kubelets whose certificate is one and the same: a leaf for thousands of names would weigh down every handshake. */
const perCertificate = 10;

/** What the names in serving certificates are: a self-signed kubelet has its host name only. */
export type ServingNames = 'name-and-address' | 'name';

/** The address of a node, counted from 0: one loopback address for each, all on one port. */
function nodeAddress(number: number): string {
  return `127.1.${(number + 1) >> 8}.${(number + 1) & 255}`;
}

interface Member {
  readonly kubelet: Kubelet;
  readonly endpoint: Endpoint;
  /** Speaks TLS for this and other kubelets. */
  server: Server | undefined;
}

/** Real TLS listeners on loopback for many simulated kubelets in one process. */
export class KubeletFleet {
  readonly #certificates: ClusterCertificates;
  readonly #names: ServingNames;
  readonly #members = new Map<string, Member>();
  readonly #byAddress = new Map<string, Kubelet>();
  /** The port that all share, if it is free on their addresses. */
  #port = 0;
  #impostor: Server | undefined;

  constructor(certificates: ClusterCertificates, names: ServingNames) {
    this.#certificates = certificates;
    this.#names = names;
  }

  /**
   * Binds kubelets and gives them serving certificates of the kubelet authority.
   * @throws the system's error when one cannot listen; what was bound before is left to `stop`
   */
  async add(kubelets: readonly Kubelet[]): Promise<void> {
    for (let first = 0; first < kubelets.length; first += perCertificate) {
      const members = kubelets.slice(first, first + perCertificate).map((kubelet) => this.#member(kubelet));
      for (const member of members) await this.#bind(member);
      const nodes = members.map(({ kubelet }) => kubelet.node.name);
      const hosts = this.#names === 'name' ? [] : members.map(({ endpoint }) => endpoint.address.host);
      const certificates = this.#certificates;
      const names = [...nodes, ...new Set(hosts)];
      const pair = await certificates.servingOf(certificates.kubelet, `system:node:${nodes[0] ?? ''}`, names);
      const server = this.#serve(pair);
      for (const member of members) member.server = server;
    }
  }

  /** Closes a node's listener and connections for good. */
  async remove(node: string): Promise<void> {
    const { endpoint } = this.#find(node);
    this.#members.delete(node);
    this.#byAddress.delete(addressKey(endpoint.address));
    await endpoint.close();
  }

  /** Where the kubelet of a node listens. */
  address(node: string): Address {
    return this.#find(node).endpoint.address;
  }

  kubelet(node: string): Kubelet {
    return this.#find(node).kubelet;
  }

  /** Makes a kubelet misbehave, or behave again with undefined. Resolves when it does. */
  async setFault(node: string, fault: KubeletFault | undefined): Promise<void> {
    const { kubelet, endpoint } = this.#find(node);
    const before = kubelet.fault?.kind;
    if (fault?.kind === 'wrong-certificate') await this.#makeImpostor();
    kubelet.fault = fault;
    if (fault?.kind === 'refuse') return await endpoint.close();
    await endpoint.reopen();
    if ((before === 'wrong-certificate') !== (fault?.kind === 'wrong-certificate')) endpoint.dropConnections();
  }

  /** Closes every listener and connection. */
  async stop(): Promise<void> {
    await Promise.all([...this.#members.keys()].map(async (node) => await this.remove(node)));
  }

  #member(kubelet: Kubelet): Member {
    const endpoint = new Endpoint((socket) => this.#accept(member, socket));
    const member: Member = { kubelet, endpoint, server: undefined };
    this.#members.set(kubelet.node.name, member);
    return member;
  }

  /** @throws SimError `unknown-object` for a node that does not exist or was removed */
  #find(node: string): Member {
    const member = this.#members.get(node);
    if (member === undefined) throw new SimError('unknown-object', `there is no simulated node ${node}`);
    return member;
  }

  #accept({ kubelet, server }: Member, socket: Socket): void {
    const speaker = kubelet.fault?.kind === 'wrong-certificate' ? this.#impostor : server;
    if (speaker === undefined) socket.destroy();
    else speaker.emit('connection', socket);
  }

  /** Its own address and the common port if possible, otherwise another port; some systems have one loopback address only. */
  async #bind({ kubelet, endpoint }: Member): Promise<void> {
    const host = nodeAddress(kubelet.node.birth.number);
    try {
      await endpoint.listen({ host, port: this.#port });
      this.#port = endpoint.address.port;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'EADDRINUSE' && code !== 'EADDRNOTAVAIL') throw error;
      await endpoint.listen({ host: code === 'EADDRINUSE' ? host : '127.0.0.1', port: 0 });
    }
    this.#byAddress.set(addressKey(endpoint.address), kubelet);
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
      const kubelet = this.#byAddress.get(addressKey({ host: localAddress.replace('::ffff:', ''), port: localPort }));
      response.on('error', () => request.socket.destroy());
      if (kubelet === undefined) request.socket.destroy();
      else void kubelet.handle(request, response);
    });
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    return server;
  }
}

function addressKey({ host, port }: Address): string {
  return `${host}:${port}`;
}
