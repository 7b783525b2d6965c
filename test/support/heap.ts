import { collectAllGarbage } from '../../src/commands/serve/garbage.ts';

/** Bytes, after garbage was collected, and what hangs on collected objects cleaned up. */
export async function heapUsed(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    collectAllGarbage();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return process.memoryUsage().heapUsed;
}
