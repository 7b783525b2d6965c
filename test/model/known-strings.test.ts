import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { emptyHash, extendHash, KnownStrings } from '../../src/model/known-strings.ts';
import { heapUsed } from '../support/heap.ts';

function hashOf(text: string): number {
  return Buffer.from(text).reduce(extendHash, emptyHash);
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

  it('are as good a text as the one that is shared', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.stringMatching(/^[a-d-]{0,300}$/))), (texts) => {
        const strings = new KnownStrings();
        for (const text of [...texts, ...texts]) assert.equal(strings.share(text), text);
      }),
    );
  });

  it('are the very ones that were shared, also when the table has grown', async () => {
    const strings = new KnownStrings();
    const { capacity } = strings;
    const names = Array.from({ length: 18_000 }, (_, pod) =>
      strings.share(Buffer.from(`pod-${pod}-${'x'.repeat(200)}`).toString()),
    );
    assert.ok(strings.capacity > capacity);
    const held: string[] = Array.from({ length: names.length }, () => '');
    const before = await heapUsed();
    for (const [pod, name] of names.entries()) held[pod] = ask(strings, name);
    const grown = (await heapUsed()) - before;
    assert.deepEqual(held, names);
    // As many strings again would be 3.9 MB; few are displaced, and the table may grow once more.
    assert.ok(grown < 1_500_000, `${grown} bytes more`);
  });

  it('keep nothing of a page that a name was cut from', async () => {
    const strings = new KnownStrings();
    const before = await heapUsed();
    const names = Array.from({ length: 100 }, (_, number) => {
      const page = Buffer.alloc(100_000, `a-long-container-name-${number} `).toString();
      return strings.share(page.slice(0, page.indexOf(' ')));
    });
    const grown = (await heapUsed()) - before;
    assert.equal(new Set(names).size, 100);
    // The pages are 10 MB.
    assert.ok(grown < 1_000_000, `${grown} bytes more`);
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
