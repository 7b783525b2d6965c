import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  contentOf,
  element,
  objectIdentifier,
  readElements,
  readObjectIdentifier,
  time,
  unsigned,
} from '../../src/pki/der.ts';

describe('DER', () => {
  it('has lengths of as few bytes as can be', () => {
    const head = (length: number): string =>
      element(4, Buffer.alloc(length))
        .subarray(0, -length || undefined)
        .toString('hex');
    assert.deepEqual([0, 127, 128, 255, 256, 65_536].map(head), [
      '0400',
      '047f',
      '048180',
      '0481ff',
      '04820100',
      '0483010000',
    ]);
  });

  it('is read as it was written', () =>
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 5 }), (contents) => {
        const der = Buffer.concat(contents.map((content) => element(0x04, Buffer.from(content))));
        assert.deepEqual(
          readElements(der).map(({ content }) => new Uint8Array(content)),
          contents,
        );
      }),
    ));

  it('is refused where it breaks off', () => {
    const der = element(0x30, element(4, Buffer.alloc(300)));
    for (const length of [1, 3, 100]) assert.throws(() => readElements(der.subarray(0, length)), /ASN\.1/);
  });

  it('has integers that are never negative, of as few bytes as can be', () => {
    const bytes = (...digits: number[]): string => unsigned(Buffer.from(digits)).toString('hex');
    assert.equal(bytes(), '020100');
    assert.equal(bytes(0, 0), '020100');
    assert.equal(bytes(0x7f), '02017f');
    assert.equal(bytes(0x80), '02020080');
    assert.equal(bytes(0, 0, 0x81, 0), '0203008100');
  });

  it('keeps object identifiers', () => {
    const arc = fc.integer({ min: 0, max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 2), fc.integer({ min: 0, max: 39 }), fc.array(arc), (first, second, rest) => {
        const dotted = [first, second, ...rest].join('.');
        assert.equal(readObjectIdentifier(contentOf(readElements(objectIdentifier(dotted))[0])), dotted);
      }),
    );
    assert.equal(objectIdentifier('1.2.840.10045.4.3.2').toString('hex'), '06082a8648ce3d040302');
  });

  it('has two-digit years from 1950 until 2049, four-digit ones else', () => {
    const text = (date: string): string => time(new Date(date)).toString('latin1').slice(2);
    assert.equal(text('2049-12-31T23:59:59.999Z'), '491231235959Z');
    assert.equal(text('2050-01-01T00:00:00Z'), '20500101000000Z');
    assert.equal(text('1950-01-01T00:00:00Z'), '500101000000Z');
    assert.equal(text('1949-12-31T23:59:59Z'), '19491231235959Z');
  });
});
