import { asError } from './errors.ts';

/** Settles as the promise does, or rejects with the signal's reason when that aborts before: for work that may not listen to the signal, or not at once. */
export async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  return await new Promise((resolve, reject) => {
    const abort = (): void => reject(asError(signal?.reason));
    if (signal?.aborted === true) abort();
    signal?.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal?.removeEventListener('abort', abort));
  });
}
