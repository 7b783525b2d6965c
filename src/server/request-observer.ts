import type { Milliseconds } from '../model/units.ts';
import type { Verdict } from './authorization.ts';
import type { RequestInfo } from './request-info.ts';
import type { UserInfo } from './user.ts';

/** One finished request, as logs and metrics see it. */
export interface RequestRecord {
  readonly info: RequestInfo;
  /** Undefined when the request was not authenticated. */
  readonly user: UserInfo | undefined;
  readonly status: number;
  /** From the request's headers to the last byte handed to the system, or to the client's departure. */
  readonly duration: Milliseconds;
  /** The client left before it had the whole answer. */
  readonly aborted: boolean;
  readonly protocol: 'h2' | 'http/1.1';
  readonly remoteAddress: string;
  readonly userAgent: string;
  readonly auditId: string;
}

/** Watches requests; must neither throw nor wait. */
export interface RequestObserver {
  /** How many requests are between authentication and the end of their handler now. */
  inFlight(count: number): void;
  /** A request was refused because too many were in flight, or cut because it took too long. */
  rejected(reason: 'in_flight' | 'timeout'): void;
  /**
   * It was found out who sent a request (`success`, also nobody), or its credential was refused or could not be judged (`error`). The third that Kubernetes
   * knows, `failure` for a request without a credential, does not happen where such a request is the anonymous user's.
   */
  authenticated(result: 'success' | 'error', duration: Milliseconds): void;
  authorized(result: Verdict | 'error', duration: Milliseconds): void;
  finished(record: RequestRecord): void;
}
