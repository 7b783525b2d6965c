import type { Milliseconds } from '../../model/units.ts';

/** Ways in which a kubelet misbehaves; each stays until it is replaced or cleared. */
export type KubeletFault =
  /** Accepts the request and never answers. */
  | { readonly kind: 'hang' }
  /** Destroys the connection when a request arrives. */
  | { readonly kind: 'reset' }
  /** Answers every request with this status and a plain text. */
  | { readonly kind: 'status'; readonly status: number }
  /** Promises the whole body, sends half of it and closes. */
  | { readonly kind: 'truncate' }
  /** Answers rightly, but late. */
  | { readonly kind: 'slow'; readonly delay: Milliseconds }
  /** 200 with a body that is no document. */
  | { readonly kind: 'garbage' }
  /** 200 with a document that tells of nothing: a kubelet that measures nothing yet. */
  | { readonly kind: 'empty' }
  /** Sends a few bytes of the body at every tick: the connection is never idle and never done. */
  | { readonly kind: 'drip'; readonly every: Milliseconds }
  /** 200 with a body of this many bytes. */
  | { readonly kind: 'huge'; readonly size: number }
  /** Serves a certificate of another authority, for another name. */
  | { readonly kind: 'wrong-certificate' }
  /** Nothing listens. */
  | { readonly kind: 'refuse' }
  /** 404 for the Summary API only; `/metrics/resource` works. */
  | { readonly kind: 'no-summary' }
  /** 403 for the Summary API only, as where `nodes/stats` is not granted. */
  | { readonly kind: 'forbidden-summary' }
  /** 403 for everything. */
  | { readonly kind: 'forbidden' };
