import { checkServerIdentity, type PeerCertificate, type SecureContext } from 'node:tls';
import { Client, errors } from 'undici';
import { messageChain } from '../model/errors.ts';
import type { Bytes, Milliseconds } from '../model/units.ts';
import { ScrapeError } from './scrape-error.ts';

/** How to speak TLS with kubelets. */
export interface KubeletTls {
  readonly context: SecureContext;
  /** Take any certificate. */
  readonly insecure: boolean;
}

export interface ConnectionOptions {
  /** `https://10.0.0.1:10250` */
  readonly origin: string;
  readonly address: string;
  readonly nodeName: string;
  /** Undefined: plain HTTP. */
  readonly tls: KubeletTls | undefined;
  readonly connectTimeout: Milliseconds;
  readonly maxBodySize: Bytes;
}

/** Kubelets close connections that idle for 90 s; longer than any usual resolution. */
const keepAlive = 85_000;

/** One keep-alive connection to one address of one kubelet. */
export class KubeletConnection {
  readonly origin: string;
  readonly address: string;
  readonly #client: Client;
  readonly #maxBodySize: Bytes;

  constructor({ origin, address, nodeName, tls, connectTimeout, maxBodySize }: ConnectionOptions) {
    this.origin = origin;
    this.address = address;
    this.#maxBodySize = maxBodySize;
    this.#client = new Client(origin, {
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: keepAlive,
      keepAliveMaxTimeout: keepAlive,
      // The deadline is the caller's signal; these only bound what it forgets.
      headersTimeout: 120_000,
      bodyTimeout: 120_000,
      maxResponseSize: maxBodySize,
      connect: {
        timeout: connectTimeout,
        ...(tls === undefined
          ? {}
          : {
              secureContext: tls.context,
              rejectUnauthorized: !tls.insecure,
              checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
                verifyIdentity(certificate, address, nodeName),
            }),
      },
    });
  }

  /**
   * GETs a path. Bodies of answers other than 200 are read too, up to a line's worth.
   * @throws ScrapeError
   */
  async get(
    path: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
    onAnswer: () => void,
  ): Promise<KubeletAnswer> {
    let answered = false;
    try {
      const response = await this.#client.request({ method: 'GET', path, headers, signal });
      answered = true;
      onAnswer();
      const chunks: Buffer[] = [];
      for await (const chunk of response.body) chunks.push(chunk as Buffer);
      const date = response.headers['date'];
      return {
        status: response.statusCode,
        date: typeof date === 'string' ? date : undefined,
        body: chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks),
      };
    } catch (error) {
      throw signal.aborted ? signal.reason : this.#explain(error, answered);
    }
  }

  /** Closes when the request under way, if any, has ended. */
  retire(): void {
    this.#client.close().catch(() => this.#client.destroy());
  }

  /** Closes at once; a request under way fails. */
  async destroy(): Promise<void> {
    await this.#client.destroy();
  }

  #explain(error: unknown, answered: boolean): ScrapeError {
    if (error instanceof ScrapeError) return error;
    const code = codeOf(error);
    const text = messageChain(error);
    if (error instanceof errors.ResponseExceededMaxSizeError)
      return new ScrapeError('too_large', `${this.address}: the answer is larger than ${this.#maxBodySize} bytes`, {
        cause: error,
      });
    if (answered)
      return new ScrapeError('truncated', `${this.address}: the answer broke off: ${text}`, { cause: error });
    if (isTlsFailure(code, text))
      return new ScrapeError('tls', `${this.address}: ${text}${adviceOnTls(code, text)}`, { cause: error });
    return new ScrapeError('connect', `${this.address}: ${text}`, { cause: error });
  }
}

export interface KubeletAnswer {
  readonly status: number;
  /** The `Date` header. */
  readonly date: string | undefined;
  readonly body: Buffer;
}

/**
 * The certificate must name the address that was dialled or, failing that, the node: self-signed kubelet certificates carry the host name only,
 * and a node's name is as much its identity as its address is.
 */
function verifyIdentity(certificate: PeerCertificate, address: string, nodeName: string): Error | undefined {
  const refusal = checkServerIdentity(address, certificate);
  if (refusal === undefined || checkServerIdentity(nodeName, certificate) === undefined) return undefined;
  const names = certificate.subjectaltname ?? 'none';
  return Object.assign(
    new Error(`the certificate names neither ${address} nor ${nodeName}, but: ${names}`, { cause: refusal }),
    {
      code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    },
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** OpenSSL names its verification results without a common prefix; its protocol errors come as EPROTO or ERR_SSL_*. */
function isTlsFailure(code: string, text: string): boolean {
  return (
    code.startsWith('ERR_TLS') ||
    code.startsWith('ERR_SSL') ||
    code === 'EPROTO' ||
    /CERT|SIGNATURE|ISSUER/.test(code) ||
    text.includes('Client network socket disconnected before secure TLS connection')
  );
}

function adviceOnTls(code: string, text: string): string {
  if (text.includes('alert internal error'))
    return ' (the kubelet has no serving certificate yet: is its CSR approved? kubectl get csr)';
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return '';
  if (/SELF_SIGNED|UNABLE_TO|ISSUER/.test(code))
    return ' (name the authority of the kubelets with --kubelet-certificate-authority, or let the cluster sign them: serverTLSBootstrap)';
  return '';
}
