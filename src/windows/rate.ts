import type { CoreTime } from '../model/sample.ts';
import {
  milliseconds,
  nanocores,
  nanoseconds,
  type Milliseconds,
  type Nanocores,
  type Nanoseconds,
} from '../model/units.ts';
import type { CounterSample, SeriesTable, Slot } from './series-table.ts';

/** CPU usage over a stretch of time. */
export interface Rate {
  readonly cpu: Nanocores;
  readonly length: Nanoseconds;
}

/** cAdvisor's housekeeping waits 10-20 s for a busy container: from 20 s on a sample may have come between, so the kubelet's rate may be of another stretch. */
const surelyNeighbours = milliseconds(20_000);
/** Rates of a steady load differ by no more than this share. */
const steadyChange = 0.005;
/** However fast the answer: usage comes in slices, and over few seconds one slice more or less is worth a longer stretch. */
const leastReadWithin = milliseconds(15);
/** Pairs further apart than this no longer tell present usage. */
export const longestPair = milliseconds(60_000);

/** Core-nanoseconds from one counter reading to another; negative when the counter fell. Exact: counters pass 2^53, their differences do not. */
export function coreNanosBetween(from: CoreTime, to: CoreTime): number {
  return (to.seconds - from.seconds) * 1e9 + (to.nanos - from.nanos);
}

/** `used / length` in whole nanocores, rounded down exactly: 29m is never `28999999n`. */
export function rateOf(used: number, length: Nanoseconds): Nanocores {
  return nanocores(billionfold(used, length));
}

/** From here on `length * 1000` is no exact double: two and a half hours. */
const longestForDoubles = 9e12;

/**
 * `used * 10^9 / length`, rounded down. Long division by three digits at a time, in which every double is a whole number below 2^53; BigInt makes three
 * objects of each quotient and costs ten times as much.
 */
function billionfold(used: number, length: number): number {
  if (length >= longestForDoubles) return Number((BigInt(used) * 1_000_000_000n) / BigInt(length));
  let quotient = 0;
  let rest = used;
  for (let digits = 0; digits <= 9; digits += 3) {
    let digit = Math.floor(rest / length);
    // A quotient just below a whole number may have been rounded up to it.
    if (digit * length > rest) digit--;
    rest = (rest - digit * length) * 1000;
    quotient = quotient * 1000 + digit;
  }
  return quotient;
}

/**
 * The rate that ends at the newest sample of a series; undefined when there is no earlier one.
 *
 * Times of the Summary API are truncated to whole seconds, so over 10 s the difference of two stamps is off by up to a tenth. What is known better wins, in this order:
 * 1. stamps finer than that (`/metrics/resource`: milliseconds);
 * 2. our own clock, where the source reads its statistics when it is asked (over CRI); the kubelet's rate is of another stretch there;
 * 3. the kubelet's own rate, which it computes with nanosecond times over its last two samples: where it lies inside the bounds that truncation allows
 *    for our two samples it is the rate of that very stretch, and used / rate its true length. Then the true distance of the two is known, which tightens the bounds of both;
 * 4. the middle of the bounds, over the shortest stretch on which they are tight enough.
 *
 * @param kubeletRate `usageNanoCores` of the newest sample; it is 0 on a first sample and absent when the runtime gives none
 * @param lastRate the rate served before
 */
export function newestRate(
  table: SeriesTable,
  slot: Slot,
  kubeletRate: Nanocores | undefined,
  lastRate: Nanocores | undefined,
): Rate | undefined {
  const newest = table.sample(slot, 0);
  const before = table.sample(slot, 1);
  if (newest === undefined || before === undefined) return undefined;
  const used = coreNanosBetween(before.cpu, newest.cpu);
  const bounds = distanceBounds(before, newest);
  if (bounds.most - bounds.least <= 2) return overDistance(used, middle(bounds));
  const byClock = newest.readWithin === undefined ? undefined : overTightestPair(table, slot, newest, ownClock);
  if (byClock !== undefined) return byClock;
  if (used === 0) return overDistance(used, middle(bounds));

  const byKubelet =
    kubeletRate === undefined || kubeletRate === 0
      ? undefined
      : rateOfKubelet(table, slot, before, newest, kubeletRate, lastRate);
  return byKubelet ?? overTightestPair(table, slot, newest, stamps);
}

/** Between which lengths the true distance of two samples lies. */
interface Bounds {
  readonly least: number;
  readonly most: number;
}

function distanceBounds(before: CounterSample, after: CounterSample): Bounds {
  const distance = after.time - before.time;
  return { least: distance + after.early - before.late, most: distance + after.late - before.early };
}

