import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { bytes, epochMs, milliseconds, nanocores, type Nanocores } from '../../src/model/units.ts';
import { integral, UsageTimeline, valueAt, type ContainerUsage, type UsageScript } from '../../src/sim/node/usage.ts';
import { mixedUsage, steadyUsage } from '../../src/sim/node/usage-plan.ts';

const start = Date.parse('2026-11-22T10:00:00Z');
const core = fc.integer({ min: 0, max: 4_000_000_000 });
const periods = fc.integer({ min: 1000, max: 600_000 });

const scripts: fc.Arbitrary<UsageScript<Nanocores>> = fc.oneof(
  core.map((value) => ({ kind: 'constant' as const, value: nanocores(value) })),
  fc.tuple(core, fc.double({ min: 0, max: 1, noNaN: true }), periods).map(([mean, part, period]) => ({
    kind: 'sine' as const,
    mean: nanocores(mean),
    amplitude: nanocores(Math.floor(mean * part)),
    period: milliseconds(period),
  })),
  fc.tuple(core, core, fc.integer({ min: -30_000, max: 90_000 })).map(([before, after, at]) => ({
    kind: 'step' as const,
    before: nanocores(before),
    after: nanocores(after),
    at: epochMs(start + at),
  })),
  fc.tuple(core, core, periods, fc.double({ min: 0.01, max: 1, noNaN: true })).map(([base, more, every, part]) => ({
    kind: 'spike' as const,
    base: nanocores(base),
    peak: nanocores(base + more),
    every: milliseconds(every),
    width: milliseconds(Math.ceil(every * part)),
  })),
);

/** The midpoint rule in steps of a hundredth of a second. */
function summed(script: UsageScript<Nanocores>, from: number, to: number): number {
  const step = 10;
  let total = 0;
  for (let at = from; at < to; at += step) {
    const width = Math.min(step, to - at);
    total += (valueAt(script, epochMs(at + width / 2)) * width) / 1000;
  }
  return total;
}

function constant(value: number): ContainerUsage {
  return { cpu: { kind: 'constant', value: nanocores(value) }, memory: { kind: 'constant', value: bytes(value) } };
}

describe('usage scripts', () => {
  it('consume the area under their values', () => {
    fc.assert(
      fc.property(
        scripts,
        fc.integer({ min: 0, max: 60_000 }),
        fc.integer({ min: 1, max: 60_000 }),
        (script, at, length) => {
          const [from, to] = [start + at, start + at + length];
          const exact = integral(script, epochMs(from), epochMs(to));
          const peak = script.kind === 'spike' ? script.peak : 4_000_000_000;
          // The numeric sum misplaces a jump by up to half a step, twice for each spike.
          const jumps = script.kind === 'spike' ? 2 + (2 * length) / script.every : script.kind === 'step' ? 1 : 0;
          const allowed = 4 + jumps * peak * 0.01 + exact * 1e-4 + (script.kind === 'sine' ? 1e5 : 0);
          assert.ok(
            Math.abs(exact - summed(script, from, to)) <= allowed,
            `${exact} against ${summed(script, from, to)}`,
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it('never consume less than nothing', () => {
    fc.assert(
      fc.property(
        scripts,
        fc.integer({ min: 0, max: 120_000 }),
        fc.integer({ min: 1, max: 30_000 }),
        (script, at, length) => {
          const used = integral(script, epochMs(start + at), epochMs(start + at + length));
          // Waves are summed up in doubles.
          assert.ok(used >= -2, String(used));
        },
      ),
    );
  });

  it('add up to the nanosecond over a hundred days', () => {
    const day = 86_400_000;
    const script = { kind: 'constant', value: nanocores(999_999_999) } as const;
    assert.equal(integral(script, epochMs(start), epochMs(start + 100 * day)), 100 * 86_400 * 999_999_999);
    const [before, after] = [100 * day, 100 * day + 1000].map((at) =>
      integral(script, epochMs(start), epochMs(start + at)),
    );
    assert.equal((after ?? 0) - (before ?? 0), 999_999_999);
  });

  it('jump at the instant of a step', () => {
    const at = epochMs(start);
    const script = { kind: 'step', before: nanocores(100), after: nanocores(300), at } as const;
    assert.equal(valueAt(script, epochMs(start - 1)), 100);
    assert.equal(valueAt(script, at), 300);
    assert.equal(integral(script, epochMs(start - 1000), epochMs(start + 2000)), 700);
  });
});

describe('a usage timeline', () => {
  it('leaves the past as it was when the scripts change', () => {
    const timeline = new UsageTimeline(constant(1_000_000_000));
    timeline.change(epochMs(start + 5000), constant(2_000_000_000));
    assert.equal(timeline.consumed(epochMs(start), epochMs(start + 5000)), 5_000_000_000);
    assert.equal(timeline.memoryAt(epochMs(start + 4999)), 1_000_000_000);
  });

  it('follows the new scripts from the change on', () => {
    const timeline = new UsageTimeline(constant(1_000_000_000));
    timeline.change(epochMs(start + 5000), constant(2_000_000_000));
    timeline.change(epochMs(start + 8000), constant(0));
    assert.equal(timeline.consumed(epochMs(start), epochMs(start + 20_000)), 5_000_000_000 + 6_000_000_000);
    assert.equal(timeline.consumed(epochMs(start + 4000), epochMs(start + 6000)), 1_000_000_000 + 2_000_000_000);
    assert.equal(timeline.memoryAt(epochMs(start + 9000)), 0);
  });
});

describe('usage plans', () => {
  it('give the same place the same scripts and other places others', () => {
    const place = { node: 3, pod: 5, container: 0 };
    assert.deepEqual(mixedUsage(7)(place), mixedUsage(7)(place));
    assert.notDeepEqual(mixedUsage(7)(place), mixedUsage(8)(place));
    assert.notDeepEqual(steadyUsage(place), steadyUsage({ ...place, pod: 6 }));
  });
});
