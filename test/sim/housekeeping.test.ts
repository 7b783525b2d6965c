import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs, nanocores } from '../../src/model/units.ts';
import { containerPace, Housekeeping, type Cgroup } from '../../src/sim/node/housekeeping.ts';
import { seededRandom } from '../../src/sim/seeded-random.ts';
import { integral } from '../../src/sim/node/usage.ts';

const start = Date.parse('2026-11-22T10:00:00Z');

/** A cgroup that burns half a core, or nothing. */
const halfCore = { kind: 'constant', value: nanocores(500_000_000) } as const;
const busy: Cgroup = { cpuAt: (at) => integral(halfCore, epochMs(start - 86_400_000), at), memoryAt: () => 1 };
const idle: Cgroup = { cpuAt: () => 7, memoryAt: () => 1 };

function housekeepingOf(cgroup: Cgroup, first = start): Housekeeping {
  return new Housekeeping(cgroup, containerPace, seededRandom(11), epochMs(first));
}

/** The times of all samples seen by somebody who looks once a second. */
function sampleTimes(cgroup: Cgroup, seconds: number): number[] {
  const housekeeping = housekeepingOf(cgroup);
  const times = new Set<number>();
  for (let second = 0; second <= seconds; second++) {
    const sample = housekeeping.sample(epochMs(start + second * 1000));
    if (sample !== undefined) times.add(sample.at);
  }
  return [...times];
}

function gaps(times: readonly number[]): number[] {
  return times.slice(1).map((time, index) => time - (times[index] ?? 0));
}

describe('housekeeping of a container', () => {
  it('samples a busy one every 10 to 20 s', () => {
    const between = gaps(sampleTimes(busy, 3600));
    assert.ok(between.length > 100);
    assert.ok(between.every((gap) => gap >= 10_000 && gap <= 20_000));
    assert.ok(Math.max(...between) > 18_000 && Math.min(...between) < 12_000);
  });

  it('slows down to every 15 to 30 s while nothing changes', () => {
    const between = gaps(sampleTimes(idle, 3600)).slice(1);
    assert.ok(between.length > 50);
    assert.ok(between.every((gap) => gap >= 15_000 && gap <= 30_000));
  });

  it('repeats a sample until the next is due', () => {
    const housekeeping = housekeepingOf(busy);
    const first = housekeeping.sample(epochMs(start + 1000));
    const again = housekeeping.sample(epochMs(start + 9000));
    assert.equal(first?.at, start);
    assert.equal(again, first);
  });

  it('has nothing before the first sample, then a rate of 0, then the rate between the last two', () => {
    const housekeeping = housekeepingOf(busy, start + 500);
    assert.equal(housekeeping.sample(epochMs(start)), undefined);
    assert.equal(housekeeping.sample(epochMs(start + 600))?.rate, 0);
    assert.equal(housekeeping.sample(epochMs(start + 25_000))?.rate, 500_000_000);
  });

  it('gives constant usage a constant rate', () => {
    const housekeeping = housekeepingOf(busy);
    for (let second = 30; second <= 600; second++)
      assert.equal(housekeeping.sample(epochMs(start + second * 1000))?.rate, 500_000_000);
  });

  it('is up to date after nobody asked for an hour', () => {
    const housekeeping = housekeepingOf(busy);
    housekeeping.sample(epochMs(start));
    const sample = housekeeping.sample(epochMs(start + 3_600_000));
    assert.ok(sample !== undefined && sample.at > start + 3_580_000);
    assert.equal(sample.rate, 500_000_000);
  });
});
