import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { bytes, nanocores } from '../../src/model/units.ts';
import { exactSum, formatBytes, formatNanocores } from '../../src/wire/quantity.ts';
import { readJson } from '../support/json-file.ts';

interface Vectors {
  readonly cpuNanocores: readonly { nanocores: string; text: string }[];
  readonly memoryBytes: readonly { bytes: string; text: string }[];
}
const vectors = readJson(new URL('./data/quantity-vectors.json', import.meta.url)) as Vectors;

const scales: Readonly<Record<string, bigint>> = {
  n: 1n,
  u: 10n ** 3n,
  m: 10n ** 6n,
  '': 10n ** 9n,
  k: 10n ** 12n,
  M: 10n ** 15n,
  G: 10n ** 18n,
  Ki: (10n ** 9n) << 10n,
  Mi: (10n ** 9n) << 20n,
  Gi: (10n ** 9n) << 30n,
  Ti: (10n ** 9n) << 40n,
  Pi: (10n ** 9n) << 50n,
  Ei: (10n ** 9n) << 60n,
  T: 10n ** 21n,
  P: 10n ** 24n,
  E: 10n ** 27n,
};

/** The quantity in billionths of the base unit. */
function read(text: string): bigint {
  const [, digits = '', suffix = ''] = /^(-?\d+)(\D*)$/.exec(text) ?? [];
  const scale = scales[suffix];
  assert.ok(digits !== '' && scale !== undefined, text);
  return BigInt(digits) * scale;
}

describe('quantities', () => {
  it('print CPU as the vectors say', () => {
    for (const { nanocores: value, text } of vectors.cpuNanocores) {
      assert.equal(formatNanocores(BigInt(value)), text);
      if (Number.isSafeInteger(Number(value))) assert.equal(formatNanocores(nanocores(Number(value))), text);
    }
  });

  it('print memory as the vectors say', () => {
    for (const { bytes: value, text } of vectors.memoryBytes) {
      assert.equal(formatBytes(BigInt(value)), text);
      if (Number.isSafeInteger(Number(value))) assert.equal(formatBytes(bytes(Number(value))), text);
    }
  });

  it('keep every value exactly', () => {
    const anyValue = fc.oneof(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.tuple(fc.nat(2000), fc.nat(4)).map(([base, power]) => BigInt(base) * 1000n ** BigInt(power)),
      fc.tuple(fc.nat(2000), fc.nat(4)).map(([base, power]) => BigInt(base) * 1024n ** BigInt(power)),
    );
    fc.assert(
      fc.property(anyValue, (value) => {
        assert.equal(read(formatNanocores(value)), value);
        assert.equal(read(formatBytes(value)), value * 10n ** 9n);
      }),
    );
  });

  it('print doubles and BigInts alike', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        assert.equal(formatNanocores(nanocores(value)), formatNanocores(BigInt(value)));
        assert.equal(formatBytes(bytes(value)), formatBytes(BigInt(value)));
      }),
    );
  });

  it('sum beyond 2^53 without losing a byte', () => {
    const values = [bytes(Number.MAX_SAFE_INTEGER), bytes(Number.MAX_SAFE_INTEGER), bytes(1)];
    assert.equal(exactSum(values), 2n * BigInt(Number.MAX_SAFE_INTEGER) + 1n);
    assert.equal(exactSum([bytes(1), bytes(2)]), 3);
  });
});
