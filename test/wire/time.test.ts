import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import protobuf from 'protobufjs/minimal.js';
import { formatDuration } from '../../src/options/duration.ts';
import { epochMs, nanoseconds } from '../../src/model/units.ts';
import { formatTime, makeStamp } from '../../src/wire/time.ts';
import { readJson } from '../support/json-file.ts';

describe('times', () => {
  it('are truncated to seconds, never rounded', () => {
    const vectors = readJson(new URL('./data/time-vectors.json', import.meta.url)) as {
      unixNanos: string | null;
      json: string;
    }[];
    for (const { unixNanos, json } of vectors)
      if (unixNanos !== null) assert.equal(formatTime(epochMs(Number(BigInt(unixNanos) / 1_000_000n))), json);
    assert.equal(formatTime(epochMs(-1)), '1969-12-31T23:59:59Z');
  });

  it('are those of the calendar', () => {
    const asDate = (time: number): string => new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
    for (let day = Date.UTC(1969, 11, 1); day < Date.UTC(2101, 1, 1); day += 86_400_000)
      assert.equal(formatTime(epochMs(day)), asDate(day));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(2110, 0) }), (time) =>
        assert.equal(formatTime(epochMs(time)), asDate(time)),
      ),
    );
  });

  it('that RFC 3339 cannot tell become the nearest that it can', () => {
    assert.equal(formatTime(epochMs(1.8e18)), '9999-12-31T23:59:59Z');
    assert.equal(formatTime(epochMs(1.8e15)), '9999-12-31T23:59:59Z');
    assert.equal(formatTime(epochMs(-1e15)), '0000-01-01T00:00:00Z');
  });

  it('are stamped in the same length at any time', () => {
    for (const time of [-9e15, -1, 0, 999, 1e11, 1_795_342_541_999.5, 2 ** 35 * 1000, 9e15]) {
      const stamp = makeStamp(epochMs(time));
      assert.equal(stamp.ascii.length, 20);
      assert.equal(stamp.varint.length, 5);
      assert.match(stamp.text, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    }
  });

  it('are stamped as varints that decode to the seconds', () => {
    for (const seconds of [0, 1, 300_000_000, 1_795_342_541, 2 ** 35 - 1]) {
      const { varint } = makeStamp(epochMs(seconds * 1000 + 500));
      assert.equal(Number(protobuf.Reader.create(varint).int64()), seconds);
    }
  });
});

describe('windows', () => {
  it('print as Go durations', () => {
    const vectors = readJson(new URL('./data/duration-vectors.json', import.meta.url)) as {
      ns: string;
      text: string;
    }[];
    for (const { ns, text } of vectors)
      if (Number.isSafeInteger(Number(ns))) assert.equal(formatDuration(nanoseconds(Number(ns))), text);
  });
});
