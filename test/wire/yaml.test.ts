import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { parse } from 'yaml';
import { compareYamlKeys } from '../../src/wire/yaml-keys.ts';
import { jsonToYaml } from '../../src/wire/yaml.ts';

const yamlOf = (value: unknown): string => jsonToYaml(JSON.stringify(value));

describe('jsonToYaml', () => {
  it('writes block style with sorted keys and lists beside their key', () => {
    assert.equal(
      yamlOf({
        kind: 'A',
        items: [{ name: 'c0', usage: { memory: '1Mi', cpu: '1' } }, 'x'],
        empty: [],
        none: {},
        nil: null,
        yes: true,
      }),
      [
        'empty: []',
        'items:',
        '- name: c0',
        '  usage:',
        '    cpu: "1"',
        '    memory: 1Mi',
        '- x',
        'kind: A',
        'nil: null',
        'none: {}',
        '"yes": true',
        '',
      ].join('\n'),
    );
  });

  const scalars: readonly (readonly [text: string, written: string])[] = [
    ['', '""'],
    ['true', '"true"'],
    ['y', '"y"'],
    ['12', '"12"'],
    ['0x1f', '"0x1f"'],
    ['1_000', '"1_000"'],
    ['1e3', '"1e3"'],
    ['0b1', '"0b1"'],
    ['12:30', '"12:30"'],
    ['2026-11-22T10:15:41Z', '"2026-11-22T10:15:41Z"'],
    ['2026-11-22', '"2026-11-22"'],
    ['123456789n', '123456789n'],
    ['15.012s', '15.012s'],
    ['metrics.k8s.io/v1', 'metrics.k8s.io/v1'],
    ['- x', "'- x'"],
    ['-x', '-x'],
    ['*x', "'*x'"],
    ['a: b', "'a: b'"],
    ['a #b', "'a #b'"],
    ['a#b', 'a#b'],
    ["it's: x", "'it''s: x'"],
    [' x', "' x'"],
    ['a\tb', '"a\\tb"'],
    ['pods "x" not found', 'pods "x" not found'],
    ['a\nb', '|-\n  a\n  b'],
  ];
  for (const [text, written] of scalars)
    it(`writes ${JSON.stringify(text)} as ${JSON.stringify(written)}`, () =>
      assert.equal(yamlOf({ a: text }), `a: ${written}\n`));

  it('folds long text at the first space past column 80', () => {
    const words = `${'w'.repeat(40)} ${'x'.repeat(40)} ${'y'.repeat(10)} z`;
    assert.equal(yamlOf({ a: words }), `a: ${'w'.repeat(40)} ${'x'.repeat(40)}\n  ${'y'.repeat(10)} z\n`);
  });

  it('reads back as what it was made of', () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({
        unit: fc.constantFrom('a', ' ', ':', '#', '-', '"', "'", '\n', '1', '.', ',', '?', 'word word', '\t'),
      }),
    );
    const label = fc.stringMatching(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/);
    fc.assert(
      fc.property(fc.dictionary(label, text), fc.array(text), fc.integer(), (labels, items, number) => {
        const value = { labels: { ...labels }, items, nested: [{ a: { b: items } }], number };
        assert.deepEqual(parse(yamlOf(value), { version: '1.1', schema: 'core' }), value);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the order of YAML keys', () => {
  it('puts letters last and numbers by value', () => {
    const sorted = ['b', 'a10', 'a9', 'a', 'B', '-x', 'a.b', 'ab', 'a09', 'z100', 'z20'].sort(compareYamlKeys);
    assert.deepEqual(sorted, ['-x', 'B', 'a', 'a.b', 'a9', 'a09', 'a10', 'ab', 'b', 'z20', 'z100']);
  });
});
