import type { EventEmitter } from 'node:events';

/** How many requests are being answered, and the most that may be. */
export class InFlight {
  readonly #limit: number;
  readonly #onChange: (count: number) => void;
  #count = 0;

  constructor(limit: number, onChange: (count: number) => void) {
    this.#limit = limit;
    this.#onChange = onChange;
  }

  get full(): boolean {
    return this.#count >= this.#limit;
  }

  enter(): void {
    this.#onChange(++this.#count);
  }

  leave(): void {
    this.#onChange(--this.#count);
  }
}

/**
 * Runs `work` as one of the requests in flight, until it is done and the reply's client has taken the answer or left: who reads slowly holds memory, and so counts.
 */
export async function occupying(inFlight: InFlight, reply: ReplyEnd, work: () => Promise<void>): Promise<void> {
  inFlight.enter();
  try {
    await work();
  } finally {
    if (reply.closed) inFlight.leave();
    else reply.onClose(() => inFlight.leave());
  }
}

/** The end of a reply, followed from the beginning: a reply of HTTP/2 does not tell afterwards that it has been closed. */
export class ReplyEnd {
  #closed = false;
  readonly #listeners: (() => void)[] = [];

  constructor(reply: EventEmitter) {
    reply.once('close', () => {
      this.#closed = true;
      for (const listener of this.#listeners) listener();
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  onClose(listener: () => void): void {
    this.#listeners.push(listener);
  }
}
