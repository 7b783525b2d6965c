import { checkServerIdentity, type PeerCertificate, type SecureContext } from 'node:tls';
import type { IncomingHttpHeaders } from 'node:http';
import { Client, errors, type Dispatcher } from 'undici';
import type { Clock } from '../model/clock.ts';
import { asError, messageChain } from '../model/errors.ts';
import type { Bytes, Milliseconds } from '../model/units.ts';
import type { BodyBuffer, BodyBuffers } from './body-buffers.ts';
import { kubeletSockets, type KubeletSockets } from './kubelet-socket.ts';
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
  readonly clock: Clock;
  readonly maxBodySize: Bytes;
  /** Stays open between requests, which takes 100 KB: Node keeps up to 64 KiB of each for reading. Opening one, with a resumed session, takes 0.6 ms of CPU. */
  readonly lasting: boolean;
  /** Shared by all connections. */
  readonly buffers: BodyBuffers;
}

/** Kubelets close connections that idle for 90 s; longer than any usual resolution. */
const keepAlive = 85_000;

/** The connection to one address of one kubelet: the same for all requests, or one for each. */
export class KubeletConnection {
  readonly origin: string;
  readonly address: string;
  readonly #client: Client;
  readonly #sockets: KubeletSockets;
  readonly #lasting: boolean;
  readonly #maxBodySize: Bytes;
  readonly #buffers: BodyBuffers;
  /** The one under way. */
  #exchange: Exchange | undefined;

  constructor(options: ConnectionOptions) {
    const { origin, address, nodeName, tls, connectTimeout, clock, maxBodySize, lasting, buffers } = options;
    this.origin = origin;
    this.address = address;
    this.#maxBodySize = maxBodySize;
    this.#lasting = lasting;
    this.#buffers = buffers;
    this.#sockets = kubeletSockets({
      memory: buffers.landing,
      mayShare: (received) => this.#exchange?.isDoneWith(received) === true,
      tls: tls && {
        secureContext: tls.context,
        rejectUnauthorized: !tls.insecure,
        checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
          verifyIdentity(certificate, address, nodeName),
      },
      connectTimeout,
      resumes: !lasting,
      clock,
    });
    this.#client = new Client(origin, {
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: keepAlive,
      keepAliveMaxTimeout: keepAlive,
      // The deadline is the caller's signal.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: maxBodySize,
      connect: this.#sockets.connect,
    });
  }

  /**
   * GETs a path and hands the whole body to `read`, which must not keep it: its memory is used again.
   * @throws ScrapeError, or what `signal` was aborted with, or what `read` throws
   */
  async get<Result>(
    path: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
    read: (answer: KubeletAnswer) => Result,
  ): Promise<Result> {
    // One that is aborted already tells nobody.
    signal.throwIfAborted();
    try {
      return await new Promise<Result>((resolve, reject) => {
        const take = (answer: KubeletAnswer): void => {
          try {
            resolve(read(answer));
          } catch (error) {
            reject(asError(error));
          }
        };
        const exchange = new Exchange(this.#buffers, signal, take, (error, answered) =>
          reject(this.#explain(error, answered)),
        );
        this.#exchange = exchange;
        this.#client.dispatch({ method: 'GET', path, headers }, exchange);
      });
    } finally {
      this.#exchange?.giveBack();
      // All of the exchange, with undici's objects, would be kept until the next: 2 KB of each kubelet, old by then, so that only a full collection frees it.
      this.#exchange = undefined;
      if (!this.#lasting) this.#sockets.close();
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

  #explain(error: unknown, answered: boolean): Error {
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
  /** Valid until the reader returns. */
  readonly body: Buffer;
}

/** What becomes of an exchange. */
interface Outcome {
  readonly stop: () => void;
  readonly take: (answer: KubeletAnswer) => void;
  readonly fail: (error: unknown, answered: boolean) => void;
}

const finalHead = /^HTTP\/1\.[01] [2-5]/;
const endOfHead = '\r\n\r\n';
const noBody = Buffer.alloc(0);

/** One request and its answer, fed by undici. Every end is told once; what comes later is ignored. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #buffers: BodyBuffers;
  /**
   * Taken when there is something to put in. If each request held one while its kubelet makes the answer, most would be new: V8 counts that as growth, and would mark every
   * ten seconds at 100 nodes, for a quarter of all CPU.
   */
  #body: BodyBuffer | undefined;
  /** Undefined once the end is told. */
  #outcome: Outcome | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  /** Something of the answer has come. */
  #begun = false;
  #status: number | undefined;
  #date: string | undefined;

  constructor(
    buffers: BodyBuffers,
    signal: AbortSignal,
    take: (answer: KubeletAnswer) => void,
    fail: (error: unknown, answered: boolean) => void,
  ) {
    this.#buffers = buffers;
    // Also while undici still connects, when it has no controller to give.
    const abort = (): void => {
      this.#fail(signal.reason);
      this.#controller?.abort(asError(signal.reason));
    };
    const stop = (): void => signal.removeEventListener('abort', abort);
    this.#outcome = { stop, take, fail };
    signal.addEventListener('abort', abort, { once: true });
  }

  /**
   * Whether undici needs these bytes, the next of the answer, no longer than it takes to parse them: a body's, or a whole head's. An interim answer (1xx) has
   * another head behind it. To be asked once of all that is read, in order.
   */
  isDoneWith(received: Buffer): boolean {
    if (this.#status !== undefined && this.#status >= 200) return true;
    const isBeginning = !this.#begun;
    this.#begun = true;
    return isBeginning && finalHead.test(received.toString('latin1', 0, 10)) && received.includes(endOfHead);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#outcome === undefined) controller.abort(new Error('the request was given up'));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#status = status;
    this.#date = headers.date;
    // undici's parser made the list of raw headers when the last answer ended. It is old by now, and even unused it would keep what is in it until a full collection.
    const { rawHeaders } = controller;
    if (Array.isArray(rawHeaders)) rawHeaders.length = 0;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#outcome === undefined) return;
    this.#body ??= this.#buffers.take();
    this.#body.append(chunk);
  }

  onResponseEnd(): void {
    this.#end()?.take({ status: this.#status ?? 0, date: this.#date, body: this.#body?.content ?? noBody });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error);
  }

  /** When the exchange has ended and nobody reads the body any more. */
  giveBack(): void {
    if (this.#body !== undefined) this.#buffers.giveBack(this.#body);
    this.#body = undefined;
  }

  #fail(error: unknown): void {
    this.#end()?.fail(error, this.#status !== undefined);
  }

  /** Takes the outcome, the first time. */
  #end(): Outcome | undefined {
    const outcome = this.#outcome;
    this.#outcome = undefined;
    outcome?.stop();
    return outcome;
  }
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
