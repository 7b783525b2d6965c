import { setImmediate } from 'node:timers/promises';

/** Goes all the way through long work, with a turn of the event loop at each step. */
export async function finishInTurns<Result>(work: Generator<void, Result>): Promise<Result> {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    await setImmediate();
  }
}
