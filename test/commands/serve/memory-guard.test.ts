import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { MemoryGuard } from '../../../src/commands/serve/memory-guard.ts';
import { bytes } from '../../../src/model/units.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

const mebibyte = 1024 ** 2;
/** Of the process and of the heap, in MiB; shares are easy to read. */
const limits = { process: bytes(200 * mebibyte), heap: bytes(100 * mebibyte) };

describe('MemoryGuard', () => {
  let clock: FakeClock;
  let log: RecordingLogger;
  let given: string[];
  let guard: MemoryGuard;
  /** MiB of the process: what nobody can give up, garbage, and what can be given up. */
  let held: Record<'needed' | 'garbage' | 'history' | 'encoded', number>;
  /** MiB of the heap. */
  let heap: number;

  beforeEach(() => {
    clock = new FakeClock();
    log = new RecordingLogger();
    given = [];
    held = { needed: 100, garbage: 0, history: 20, encoded: 10 };
    heap = 50;
    let dropped = 0;
    const drop = (name: 'history' | 'encoded') => ({
      name,
      drop() {
        dropped += held[name];
        held[name] = 0;
      },
    });
    guard = new MemoryGuard({
      limits,
      use: () => {
        const { needed, garbage, history, encoded } = held;
        return {
          process: bytes((needed + garbage + history + encoded + dropped) * mebibyte),
          heap: bytes(heap * mebibyte),
        };
      },
      collectGarbage: () => (held.garbage = dropped = 0),
      droppable: [drop('history'), drop('encoded')],
      onDrop: (name) => void given.push(name),
      clock,
      log,
    });
    guard.start();
  });

  const messages = (): string[] => log.lines.map((line) => line.replace(/ \{.*/, ''));

  it('leaves everything alone below the high mark', async () => {
    held.needed = 149;
    await clock.advance(60_000);
    assert.equal(guard.admitsLargeAnswer(), true);
    assert.deepEqual([given, log.lines], [[], []]);
    assert.equal(guard.pressure, 179 / 200);
  });

  it('collects garbage first, which is nothing to tell of when it is enough', async () => {
    held.garbage = 60;
    await clock.advance(1000);
    assert.deepEqual([given, log.lines], [['garbage'], []]);
    assert.equal(guard.pressure, 130 / 200);
  });

  it('gives up one thing after the other, in their order, until it is enough', async () => {
    held.needed = 165;
    await clock.advance(1000);
    assert.deepEqual(given, ['garbage', 'history']);
    assert.deepEqual([held.history, held.encoded], [0, 10]);
    assert.deepEqual(log.lines, [
      'warning Memory is short {"residentMiB":195,"limitMiB":200,"heapMiB":50,"heapLimitMiB":100}',
      'info Dropped what can be made again {"what":"history","residentMiB":175,"limitMiB":200,"heapMiB":50,"heapLimitMiB":100}',
    ]);
    assert.equal(guard.admitsLargeAnswer(), true);
  });

  it('refuses large answers only when everything was given up', async () => {
    held.needed = 185;
    assert.equal(guard.admitsLargeAnswer(), false);
    assert.deepEqual(given, ['garbage', 'history', 'encoded']);
    held.needed = 170;
    assert.equal(guard.admitsLargeAnswer(), true);
  });

  it('refuses at once what is asked for while the last collection is young', () => {
    held.garbage = 60;
    assert.equal(guard.admitsLargeAnswer(), true);
    held.garbage = 60;
    assert.equal(guard.admitsLargeAnswer(), false);
    assert.deepEqual(given, ['garbage']);
    assert.deepEqual(messages(), ['warning Memory is short', 'warning Refusing large lists to save memory']);
  });

  it('counts the heap like the process', () => {
    heap = 90;
    assert.equal(guard.pressure, 0.9);
    assert.equal(guard.admitsLargeAnswer(), false);
  });

  it('collects every five seconds where that helps, ever less often where it does not, and at least once a minute', async () => {
    const collections = (): number => given.filter((name) => name === 'garbage').length;
    for (let second = 0; second < 60; second++) {
      held.garbage = 60;
      await clock.advance(1000);
    }
    assert.equal(collections(), 12);
    given = [];
    held.needed = 200;
    await clock.advance(600_000);
    assert.ok(collections() >= 10 && collections() <= 14, `${collections()} times in ten minutes`);
  });

  it('tells of a shortage once when it begins and once when it is over for a minute', async () => {
    for (let wave = 0; wave < 5; wave++) {
      held.needed = 190;
      await clock.advance(10_000);
      guard.admitsLargeAnswer();
      held.needed = 150;
      await clock.advance(50_000);
    }
    const begun = ['history', 'encoded'].map(() => 'info Dropped what can be made again');
    const shortage = ['warning Memory is short', ...begun, 'warning Refusing large lists to save memory'];
    assert.deepEqual(messages(), shortage);
    await clock.advance(15_000);
    assert.deepEqual(messages(), [...shortage, 'info Memory suffices again']);
    assert.match(log.lines.at(-1) ?? '', /"refused":5,"seconds":31\d/);
  });

  it('does not call a shortage over between the marks', async () => {
    held.needed = 190;
    await clock.advance(1000);
    held.needed = 165;
    await clock.advance(600_000);
    assert.equal(messages().includes('info Memory suffices again'), false);
    assert.equal(guard.admitsLargeAnswer(), true);
  });

  it('looks no more once it is stopped', async () => {
    guard.stop();
    held.needed = 190;
    await clock.advance(60_000);
    assert.deepEqual(given, []);
    assert.equal(clock.waiting, 0);
  });
});
