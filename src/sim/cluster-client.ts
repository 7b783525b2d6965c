import { Agent, request } from 'node:https';
import type { SimulatedCluster } from './cluster.ts';

/** An answer of the simulated API server. */
export interface ClusterAnswer {
  readonly status: number;
  readonly body: string;
}

/** Asks the simulated API server as `admin`, the way any client outside would. */
export class ClusterClient {
  readonly #url: string;
  readonly #agent: Agent;

  constructor(cluster: SimulatedCluster) {
    const pair = cluster.certificates.users.get('admin');
    this.#url = cluster.apiServer.url;
    this.#agent = new Agent({ keepAlive: true, ca: cluster.certificates.cluster.cert, ...pair });
  }

  /**
   * @param accept the Accept header
   * @throws the system's error, also after 5 s without an answer
   */
  async get(path: string, accept = 'application/json'): Promise<ClusterAnswer> {
    return await new Promise((resolve, reject) => {
      const options = { agent: this.#agent, headers: { accept }, timeout: 5000 };
      const sent = request(new URL(path, this.#url), options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      });
      sent.on('timeout', () => sent.destroy(new Error('no answer within 5 s')));
      sent.on('error', reject);
      sent.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}
