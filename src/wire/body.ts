/** The bytes of an answer: at once, or made piece by piece as the client takes them. */
export type Body = Buffer | PiecewiseBody;

/**
 * So many pieces stay as they are while more are taken: one is with the socket, one waits in the stream, one is being made.
 * The memory of an older one is used again.
 */
export const piecesHeld = 3;

/** Stands among the pieces where the event loop should turn before the next is made. */
export const turn = Buffer.alloc(0);

/** A body too large to be held whole for every reader, or to be made at once. */
export interface PiecewiseBody {
  /** To be taken once. Each piece is valid until the third after it is taken. */
  readonly pieces: Iterable<Buffer>;
  /** To be called when all pieces were taken and nobody reads any more: other bodies are made in their memory. A body that breaks off keeps it. */
  readonly release: () => void;
}

/** The whole body, in memory of its own where it comes in pieces. */
export function wholeBody(body: Body): Buffer {
  if (Buffer.isBuffer(body)) return body;
  const whole = Buffer.concat(Array.from(body.pieces, (piece) => Buffer.from(piece)));
  body.release();
  return whole;
}

/** An answer before the transport: header names in lower case. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body;
}
