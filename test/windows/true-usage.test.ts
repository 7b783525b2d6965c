import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { container, pod, StoreTest } from './support.ts';

/** A load: rates in nanocores, each for some seconds, over and over. */
type Load = readonly { readonly rate: number; readonly seconds: number }[];

/** What a kubelet samples of a load: true times with nanoseconds, and what the Summary API makes of them. */
interface TrueSample {
  /** Milliseconds after the beginning. */
  readonly time: number;
  readonly used: bigint;
  readonly rate: number;
}

const hundredDays = 8_640_000n * 1_000_000_000n;

/** Core-nanoseconds used up to a time. Counters start beyond 2^53. */
function usedUntil(load: Load, time: number): bigint {
  let used = 0n;
  let left = BigInt(Math.round(time * 1e6));
  for (let index = 0; left > 0n; index++) {
    const { rate = 0, seconds = 1 } = load[index % load.length] ?? {};
    const span = BigInt(Math.round(seconds * 1e9));
    const part = left < span ? left : span;
    used += (BigInt(rate) * part) / 1_000_000_000n;
    left -= part;
  }
  return hundredDays + used;
}

function samplesOf(load: Load, gaps: readonly number[]): TrueSample[] {
  const samples: TrueSample[] = [];
  let time = 137.25;
  for (const gap of gaps) {
    const used = usedUntil(load, time);
    const before = samples.at(-1);
    const rate =
      before === undefined
        ? 0
        : Number(((used - before.used) * 1_000_000_000n) / BigInt(Math.round((time - before.time) * 1e6)));
    samples.push({ time, used, rate });
    time += gap;
  }
  return samples;
}

/**
 * Scrapes every 15 s, some missed, and calls `check` with each window that was newly served; those of first sight aside, also after an absence of a minute:
 * their length is the kubelet's habit.
 */
async function replay(
  samples: readonly TrueSample[],
  missed: readonly boolean[],
  check: (served: { cpu: number; window: number; end: number }, upTo: number) => void,
): Promise<void> {
  const test = new StoreTest();
  let lastEnd = Number.NaN;
  for (let scrape = 0; scrape < missed.length; scrape++) {
    if (missed[scrape] === true) continue;
    const at = 12.3 + scrape * 15;
    const newest = samples.findLastIndex(({ time }) => time <= at * 1000);
    const sample = samples[newest];
    if (sample === undefined) continue;
    const text = { at: Math.floor(sample.time / 1000), started: -100_000, used: sample.used, rate: sample.rate };
    await test.answer(at, { pods: [pod('web', container('app', text))] });
    const { served } = test;
    if (served === undefined || served.end === lastEnd) continue;
    const afterAbsence = !(served.end - lastEnd <= 60);
    lastEnd = served.end;
    if (!afterAbsence) check(served, newest);
  }
}

const gap = fc.double({ min: 10_000, max: 20_000, noNaN: true });
const gaps = fc.array(gap, { minLength: 20, maxLength: 20 });
const missed = fc.array(fc.boolean(), { minLength: 15, maxLength: 15 });
const rate = fc.integer({ min: 200_000, max: 3_000_000_000 });

describe('served CPU against true usage, through truncated stamps, jittered samples and missed scrapes', () => {
  it('is within 1 % of the truth for constant load', async () => {
    await fc.assert(
      fc.asyncProperty(rate, gaps, missed, async (constant, times, holes) => {
        await replay(samplesOf([{ rate: constant, seconds: 60 }], times), holes, ({ cpu }) =>
          assert.ok(Math.abs(cpu - constant) <= constant * 0.01, `${cpu} of ${constant}`),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('is the rate between two samples for any load, as far as truncated stamps tell their distance', async () => {
    const load = fc.array(fc.record({ rate, seconds: fc.integer({ min: 1, max: 40 }) }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(load, gaps, missed, async (shape, times, holes) => {
        const samples = samplesOf(shape, times);
        await replay(samples, holes, ({ cpu, window, end }, upTo) => {
          const newest = samples[upTo];
          assert.ok(newest !== undefined && Math.floor(newest.time / 1000) === end);
          const fits = samples.slice(0, upTo).some((before) => {
            const distance = (newest.time - before.time) / 1000;
            const stamps = end - Math.floor(before.time / 1000);
            const used = Number(newest.used - before.used);
            // A second of truncation, and the millisecond by which the kubelet's rate, a whole number, may misplace it. The distance of the stamps errs by one, too:
            // where a sample that no scrape saw lies between, the kubelet's rate of the later part may look like that of the whole.
            const slack = 1.001;
            const withinTruncation =
              cpu >= Math.floor(used / (stamps + slack)) && cpu <= Math.ceil(used / (stamps - slack));
            return withinTruncation && Math.abs(window - distance) <= 2 * slack;
          });
          assert.ok(fits, `${cpu} over ${window} s ending at ${end}`);
        });
      }),
      {
        numRuns: 300,
        examples: [
          [
            [
              { rate: 200_000, seconds: 6 },
              { rate: 265_897, seconds: 21 },
            ],
            [18570.013801969908, 11034.578386963707, 10_000, 14224.110792566378, ...Array<number>(16).fill(10_000)],
            Array<boolean>(15).fill(false),
          ],
        ],
      },
    );
  });
});