/** What our own clock and the stamps allow together; undefined where they contradict each other, or a sample may have been read before it was asked for. */
function clockBounds(before: CounterSample, after: CounterSample): Bounds | undefined {
  if (before.readWithin === undefined || after.readWithin === undefined) return undefined;
  const byStamps = distanceBounds(before, after);
  const distance = after.readAt - before.readAt;
  const slack = Math.max(leastReadWithin, before.readWithin) + Math.max(leastReadWithin, after.readWithin);
  const least = Math.max(byStamps.least, distance - slack);
  const most = Math.min(byStamps.most, distance + slack);
  return least <= most ? { least, most } : undefined;
}

/** By what share of itself the middle of the bounds may be wrong. */
function uncertainty({ least, most }: Bounds): number {
  return (most - least) / (Math.max(0, least) + most);
}

function middle({ least, most }: Bounds): Milliseconds {
  return milliseconds((Math.max(0, least) + most) / 2);
}

/** The kubelet's rate as the rate of the last two samples, or undefined where it cannot be. */
function rateOfKubelet(
  table: SeriesTable,
  slot: Slot,
  before: CounterSample,
  newest: CounterSample,
  kubeletRate: Nanocores,
  lastRate: Nanocores | undefined,
): Rate | undefined {
  const used = coreNanosBetween(before.cpu, newest.cpu);
  const length = billionfold(used, kubeletRate);
  const distance = length / 1e6;
  const reported = newest.time - before.time;
  const neighbours = Math.min(reported, distance) < surelyNeighbours;
  const bounds = distanceBounds(before, newest);
  const fits = distance >= bounds.least - 1 && distance <= bounds.most + 1;
  if (neighbours) {
    // Tightened bounds rest on earlier samples having been neighbours; of two that surely are, the plain truncation decides.
    if (!fits && Math.abs(distance - reported) >= 1000) return undefined;
    tighten(
      table,
      slot,
      fits ? before : { ...before, early: milliseconds(0), late: milliseconds(1000) },
      newest,
      distance,
      distance / kubeletRate,
    );
  } else {
    // With a sample between, the rate is of the later part only, and no longer tells the length. It stands for the whole unless the load is seen to change.
    const steady = lastRate === undefined || Math.abs(kubeletRate - lastRate) <= kubeletRate * steadyChange;
    return fits && steady ? { cpu: kubeletRate, length: nanoseconds(Math.round(middle(bounds) * 1e6)) } : undefined;
  }
  return { cpu: kubeletRate, length: nanoseconds(length) };
}

/** Two samples are `distance` apart, give or take `slack`: what is known of the time of the first tells of the second's. */
function tighten(
  table: SeriesTable,
  slot: Slot,
  before: CounterSample,
  newest: CounterSample,
  distance: number,
  slack: number,
): void {
  if (slack > 50) return;
  const shift = distance - (newest.time - before.time);
  const early = Math.max(newest.early, before.early + shift - slack - 0.5);
  const late = Math.min(newest.late, before.late + shift + slack + 0.5);
  if (early <= late) table.setNewestBounds(slot, early, late);
}

/** A way to tell how far two samples are apart. */
interface Measure {
  /** Undefined where it cannot be told in this way. */
  readonly bounds: (before: CounterSample, after: CounterSample) => Bounds | undefined;
  /** A pair whose true distance is known to this share of itself is good enough; else an older sample is taken. */
  readonly goodUncertainty: number;
  /** Older samples are not further away than this. */
  readonly longest: Milliseconds;
}

const stamps: Measure = { bounds: distanceBounds, goodUncertainty: 0.025, longest: longestPair };
/** Requests of tenths of a second are worth a window of two cycles; ever slow ones are not worth an ever longer one. */
const ownClock: Measure = { bounds: clockBounds, goodUncertainty: 0.005, longest: milliseconds(40_000) };

/** The rate since the nearest sample whose distance is known well enough, else since the one whose distance is known best. */
function overTightestPair(
  table: SeriesTable,
  slot: Slot,
  newest: CounterSample,
  { bounds: boundsOf, goodUncertainty, longest }: Measure,
): Rate | undefined {
  let best: { before: CounterSample; bounds: Bounds } | undefined;
  for (let back = 1; back < table.count(slot); back++) {
    const before = table.sample(slot, back);
    if (before === undefined || (best !== undefined && newest.time - before.time > longest)) break;
    const bounds = boundsOf(before, newest);
    if (bounds === undefined) break;
    if (best === undefined || uncertainty(bounds) < uncertainty(best.bounds)) best = { before, bounds };
    if (uncertainty(bounds) <= goodUncertainty) break;
  }
  return best && overDistance(coreNanosBetween(best.before.cpu, newest.cpu), middle(best.bounds));
}

function overDistance(used: number, distance: Milliseconds): Rate | undefined {
  const length = nanoseconds(Math.round(distance * 1e6));
  return length <= 0 ? undefined : { cpu: rateOf(used, length), length };
}
