import { messageChain } from '../../src/model/errors.ts';

/** Resolves after so many milliseconds of real time. */
export async function pause(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/**
 * Repeats `attempt` until it does not throw and resolves to its value.
 * @param limit milliseconds after which the last failure is thrown
 */
export async function until<Value>(limit: number, what: string, attempt: () => Promise<Value>): Promise<Value> {
  const end = performance.now() + limit;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > end)
        throw new Error(`${what}: not within ${limit / 1000} s: ${messageChain(error)}`, { cause: error });
    }
    await pause(300);
  }
}
