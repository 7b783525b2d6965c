import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { SelectorError } from '../../../src/kube/selectors/errors.ts';
import {
  exactField,
  matchesFields,
  parseFieldSelector,
  requireKnownFields,
} from '../../../src/kube/selectors/field-selector.ts';
import { readJson } from '../../support/json-file.ts';

interface Vectors {
  readonly match: readonly { sel: string; resource: string; name: string; namespace: string; match: boolean }[];
  readonly errors: readonly { sel: string; message: string }[];
}
const vectors = readJson(new URL('./data/field-selector-vectors.json', import.meta.url)) as Vectors;
const known = ['metadata.name', 'metadata.namespace'];

describe('parseFieldSelector', () => {
  for (const { sel, name, namespace, match } of vectors.match)
    it(`matches ${sel} with ${namespace}/${name}`, () => {
      const selector = parseFieldSelector(sel);
      requireKnownFields(selector, known);
      assert.equal(
        matchesFields(selector, (field) => (field === 'metadata.name' ? name : namespace)),
        match,
      );
    });

  for (const { sel, message } of vectors.errors)
    it(`refuses ${sel} in the words of an API server`, () => {
      assert.throws(() => requireKnownFields(parseFieldSelector(sel), known), { name: 'SelectorError', message });
    });

  it('tells the fault of the term that sorts first', () => {
    assert.throws(() => parseFieldSelector('z,a'), { message: "invalid selector: 'z,a'; can't understand 'a'" });
  });

  it('ignores empty terms', () => {
    assert.deepEqual(parseFieldSelector(',,a=b,').terms, [{ field: 'a', operator: '=', value: 'b' }]);
  });

  it('refuses a lone backslash at the end', () => {
    assert.throws(() => parseFieldSelector('a=b\\'), {
      message: 'invalid field selector: invalid escape sequence: \\',
    });
  });

  it('finds the value that a field must have', () => {
    assert.equal(exactField(parseFieldSelector('metadata.name!=a,metadata.name=b'), 'metadata.name'), 'b');
    assert.equal(exactField(parseFieldSelector('metadata.name!=a'), 'metadata.name'), undefined);
  });

  it('either reads any text or refuses it', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', '=', '!', ',', '\\', '.', '\n', '💥') }), (text) => {
        try {
          parseFieldSelector(text);
        } catch (error) {
          assert.ok(error instanceof SelectorError);
        }
      }),
    );
  });

  it('gives back every value that was escaped', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const escaped = value.replace(/[\\,=]/g, (character) => `\\${character}`);
        assert.equal(parseFieldSelector(`f=${escaped}`).terms[0]?.value, value);
      }),
    );
  });
});
