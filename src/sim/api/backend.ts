import { Agent, request as httpsRequest } from 'node:https';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import type { CertifiedKey } from '../../pki/authority.ts';
import type { Identity } from '../identity.ts';

/** An aggregated API server, as an APIService names it. */
export interface BackendAddress {
  /** `https://host:port`. */
  readonly url: string;
  /** PEM to verify its certificate with; without one the certificate is not verified. */
  readonly caBundle?: string;
  /** Name expected in its certificate; `<service>.<namespace>.svc` in a cluster. */
  readonly serverName?: string;
}

/** What one request brought. */
export interface BackendReply {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Connections to an aggregated API server with the front proxy's client certificate; pooled and long-lived. */
export class Backend {
  readonly #url: URL;
  readonly #agent: Agent;

  constructor(address: BackendAddress, client: CertifiedKey) {
    this.#url = new URL(address.url);
    this.#agent = new Agent({
      keepAlive: true,
      maxFreeSockets: 25,
      timeout: 90_000,
      cert: client.cert,
      key: client.key,
      rejectUnauthorized: address.caBundle !== undefined,
      ...(address.caBundle === undefined ? {} : { ca: address.caBundle }),
      ...(address.serverName === undefined ? {} : { servername: address.serverName }),
    });
  }

  get host(): string {
    return this.#url.host;
  }

  /** Begins a request; the caller streams the body and reads the response. */
  open(method: string, path: string, headers: OutgoingHttpHeaders): ClientRequest {
    const { hostname, port } = this.#url;
    return httpsRequest({ agent: this.#agent, hostname, port: port || 443, method, path, headers });
  }

  /**
   * Fetches a small document on behalf of `identity`.
   * @param deadline milliseconds of real time for the whole exchange
   * @throws the system's error, also when the deadline passes
   */
  async fetch(
    path: string,
    identity: Identity,
    deadline: number,
    headers: OutgoingHttpHeaders = {},
  ): Promise<BackendReply> {
    return await new Promise((resolve, reject) => {
      const request = this.open('GET', path, { ...headers, ...identityHeaders(identity) });
      const timer = setTimeout(() => request.destroy(new Error(`no answer within ${deadline} ms`)), deadline);
      request.on('close', () => clearTimeout(timer));
      request.on('error', reject);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const body = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
        });
      });
      request.end();
    });
  }

  /** Closes the pooled connections. */
  close(): void {
    this.#agent.destroy();
  }
}

/** The request headers by which the front proxy vouches for an identity; one line for each group and extra value. */
export function identityHeaders({ username, uid, groups, extra = {} }: Identity): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { 'X-Remote-User': username };
  if (uid !== undefined && uid !== '') headers['X-Remote-Uid'] = uid;
  if (groups.length > 0) headers['X-Remote-Group'] = [...groups];
  for (const [key, values] of Object.entries(extra)) headers[`X-Remote-Extra-${encodeURIComponent(key)}`] = [...values];
  return headers;
}
