import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * How V8 collects garbage from now on. Left to itself it lets a large, steady heap grow by a tenth until it marks all of it: with 5,000 nodes every 15 s, for a second each
 * time; with a growth of 60 %, every two minutes or more. And having seen the first requests to thousands of kubelets last long, it would make the objects of all later ones
 * old from birth: a quarter of the garbage that only marking finds.
 *
 * To be called when what the program needs of Node.js is loaded: V8 takes compiled code only under the flags that it was compiled with. On the command line these make Node.js
 * compile all of its own modules: 20 ms of the start and 1 MiB.
 */
export function collectLessOften(): void {
  setFlagsFromString('--heap-growing-percent=60');
  setFlagsFromString('--no-allocation-site-pretenuring');
}

/**
 * Keeps the space for new objects as small as it is at the start, `--min-semi-space-size`. V8 doubles it whenever as much as it holds has survived since it last did, so that each
 * burst of small requests would take all of `--max-semi-space-size`, twice: 10 of 137 MiB with 100 nodes, where a smaller one costs nothing that can be measured.
 */
export function holdNewSpace(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** Ends `holdNewSpace`: V8 does as it does by itself. Where much is new at any time, a small space makes it old too soon. */
export function letNewSpaceGrow(): void {
  setFlagsFromString('--semi-space-growth-factor=2');
}

/** Whose compiled form V8 forgets when it marks: functions that have not run since it marked last, and its default from Node 22 on. */
const forgotten = {
  all: ['--bytecode-old-age=1', '--flush-baseline-code'],
  usual: ['--bytecode-old-age=6', '--no-flush-baseline-code'],
};

/**
 * Collects all garbage at once and gives free pages of the heap back to the system, which an ordinary collection keeps: takes 0.2 s for 50 MiB that live. It
 * marks twice, and only optimised functions stay compiled: the others are 3 of 18 MiB with 100 nodes, most of them of the start; what runs again is compiled within milliseconds.
 */
export function collectAllGarbage(): void {
  const collect = exposedCollection();
  for (const flag of forgotten.all) setFlagsFromString(flag);
  // To Node 20 these options mean a small collection; after a large one it gives pages back by itself, a while later, and forgets no functions.
  if (process.versions.node.startsWith('20.')) collect();
  else collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  for (const flag of forgotten.usual) setFlagsFromString(flag);
}

/** Node.js exposes it only to code that is compiled after the flag. */
function exposedCollection(): (options?: object) => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options?: object) => void;
  setFlagsFromString('--no-expose-gc');
  return collect;
}
