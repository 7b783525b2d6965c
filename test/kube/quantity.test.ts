import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseBytes, parseCpu, parseQuantity } from '../../src/kube/quantity.ts';

const nano = 1_000_000_000n;
const cap = (2n ** 63n - 1n) * nano;

describe('quantities', () => {
  it('reads every way to write a CPU capacity', () => {
    const cases: Record<string, number> = {
      '4': 4e9,
      '3920m': 3.92e9,
      '0.5': 5e8,
      '.5': 5e8,
      '5.': 5e9,
      '1e3': 1e12,
      '1E3': 1e12,
      '25e-1': 2.5e9,
      '2k': 2e12,
      '250u': 250_000,
      '7n': 7,
      '+8': 8e9,
      '0': 0,
    };
    for (const [text, value] of Object.entries(cases)) assert.equal(parseCpu(text), value, text);
  });

  it('reads binary and decimal sizes', () => {
    const cases: Record<string, number> = {
      '16384256Ki': 16384256 * 1024,
      '1.5Gi': 1.5 * 2 ** 30,
      '2Ti': 2 ** 41,
      '5M': 5_000_000,
      '1E': -1,
      '4Pi': 2 ** 52,
      '100m': 1,
      '1500m': 2,
    };
    for (const [text, value] of Object.entries(cases))
      assert.equal(parseBytes(text), value === -1 ? undefined : value, text);
  });

  it('rounds what is finer than a billionth away from zero', () => {
    assert.equal(parseQuantity('0.5n'), 1n);
    assert.equal(parseQuantity('-0.5n'), -1n);
    assert.equal(parseQuantity('1.0000000001'), nano + 1n);
    assert.equal(parseQuantity('1e-400'), 1n);
    assert.equal(parseQuantity('0e-400'), 0n);
  });

  it('caps at 2^63-1, whatever the exponent', () => {
    for (const text of ['9223372036854775807', '9223372036854775808', '8Ei', '100E', '1e999999999', '9'.repeat(100)])
      assert.equal(parseQuantity(text), cap, text);
    assert.equal(parseQuantity('9223372036854775806'), cap - nano);
  });

  it('refuses what is no quantity', () => {
    for (const text of [
      '',
      ' ',
      '.',
      '+',
      'm',
      '1 ',
      ' 1',
      '1x',
      '1mi',
      '1e',
      '1e+',
      '1e1.5',
      '1Ki2',
      '0x10',
      '--1',
      '1,5',
      '1e1k',
      '1K',
      'NaN',
      '1\n',
      '9'.repeat(129),
    ])
      assert.equal(parseQuantity(text), undefined, JSON.stringify(text));
  });

  it('refuses negative capacities and those beyond exact numbers', () => {
    assert.equal(parseCpu('-1'), undefined);
    assert.equal(parseCpu('10M'), undefined);
    assert.equal(parseBytes('-1Ki'), undefined);
    assert.equal(parseBytes('9007199254740991'), Number.MAX_SAFE_INTEGER);
    assert.equal(parseBytes('9007199254740992'), undefined);
  });

  it('agrees with exact fractions for any mantissa and suffix', () => {
    const factors: Record<string, [bigint, bigint]> = {
      n: [1n, nano],
      u: [1n, 1_000_000n],
      m: [1n, 1000n],
      '': [1n, 1n],
      k: [1000n, 1n],
      M: [10n ** 6n, 1n],
      G: [10n ** 9n, 1n],
      T: [10n ** 12n, 1n],
      P: [10n ** 15n, 1n],
      E: [10n ** 18n, 1n],
      Ki: [2n ** 10n, 1n],
      Mi: [2n ** 20n, 1n],
      Gi: [2n ** 30n, 1n],
      Ti: [2n ** 40n, 1n],
      Pi: [2n ** 50n, 1n],
      Ei: [2n ** 60n, 1n],
    };
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 20n }),
        fc.nat({ max: 20 }),
        fc.constantFrom(...Object.keys(factors)),
        (digits, decimals, suffix) => {
          const padded = digits.toString().padStart(decimals + 1, '0');
          const point = padded.length - decimals;
          const text = `${padded.slice(0, point)}${decimals > 0 ? `.${padded.slice(point)}` : ''}${suffix}`;
          const [up, down] = factors[suffix] ?? [0n, 1n];
          const numerator = digits * up * nano;
          const denominator = 10n ** BigInt(decimals) * down;
          const exact = (numerator + denominator - 1n) / denominator;
          assert.equal(parseQuantity(text), exact > cap ? cap : exact, text);
        },
      ),
    );
  });

  it('reads exponents as the same power of ten', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 10 ** 6 }),
        fc.integer({ min: -9, max: 6 }),
        fc.constantFrom('e', 'E'),
        (n, e, letter) => {
          assert.equal(parseQuantity(`${n}${letter}${e}`), BigInt(n) * 10n ** BigInt(9 + e));
        },
      ),
    );
  });

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.eE+-]{0,20}[numkMGTPEKi]{0,3}$/)), (text) => {
        const value = parseQuantity(text);
        assert.ok(value === undefined || (value <= cap && value >= -cap));
      }),
    );
  });
});
