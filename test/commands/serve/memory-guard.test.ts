import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { MemoryGuard } from '../../../src/commands/serve/memory-guard.ts';
import { bytes, monotonicMs, type Bytes } from '../../../src/model/units.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { RecordingLogger } from '../../support/recording-logger.ts';

const mebibyte = 1024 ** 2;
const [high, low] = [170, 150];

describe('MemoryGuard', () => {
  let clock: FakeClock;
  let log: RecordingLogger;
  let given: string[];
  let guard: MemoryGuard;
  /** MiB of the process: what nobody can give up, garbage, and what can be given up. */
  let held: Record<'needed' | 'garbage' | 'history' | 'encoded', number>;
  let limits: { process: Bytes; heap: Bytes };
  /** MiB of the heap. */
  let heap: number;
  /** Milliseconds that a collection takes. */
  let collection: number;
  let tidied: number;
  let outgrown: number;

  beforeEach(() => {
    clock = new FakeClock();
    log = new RecordingLogger();
    given = [];
    limits = { process: bytes(200 * mebibyte), heap: bytes(100 * mebibyte) };
    held = { needed: 100, garbage: 0, history: 20, encoded: 10 };
    heap = 50;
    collection = 0;
    tidied = 0;
    outgrown = 0;
    let collecting = 0;
    const drop = (name: 'history' | 'encoded') => ({
      name,
      drop() {
        held.garbage += held[name];
        held[name] = 0;
      },
    });
    guard = new MemoryGuard({
      limits,
      use: () => ({
        process: bytes(Object.values(held).reduce((sum, part) => sum + part) * mebibyte),
        heap: bytes(heap * mebibyte),
      }),
      collectGarbage: () => {
        held.garbage = 0;
        collecting += collection;
      },
      outgrown: () => void outgrown++,
      droppable: [drop('history'), drop('encoded')],
      tidy: () => void tidied++,
      onDrop: (name) => void given.push(name),
      clock: {
        now: () => clock.now(),
        monotonic: () => monotonicMs(clock.monotonic() + collecting),
        after: (delay, callback) => clock.after(delay, callback),
      },
      log,
    });
    guard.start();
  });

  /** Makes the process as large as that, before anything is given up. */
  const use = (size: number): void => void (held.needed = size - held.garbage - held.history - held.encoded);
  const messages = (): string[] => log.lines.map((line) => line.replace(/ \{.*/, ''));
  const collections = (): number => given.filter((name) => name === 'garbage').length;

  it('leaves everything alone below the high mark', async () => {
    use(high - 1);
    await clock.advance(60_000);
    assert.equal(guard.admitsLargeAnswer(), true);
    assert.deepEqual([given, log.lines], [[], []]);
    assert.equal(guard.pressure, (high - 1) / 200);
  });

  it('collects garbage first, which is nothing to tell of when it is enough', async () => {
    held.garbage = 60;
    await clock.advance(1000);
    assert.deepEqual([given, log.lines], [['garbage'], []]);
    assert.equal(guard.pressure, 130 / 200);
  });

  it('gives up one thing more each time, in their order, until the low mark is reached', async () => {
    use(high);
    await clock.advance(1000);
    assert.deepEqual(given, ['garbage']);
    await clock.advance(5000);
    assert.deepEqual([given, held.history, held.encoded], [['garbage', 'history', 'garbage'], 0, 10]);
    use(high);
    await clock.advance(5000);
    assert.deepEqual(given.slice(3), ['history', 'encoded', 'garbage']);
    assert.deepEqual([held.history, held.encoded], [0, 0]);
    assert.deepEqual(log.lines, [
      'warning Memory is short {"residentMiB":170,"limitMiB":200,"heapMiB":50,"heapLimitMiB":100}',
      'info Dropped what can be made again {"what":"history","residentMiB":150,"limitMiB":200,"heapMiB":50,"heapLimitMiB":100}',
      'info Dropped what can be made again {"what":"encoded","residentMiB":160,"limitMiB":200,"heapMiB":50,"heapLimitMiB":100}',
    ]);
  });

  it('stops giving up below the low mark, and begins anew with garbage after a shortage', async () => {
    use(high);
    await clock.advance(1000);
    use(low - 1);
    await clock.advance(70_000);
    given = [];
    held.history = 20;
    use(high);
    await clock.advance(1000);
    assert.deepEqual(given, ['garbage']);
    assert.equal(held.history, 20);
  });

  it('admits a large answer when a collection makes room for it, and refuses it when none does', () => {
    held.garbage = 60;
    assert.equal(guard.admitsLargeAnswer(), true);
    held.garbage = 60;
    assert.equal(guard.admitsLargeAnswer(), false);
    assert.equal(collections(), 1);
    assert.deepEqual(messages(), ['warning Memory is short', 'warning Refusing large lists to save memory']);
  });

  it('refuses large answers as long as everything given up is not enough', async () => {
    held.needed = high;
    await clock.advance(60_000);
    assert.equal(guard.admitsLargeAnswer(), false);
    assert.deepEqual([held.history, held.encoded], [0, 0]);
    use(high - 1);
    assert.equal(guard.admitsLargeAnswer(), true);
  });

  it('counts the heap like the process', () => {
    heap = 85;
    assert.equal(guard.pressure, 0.85);
    assert.equal(guard.admitsLargeAnswer(), false);
  });

  it('collects every five seconds at most, and less often when a collection takes long', async () => {
    held.needed = high;
    await clock.advance(60_000);
    assert.equal(collections(), 12);
    collection = 1000;
    given = [];
    await clock.advance(600_000);
    assert.ok(collections() >= 28 && collections() <= 31, `${collections()} seconds of ten minutes`);
  });

  it('tells of a shortage once when it begins and once when it has been over for a minute', async () => {
    for (let wave = 0; wave < 5; wave++) {
      use(195);
      await clock.advance(10_000);
      guard.admitsLargeAnswer();
      use(low - 1);
      await clock.advance(50_000);
    }
    const shortage = [
      'warning Memory is short',
      'info Dropped what can be made again',
      'warning Refusing large lists to save memory',
      'info Dropped what can be made again',
    ];
    assert.deepEqual(messages(), shortage);
    await clock.advance(15_000);
    assert.deepEqual(messages(), [...shortage, 'info Memory suffices again']);
    assert.match(log.lines.at(-1) ?? '', /"refused":5,"seconds":3\d\d/);
  });

  it('does not call a shortage over between the marks', async () => {
    use(195);
    await clock.advance(1000);
    use(low);
    await clock.advance(600_000);
    assert.equal(messages().includes('info Memory suffices again'), false);
    assert.equal(guard.admitsLargeAnswer(), true);
  });

  it('collects the garbage of large answers as soon as there is none for a second', async () => {
    for (let list = 0; list < 20; list++) {
      guard.largeAnswerBegins();
      held.garbage = 30;
      await clock.advance(900);
      assert.equal(held.garbage, 30);
    }
    await clock.advance(1100);
    assert.deepEqual([held.garbage, tidied, given, log.lines], [0, 0, [], []]);
  });

  it('gives up what large answers left for the next, half a minute after the last of them, and collects it', async () => {
    for (let list = 0; list < 5; list++) {
      guard.largeAnswerBegins();
      await clock.advance(20_000);
    }
    held.garbage = 30;
    await clock.advance(9000);
    assert.deepEqual([held.garbage, tidied], [30, 0]);
    await clock.advance(2000);
    assert.deepEqual([held.garbage, tidied, given, log.lines], [0, 1, [], []]);
  });

  it('collects after large answers every ten minutes at most, and not in a large heap', async () => {
    const leaveGarbage = async (after: number): Promise<number> => {
      guard.largeAnswerBegins();
      held.garbage = 10;
      await clock.advance(after);
      return held.garbage;
    };
    assert.equal(await leaveGarbage(60_000), 0);
    assert.equal(await leaveGarbage(500_000), 10);
    assert.equal(tidied, 2);
    await clock.advance(42_000);
    assert.deepEqual([held.garbage, tidied], [0, 2]);
    limits.heap = bytes(400 * mebibyte);
    heap = 101;
    tidied = 0;
    assert.equal(await leaveGarbage(3_600_000), 10);
    assert.equal(tidied, 1);
  });

  it('collects what the start left in a small heap, and every ten minutes what came since', async () => {
    heap = 40;
    held.garbage = 30;
    await clock.advance(29_000);
    assert.equal(held.garbage, 30);
    await clock.advance(2000);
    assert.equal(held.garbage, 0);
    held.garbage = 10;
    await clock.advance(590_000);
    assert.equal(held.garbage, 10);
    await clock.advance(11_000);
    assert.deepEqual([held.garbage, tidied, given, log.lines], [0, 0, [], []]);
  });

  it('leaves the garbage of a larger heap to V8 while nobody asks for large answers', async () => {
    heap = 41;
    held.garbage = 30;
    await clock.advance(3_600_000);
    assert.equal(held.garbage, 30);
  });

  it('collects what the start left as soon as the heap is small enough, not ten minutes later', async () => {
    heap = 41;
    held.garbage = 30;
    await clock.advance(60_000);
    heap = 39;
    await clock.advance(1000);
    assert.equal(held.garbage, 0);
  });

  it('leaves what can wait for calm to the clock when a large answer is to be made', async () => {
    await clock.advance(500);
    guard.largeAnswerBegins();
    held.garbage = 10;
    await clock.advance(1100);
    assert.deepEqual([guard.admitsLargeAnswer(), held.garbage], [true, 10]);
    await clock.advance(400);
    assert.equal(held.garbage, 0);
  });

  it('tells once that the heap is no longer small', async () => {
    heap = 40;
    await clock.advance(60_000);
    assert.equal(outgrown, 0);
    for (const size of [41, 30, 60]) {
      heap = size;
      await clock.advance(10_000);
    }
    assert.equal(outgrown, 1);
  });

  it('looks no more once it is stopped', async () => {
    guard.stop();
    use(195);
    await clock.advance(60_000);
    assert.deepEqual(given, []);
    assert.equal(clock.waiting, 0);
  });
});
