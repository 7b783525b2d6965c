import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { SelectorError } from '../../../src/kube/selectors/errors.ts';
import { matchesLabels, parseLabelSelector } from '../../../src/kube/selectors/label-selector.ts';
import { readJson } from '../../support/json-file.ts';

interface Vectors {
  readonly match: readonly { readonly sel: string; readonly labels: Record<string, string>; readonly match: boolean }[];
  readonly errors: readonly { readonly sel: string; readonly message: string }[];
}
const vectors = readJson(new URL('./data/label-selector-vectors.json', import.meta.url)) as Vectors;

const refused = (selector: string, message: string | RegExp): void =>
  assert.throws(() => parseLabelSelector(selector), { name: 'SelectorError', code: 'invalid-label-selector', message });

describe('parseLabelSelector', () => {
  for (const { sel, labels, match } of vectors.match)
    it(`says that ${JSON.stringify(sel)} ${match ? 'matches' : 'does not match'} ${JSON.stringify(labels)}`, () => {
      assert.equal(matchesLabels(parseLabelSelector(sel), labels), match);
    });

  for (const { sel, message } of vectors.errors)
    it(`refuses ${JSON.stringify(sel)} in the words of an API server`, () => refused(sel, message));

  // Reading that takes the square of the length would not end here within the hour.
  it('reads hundreds of thousands of symbols at once', () => {
    for (const symbol of ['(', ')', ',', '!', '=', '!=', '<'])
      assert.throws(() => parseLabelSelector(`a${symbol.repeat(200_000)}`), SelectorError);
  });

  it('names an over-long key as Kubernetes 1.33 does', () => {
    const key = 'a'.repeat(64);
    refused(
      `${key}=b`,
      `unable to parse requirement: <nil>: Invalid value: "${key}": name part must be no more than 63 characters`,
    );
  });

  it('tells every fault of a value', () => {
    refused(
      'a>-b-',
      /^unable to parse requirement: \[values\[0\]: Invalid value: "-b-": for 'Gt'.*, values\[0\]\[a\]: /,
    );
  });

  it('checks the prefix of a key', () => {
    refused('/a=b', 'unable to parse requirement: <nil>: Invalid value: "/a": prefix part must be non-empty');
    refused('Caps.io/a', /prefix part a lowercase RFC 1123 subdomain must consist of/);
    refused('a/b/c', /a qualified name must consist of alphanumeric characters.*\(e\.g\. 'example\.com\/MyName'\)$/);
    refused('a.io/', /name part must be non-empty; name part must consist of/);
  });

  it('reads operators greedily and keywords only in their place', () => {
    assert.deepEqual(parseLabelSelector('notin notin (in, notin),b!=c').requirements, [
      { key: 'b', operator: '!=', values: ['c'] },
      { key: 'notin', operator: 'notin', values: ['in', 'notin'] },
    ]);
  });

  it('keeps empty places of a set as the empty value', () => {
    for (const [set, values] of [
      ['(a,)', ['', 'a']],
      ['(,a)', ['', 'a']],
      ['(a,,b)', ['', 'a', 'b']],
      ['(a,a)', ['a']],
    ] as const)
      assert.deepEqual(parseLabelSelector(`k in ${set}`).requirements[0]?.values, values, set);
  });

  it('compares integers of 64 bits exactly', () => {
    const selector = parseLabelSelector('a>9223372036854775806');
    assert.ok(matchesLabels(selector, { a: '9223372036854775807' }));
    assert.ok(!matchesLabels(selector, { a: '9223372036854775806' }));
    assert.ok(!matchesLabels(selector, { a: '9223372036854775808' }));
    refused('a>9223372036854775808', /must be an integer$/);
  });

  it('does not mistake what objects inherit for labels', () => {
    assert.ok(!matchesLabels(parseLabelSelector('constructor'), {}));
    assert.ok(matchesLabels(parseLabelSelector('!toString'), {}));
  });

  it('either reads any text or refuses it', () => {
    const pieces = fc.constantFrom(
      'a',
      'in',
      'notin',
      '=',
      '!',
      '(',
      ')',
      ',',
      '>',
      '<',
      ' ',
      '-',
      '/',
      '\0',
      '💥',
      '5',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((parts) => parts.join('')),
        ),
        (text) => {
          try {
            const selector = parseLabelSelector(text);
            matchesLabels(selector, { a: '5' });
          } catch (error) {
            assert.ok(error instanceof SelectorError);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
