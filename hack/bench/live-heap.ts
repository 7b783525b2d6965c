import { WebSocket } from 'undici';

const patience = 30_000;

interface Reply {
  readonly id?: number;
  readonly result?: { readonly usedSize?: number };
}

/** Asks a Node process that runs with `--inspect` what is alive in its heap, over the Chrome DevTools protocol. */
export class LiveHeap {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #next = 1;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }: { readonly data: unknown }) => {
      const reply = JSON.parse(String(data)) as Reply;
      this.#waiting.get(reply.id ?? 0)?.(reply);
      this.#waiting.delete(reply.id ?? 0);
    });
  }

  /** @param log what the process wrote to stderr, which names the address of its inspector */
  static async connect(log: string): Promise<LiveHeap> {
    const [url] = /ws:\/\/127\.0\.0\.1:\S+/.exec(log) ?? [];
    if (url === undefined) throw new Error('the process does not run with --inspect=127.0.0.1:0');
    const socket = new WebSocket(url);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve());
      socket.addEventListener('error', () => reject(new Error(`no inspector at ${url}`)));
    });
    return new LiveHeap(socket);
  }

  /** MiB that are left after a full collection of garbage. */
  async measure(): Promise<number> {
    await this.#call('HeapProfiler.collectGarbage');
    const { result } = await this.#call('Runtime.getHeapUsage');
    return (result?.usedSize ?? Number.NaN) / 1_048_576;
  }

  close(): void {
    this.#socket.close();
  }

  async #call(method: string): Promise<Reply> {
    const id = this.#next++;
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${method}: no answer`)), patience);
      this.#waiting.set(id, (reply) => {
        clearTimeout(timer);
        resolve(reply);
      });
      this.#socket.send(JSON.stringify({ id, method }));
    });
  }
}
