import { KubetallyError } from '../model/errors.ts';

/**
 * Why a scrape of one node failed:
 * `no_address` no usable address; `credentials` there are none to show; `connect` nothing answered there; `tls` the certificate or handshake was refused;
 * `timeout` the deadline passed; `status` the kubelet answered with an error (see `status`); `too_large` the body cap was hit;
 * `truncated` the body ended early; `parse` the body is not what the source promises; `other_node` the kubelet is that of another node;
 * `internal` the kubelet is not to blame: what it answered could not be taken in.
 */
export type ScrapeErrorCode =
  | 'no_address'
  | 'credentials'
  | 'connect'
  | 'tls'
  | 'timeout'
  | 'status'
  | 'too_large'
  | 'truncated'
  | 'parse'
  | 'other_node'
  | 'internal';

export class ScrapeError extends KubetallyError<ScrapeErrorCode> {
  /** HTTP status, when `code` is `status`. */
  readonly status: number | undefined;

  constructor(code: ScrapeErrorCode, message: string, options?: ErrorOptions & { readonly status?: number }) {
    super(code, message, options);
    this.status = options?.status;
  }
}
