/** The bytes of an answer: at once, or made piece by piece as the client takes them. */
export type Body = Buffer | ChunkedBody;

/** A body too large to be held whole for every slow reader. */
export interface ChunkedBody {
  /** Bytes of all chunks together. */
  readonly length: number;
  readonly chunks: () => Iterable<Buffer>;
}

/** An answer before the transport: header names in lower case. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body;
}
