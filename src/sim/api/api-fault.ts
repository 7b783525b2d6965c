import type { Milliseconds } from '../../model/units.ts';

/** Ways in which the API server misbehaves; each stays until it is replaced or cleared. */
export type ApiFault =
  /** Accepts requests and never answers. */
  | { readonly kind: 'hang' }
  /** 200 with a body that is no document. */
  | { readonly kind: 'garbage' }
  /** Answers everything with this status. */
  | { readonly kind: 'status'; readonly status: number }
  /** Answers rightly, but late. */
  | { readonly kind: 'slow'; readonly delay: Milliseconds }
  /** Watches get an ERROR event with code 410 at once; lists work. */
  | { readonly kind: 'watch-expired' }
  /** Watches are refused with HTTP 410; lists work. */
  | { readonly kind: 'watch-gone' }
  /** TokenReviews and SubjectAccessReviews answer 500; everything else works. */
  | { readonly kind: 'reviews-fail' };
