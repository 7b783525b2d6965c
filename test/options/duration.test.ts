import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { nanoseconds } from '../../src/model/units.ts';
import { formatDuration, parseDuration, toMilliseconds } from '../../src/options/duration.ts';
import { OptionError } from '../../src/options/errors.ts';

const vectors = JSON.parse(readFileSync(new URL('data/duration-vectors.json', import.meta.url), 'utf8')) as {
  ns: string;
  text: string;
}[];
const exact = vectors.filter(({ ns }) => Number.isSafeInteger(Number(ns)));

describe('a Go duration', () => {
  it('prints as Go does', () => {
    assert.ok(exact.length > 15);
    for (const { ns, text } of exact) assert.equal(formatDuration(nanoseconds(Number(ns))), text);
  });

  it('reads what Go prints', () => {
    for (const { ns, text } of exact) assert.equal(parseDuration(text), Number(ns), text);
  });

  it('comes back from its own text', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        assert.equal(parseDuration(formatDuration(nanoseconds(value))), value);
      }),
    );
  });

  for (const [text, expected] of [
    ['0', 0],
    ['-0', 0],
    ['+5s', 5e9],
    ['1h2m3.5s', 3_723_500_000_000],
    ['1.5h', 5.4e12],
    ['.5s', 5e8],
    ['1.s', 1e9],
    ['100us', 1e5],
    ['100µs', 1e5],
    ['100μs', 1e5],
    ['3ms2ns', 3_000_002],
    ['0.0000000019s', 1],
    ['2562047h47m16.854775807s', 2 ** 63],
  ] as const) {
    it(`reads ${text}`, () => assert.equal(parseDuration(text), expected));
  }

  for (const [text, message] of [
    ['', 'time: invalid duration ""'],
    ['x', 'time: invalid duration "x"'],
    ['-', 'time: invalid duration "-"'],
    ['.s', 'time: invalid duration ".s"'],
    ['10', 'time: missing unit in duration "10"'],
    ['1.5.5s', 'time: missing unit in duration "1.5.5s"'],
    ['1d', 'time: unknown unit "d" in duration "1d"'],
    ['1constructor', 'time: unknown unit "constructor" in duration "1constructor"'],
    ['1s -2s', 'time: unknown unit "s -" in duration "1s -2s"'],
    ['2562048h', 'time: invalid duration "2562048h"'],
    [`${'9'.repeat(400)}s`, `time: invalid duration "${'9'.repeat(400)}s"`],
  ] as const) {
    it(`refuses ${JSON.stringify(text.slice(0, 20))}`, () =>
      assert.throws(() => parseDuration(text), new OptionError('invalid-argument', message)));
  }

  it('never fails otherwise than with an OptionError', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('0', '9', '.', 's', 'm', 'h', 'n', 'µ', '-', ' ', 'x') }),
        (text) => {
          try {
            assert.ok(Number.isInteger(parseDuration(text)));
          } catch (error) {
            assert.ok(error instanceof OptionError);
          }
        },
      ),
    );
  });

  it('becomes milliseconds with the fraction kept', () => assert.equal(toMilliseconds(parseDuration('1.5ms')), 1.5));
});
