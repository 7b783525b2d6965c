/** Most buffers kept for use again. More are in use at once only while that many kubelets are in the middle of their answers. */
const mostKept = 4;
const initialSize = 64 * 1024;

/** A body while it is received: grows to the size of the largest it has held. */
export class BodyBuffer {
  #memory = Buffer.allocUnsafeSlow(initialSize);
  #length = 0;

  /** What was received. Valid until the next `append` or `clear`. */
  get content(): Buffer {
    return this.#memory.subarray(0, this.#length);
  }

  get capacity(): number {
    return this.#memory.length;
  }

  append(chunk: Buffer): void {
    const length = this.#length + chunk.length;
    if (length > this.#memory.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, this.#memory.length * 2));
      this.content.copy(larger);
      this.#memory = larger;
    }
    chunk.copy(this.#memory, this.#length);
    this.#length = length;
  }

  clear(): void {
    this.#length = 0;
  }
}

/**
 * Buffers that bodies are received into, used again and again: a new one for each scrape would be the greater part of the garbage. Few are needed,
 * if they are taken when the first of a body has come, as it is decoded the moment it is complete.
 */
export class BodyBuffers {
  /** Where a connection puts what it has just read, before it goes into a `BodyBuffer`; one for all. */
  readonly landing = Buffer.allocUnsafeSlow(initialSize);
  readonly #free: BodyBuffer[] = [];
  readonly #largestKept: number;

  /** @param largestKept buffers that grew beyond this many bytes are let go */
  constructor(largestKept = 4 * 1024 * 1024) {
    this.#largestKept = largestKept;
  }

  take(): BodyBuffer {
    return this.#free.pop() ?? new BodyBuffer();
  }

  giveBack(buffer: BodyBuffer): void {
    buffer.clear();
    if (this.#free.length < mostKept && buffer.capacity <= this.#largestKept) this.#free.push(buffer);
  }
}
