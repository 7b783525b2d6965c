import { milliseconds, seconds, type Milliseconds } from '../model/units.ts';

/** Bounds of what clients can hold of us. Every one is finite. */
export interface ListenerLimits {
  readonly maxConnections: number;
  /** `--http2-max-streams-per-connection`. */
  readonly maxConcurrentStreams: number;
  /** Request line and headers together. */
  readonly maxHeaderBytes: number;
  readonly handshakeTimeout: Milliseconds;
  /** From the first byte of a request, or from the end of the handshake, to the end of its headers. */
  readonly headersTimeout: Milliseconds;
  /** To the end of a request's body. */
  readonly requestTimeout: Milliseconds;
  /** Without a request. */
  readonly idleTimeout: Milliseconds;
  /** From a request to the moment its client has taken the whole answer. */
  readonly responseTimeout: Milliseconds;
  /** A connection is retired at 0.8 to 1.2 times this age, so that replicas come to share the load; 0 means never. */
  readonly connectionLifetime: Milliseconds;
}

/**
 * Kubernetes' own values where it has them (`secure_serving.go`: header timeout 32 s, idle timeout 90 s, 100 streams); the header limit is what lets a user of
 * two thousand groups in.
 */
export const defaultLimits: ListenerLimits = {
  maxConnections: 1000,
  maxConcurrentStreams: 100,
  maxHeaderBytes: 128 * 1024,
  handshakeTimeout: seconds(10),
  headersTimeout: seconds(32),
  requestTimeout: seconds(60),
  idleTimeout: seconds(90),
  responseTimeout: seconds(120),
  connectionLifetime: milliseconds(10 * 60_000),
};
