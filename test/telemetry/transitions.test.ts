import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { createLogger } from '../../src/telemetry/logger.ts';
import { Transitions } from '../../src/telemetry/transitions.ts';
import { FakeClock } from '../support/fake-clock.ts';

describe('transitions', () => {
  let clock: FakeClock;
  let lines: string[];

  beforeEach(() => {
    clock = new FakeClock();
    lines = [];
  });

  function transitions(verbosity = 0): Transitions {
    const write = (line: string): void => void lines.push(line.replace(/^(.).*?\] /, '$1 ').trimEnd());
    return new Transitions(createLogger({ format: 'text', verbosity, write, clock, pid: 1 }), clock);
  }
  const refused = Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' });
  const timeout = Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' });

  it('write when a thing begins to fail and when it works again, with counts', async () => {
    const nodes = transitions();
    for (let count = 0; count < 5; count++) {
      nodes.failed('n1', refused, 'Scrape failed', { node: 'n1' });
      await clock.advance(15_000);
    }
    assert.equal(nodes.failing, 1);
    assert.equal(nodes.recovered('n1', 'Scrape works again', { node: 'n1' }), true);
    assert.deepEqual(lines, [
      'E "Scrape failed" err="connection refused" node="n1"',
      'I "Scrape works again" node="n1" failures=5 seconds=75',
    ]);
    assert.equal(nodes.failing, 0);
  });

  it('say nothing of what always worked', () => {
    assert.equal(transitions().recovered('n1', 'works'), false);
    assert.deepEqual(lines, []);
  });

  it('write a new reason once', () => {
    const nodes = transitions();
    for (const error of [refused, timeout, refused, timeout]) nodes.failed('n1', error, 'failed');
    assert.deepEqual(lines, ['E "failed" err="connection refused"', 'E "failed" err="timed out"']);
  });

  it('do not write for ever about reasons that keep changing', () => {
    const nodes = transitions();
    for (let count = 0; count < 100; count++)
      nodes.failed('n1', Object.assign(new Error(`reason ${count}`), { code: 'E' }), 'failed');
    assert.equal(lines.length, 4);
  });

  it('tell keys apart', () => {
    const nodes = transitions();
    nodes.failed('n1', refused, 'failed', { node: 'n1' });
    nodes.failed('n2', refused, 'failed', { node: 'n2' });
    assert.equal(lines.length, 2);
  });

  it('keep quiet about failures that are expected, until they are not', () => {
    const nodes = transitions();
    nodes.failed('n1', refused, 'failed', {}, true);
    nodes.recovered('n1', 'works');
    assert.deepEqual(lines, []);
    nodes.failed('n1', refused, 'failed', {}, true);
    nodes.failed('n1', refused, 'failed');
    nodes.recovered('n1', 'works');
    assert.deepEqual(lines, ['E "failed" err="connection refused"', 'I "works" failures=2 seconds=0']);
  });

  it('write repeats and quiet failures at verbosity 4', () => {
    const nodes = transitions(4);
    nodes.failed('n1', refused, 'failed', {}, true);
    nodes.failed('n1', refused, 'failed', {}, true);
    nodes.recovered('n1', 'works');
    assert.deepEqual(lines, [
      'I "failed" reason="connection refused" failures=1',
      'I "failed" reason="connection refused" failures=2',
      'I "works" failures=2 seconds=0',
    ]);
  });

  it('forget what is gone', () => {
    const nodes = transitions();
    nodes.failed('n1', refused, 'failed');
    nodes.forget('n1');
    assert.equal(nodes.failing, 0);
    assert.equal(nodes.recovered('n1', 'works'), false);
  });
});
