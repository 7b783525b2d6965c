import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { KnownStrings } from '../../src/scrape/known-strings.ts';

/** As the scanner computes it. */
function hashOf(text: string): number {
  let hash = 0;
  for (const byte of Buffer.from(text)) hash = (Math.imul(hash, 31) + byte) | 0;
  return hash;
}

function ask(strings: KnownStrings, text: string): string {
  return strings.get(Buffer.from(`"${text}"`), 1, 1 + text.length, hashOf(text));
}

describe('known strings', () => {
  it('are what was asked for, whatever shares their slots', () => {
    const few = fc.stringMatching(/^[a-d-]{0,300}$/);
    fc.assert(
      fc.property(fc.array(few), fc.integer({ min: 0, max: 3 }), (texts, hash) => {
        const strings = new KnownStrings();
        for (const text of [...texts, ...texts])
          assert.equal(strings.get(Buffer.from(text), 0, text.length, hash), text);
      }),
    );
  });

  it('stay as few while few are asked for, whatever comes and goes', () => {
    const strings = new KnownStrings();
    const { capacity } = strings;
    for (let round = 0; round < 100; round++)
      for (let pod = 0; pod < 1000; pod++) ask(strings, `pod-${pod < 20 ? `${round}-${pod}` : pod}`);
    assert.equal(strings.capacity, capacity);
  });

  it('make room for all that come again, within bounds', () => {
    const strings = new KnownStrings();
    const { capacity } = strings;
    for (let round = 0; round < 12; round++)
      for (let pod = 0; pod < 50_000; pod++) ask(strings, `pod-${pod}-${pod % 7}`);
    assert.ok(strings.capacity > capacity, `${strings.capacity}`);
    assert.ok(strings.capacity <= 1 << 18, `${strings.capacity}`);
  });
});
