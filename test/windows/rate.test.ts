import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { nanoseconds } from '../../src/model/units.ts';
import { rateOf } from '../../src/windows/rate.ts';

describe('a rate', () => {
  it('is the exact quotient, rounded down, for any counter difference and length', () => {
    const used = fc.oneof(fc.maxSafeNat(), fc.nat({ max: 2 ** 31 - 1 }));
    const length = fc.oneof(
      fc.integer({ min: 1_000_000_000, max: 2 ** 31 - 1 }),
      fc.integer({ min: 1_000_000_000, max: 3_600_000_000_000 }),
      fc.integer({ min: 9_000_000_000_000, max: Number.MAX_SAFE_INTEGER }),
    );
    fc.assert(
      fc.property(used, length, (some, long) => {
        const exact = (BigInt(some) * 1_000_000_000n) / BigInt(long);
        fc.pre(exact <= BigInt(Number.MAX_SAFE_INTEGER));
        assert.equal(BigInt(rateOf(some, nanoseconds(long))), exact);
      }),
      { numRuns: 5000 },
    );
  });

  it('is whole where the quotient is, also next to it', () => {
    for (const cores of [0.029, 0.1, 1, 3, 64, 1023.999999999])
      for (const seconds of [10, 14.999999999, 15, 60.000000001]) {
        const length = Math.round(seconds * 1e9);
        const used = Number((BigInt(Math.round(cores * 1e9)) * BigInt(length)) / 1_000_000_000n);
        for (const near of [used - 1, used, used + 1])
          assert.equal(BigInt(rateOf(near, nanoseconds(length))), (BigInt(near) * 1_000_000_000n) / BigInt(length));
      }
  });
});
