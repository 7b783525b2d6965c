import { Agent, request } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import type { CertifiedKey } from '../../src/pki/authority.ts';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface ClientOptions {
  /** `https://host:port`. */
  readonly url: string;
  /** PEM of the authority that signed the server's certificate; without it the certificate is not verified. */
  readonly ca?: string;
  /** Name expected in that certificate, where it is not the host's. */
  readonly servername?: string;
  readonly client?: CertifiedKey;
  readonly token?: string;
}

export interface Asking {
  readonly method?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Content type of the body. */
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const timeout = 20_000;

/** Asks one HTTPS server as one user. */
export class HttpsClient {
  readonly #url: string;
  readonly #agent: Agent;
  readonly #headers: Readonly<Record<string, string>>;

  constructor({ url, ca, servername, client, token }: ClientOptions) {
    this.#url = url;
    this.#headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    this.#agent = new Agent({
      ...client,
      ...(ca === undefined ? { rejectUnauthorized: false } : { ca }),
      ...(servername === undefined ? {} : { servername }),
    });
  }

  /** Rejects with the system's error only; every status is an answer. */
  async ask(path: string, { method = 'GET', body, type = 'application/json', headers }: Asking = {}): Promise<Answer> {
    return await new Promise((resolve, reject) => {
      const options = {
        agent: this.#agent,
        method,
        timeout,
        headers: { accept: 'application/json', 'content-type': type, ...this.#headers, ...headers },
      };
      const sent = request(new URL(path, this.#url), options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const { statusCode: status = 0, headers } = response;
          resolve({ status, headers, body: Buffer.concat(chunks).toString() });
        });
      });
      sent.on('timeout', () => sent.destroy(new Error(`no answer within ${timeout / 1000} s`)));
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** The object answered. Rejects for a status other than 2xx, naming it. */
  async read<Value>(path: string, asking: Asking = {}): Promise<Value> {
    const answer = await this.ask(path, asking);
    if (answer.status < 200 || answer.status > 299)
      throw new Error(`${asking.method ?? 'GET'} ${path}: ${answer.status} ${answer.body.slice(0, 300)}`);
    return JSON.parse(answer.body) as Value;
  }
}
