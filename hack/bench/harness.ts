import { median } from './statistics.ts';

/** Nanoseconds of one call: the median of the samples. */
export interface Timing {
  readonly work: number;
  readonly floor: number;
}

const samples = 15;
/** Milliseconds: long enough for the compiler to have done with the code, and for the clock to be exact. */
const warmUp = 250;
const sampleLength = 30;

/**
 * Times work beside the least that could take its place, sample after sample in turn.
 * What both return is kept until the next call, so that none of it is optimised away.
 */
export function timeBeside(work: () => unknown, floor: () => unknown): Timing {
  const [workCalls, floorCalls] = [callsPerSample(work), callsPerSample(floor)];
  const taken: { work: number[]; floor: number[] } = { work: [], floor: [] };
  for (let sample = 0; sample < samples; sample++) {
    taken.work.push(timed(work, workCalls) / workCalls);
    taken.floor.push(timed(floor, floorCalls) / floorCalls);
  }
  return { work: median(taken.work) * 1e6, floor: median(taken.floor) * 1e6 };
}

function callsPerSample(work: () => unknown): number {
  let calls = 1;
  let spent = 0;
  for (;;) {
    const length = timed(work, calls);
    spent += length;
    if (spent >= warmUp && length > 0) return Math.max(1, Math.round((calls * sampleLength) / length));
    if (length < sampleLength) calls *= 2;
  }
}

/** Milliseconds of so many calls. */
function timed(work: () => unknown, calls: number): number {
  let kept: unknown;
  const begun = performance.now();
  for (let call = 0; call < calls; call++) kept = work();
  const length = performance.now() - begun;
  if (kept === timed) throw new Error('a benchmark returned its own harness');
  return length;
}
