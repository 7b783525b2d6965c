import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { NodeReading } from '../../src/model/sample.ts';
import { epochMs, milliseconds, monotonicMs, seconds, type Milliseconds } from '../../src/model/units.ts';
import { Gate } from '../../src/scrape/gate.ts';
import { NodeCycle, type Attempt, type CycleEnd } from '../../src/scrape/node-cycle.ts';
import { backoff, phaseOf, stepOf, untilDue } from '../../src/scrape/schedule.ts';
import { ScrapeError } from '../../src/scrape/scrape-error.ts';
import { FakeClock, settle } from '../support/fake-clock.ts';
import { nodeInfo } from '../support/metrics-sources.ts';

const resolution = seconds(15);
const node = nodeInfo('worker-1');
const reading: NodeReading = {
  source: 'summary',
  timePrecision: 1000,
  node: undefined,
  pods: [],
  requestedAt: monotonicMs(0),
  answeredAt: monotonicMs(0),
  answeredAtWall: epochMs(0),
  date: undefined,
};

/** One node's cycle on a clock moved by hand; `answer` is what each request does. */
class CycleTest {
  readonly clock = new FakeClock('2026-11-22T10:00:00Z');
  readonly startedAt: number[] = [];
  readonly deadlines: number[] = [];
  readonly attempts: Attempt[] = [];
  readonly ends: CycleEnd[] = [];
  published = 0;
  answer: (signal: AbortSignal, deadline: Milliseconds) => Promise<NodeReading> = async () => reading;
  readonly cycle = new NodeCycle(node, {
    clock: this.clock,
    random: () => 0.5,
    resolution,
    requestTimeout: seconds(10),
    read: async (_node, deadline, signal, take) => {
      this.startedAt.push(this.clock.monotonic() / 1000);
      this.deadlines.push(deadline);
      take(await this.answer(signal, deadline));
    },
    publish: () => this.published++,
    nodeCount: () => 1,
    onStart: () => {},
    onAttempt: (attempt) => this.attempts.push(attempt),
    onCycle: (end) => this.ends.push(end),
  });

  /** Requests hang until their deadline. */
  hang(): void {
    this.answer = async (signal, deadline) =>
      await new Promise((_resolve, reject) => {
        this.clock.after(deadline, () => reject(new ScrapeError('timeout', 'no answer')));
        signal.addEventListener('abort', () => reject(new ScrapeError('timeout', 'gone')));
      });
  }

  fail(): void {
    this.answer = async () => await Promise.reject(new ScrapeError('status', '500', { status: 500 }));
  }
}

describe('when nodes are due', () => {
  it('spreads nodes evenly over the resolution', () => {
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let index = 0; index < 1000; index++) {
      const tenth = Math.floor(
        (untilDue(phaseOf(`node-${index}`), epochMs(0), resolution, milliseconds(0)) / resolution) * 10,
      );
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    assert.ok(
      tenths.every((count) => count > 60 && count < 140),
      tenths.join(' '),
    );
  });

  it('lets about twenty-five nodes be due together, of few nodes about a quarter, of very many eight', () => {
    for (const [nodes, steps] of [
      [20, 4],
      [100, 4],
      [1000, 40],
      [5000, 625],
    ] as const) {
      const together = new Map<number, number>();
      for (let index = 0; index < nodes; index++) {
        const step = stepOf(phaseOf(`node-${index}`), nodes);
        together.set(step, (together.get(step) ?? 0) + 1);
      }
      assert.ok(
        together.size === steps && Math.max(...together.values()) <= Math.max(45, nodes / 3),
        `${nodes}: ${together.size}, ${Math.max(...together.values())}`,
      );
    }
  });

  it('is due at the same instants in every replica, whenever it started', () => {
    const instant = fc.integer({ min: 0, max: 4e12 });
    fc.assert(
      fc.property(fc.string(), instant, instant, fc.nat(20_000), (name, one, other, notBefore) => {
        const due = (now: number): number =>
          now + untilDue(phaseOf(name), epochMs(now), resolution, milliseconds(notBefore));
        const apart = Math.abs(due(one) - due(other)) % resolution;
        assert.ok(Math.min(apart, resolution - apart) < 0.01);
        assert.ok(due(one) - one >= notBefore - 0.01 && due(one) - one < notBefore + resolution + 0.01);
      }),
    );
  });

  it('leaves a failing node alone for two resolutions, but no longer than a minute', () => {
    assert.deepEqual(
      [1, 2, 3, 50].map((failures) => backoff(failures, resolution, () => 0) / 1000),
      [15, 30, 30, 30],
    );
    assert.equal(backoff(5, resolution, () => 1) / 1000, 24);
    assert.equal(backoff(5, seconds(50), () => 0) / 1000, 60);
    assert.equal(backoff(5, seconds(120), () => 1) / 1000, 120);
  });
});

describe('the cycle of a node', () => {
  it('begins at once and goes on at the phase of the node, without drift', async () => {
    const test = new CycleTest();
    test.answer = async () => {
      await new Promise<void>((resolve) => test.clock.after(milliseconds(700), resolve));
      return reading;
    };
    test.cycle.start();
    await test.clock.advance(100_000);
    assert.equal(test.startedAt[0], 0);
    const gaps = test.startedAt.slice(2).map((at, index) => at - (test.startedAt[index + 1] ?? 0));
    assert.ok(gaps.length >= 4 && gaps.every((gap) => Math.abs(gap - 15) < 0.01), gaps.join(' '));
    assert.ok((test.startedAt[1] ?? 0) >= 5);
    test.cycle.stop();
  });

  it('retries once within the cycle, and a retry that works leaves no failure', async () => {
    const test = new CycleTest();
    test.fail();
    test.cycle.start();
    await test.clock.advance(0);
    test.answer = async () => reading;
    await test.clock.advance(2000);
    assert.deepEqual(
      test.attempts.map(({ error, retry }) => [error?.code, retry]),
      [
        ['status', false],
        [undefined, true],
      ],
    );
    assert.deepEqual(
      test.ends.map(({ failures }) => failures),
      [0],
    );
    test.cycle.stop();
  });

  it('leaves the retry of a hanging node only the time that is left in the cycle', async () => {
    const test = new CycleTest();
    test.cycle.start();
    await test.clock.advance(30_000);
    test.startedAt.length = test.deadlines.length = 0;
    test.hang();
    await test.clock.advance(28_000);
    assert.equal(test.deadlines[0], 10_000);
    assert.ok((test.deadlines[1] ?? 0) > 3000 && (test.deadlines[1] ?? 0) <= 4100, `${test.deadlines[1]}`);
    test.cycle.stop();
  });

  it('goes on at the next phase after the first failed cycle, then half as often', async () => {
    const test = new CycleTest();
    test.fail();
    test.cycle.start();
    await test.clock.advance(300_000);
    const cycles = test.ends.map(({ failures, backedOff }) => [failures, backedOff]);
    assert.deepEqual(cycles.slice(0, 3), [
      [1, false],
      [2, true],
      [3, true],
    ]);
    assert.ok(test.startedAt.length <= 14, `${test.startedAt.length} requests in five minutes`);
    test.cycle.stop();
  });

  it('returns to its phase when the node recovers', async () => {
    const test = new CycleTest();
    test.fail();
    test.cycle.start();
    await test.clock.advance(200_000);
    test.answer = async () => reading;
    await test.clock.advance(100_000);
    assert.ok(test.published >= 3);
    assert.equal(test.ends.at(-1)?.failures, 0);
    test.cycle.stop();
  });

  it('tries a failing node at once when it turns ready', async () => {
    const test = new CycleTest();
    test.fail();
    test.cycle.start();
    await test.clock.advance(200_000);
    test.cycle.update({ ...node, ready: false });
    test.answer = async () => reading;
    test.cycle.update({ ...node, ready: true });
    await test.clock.advance(5000);
    assert.equal(test.published, 1);
    test.cycle.stop();
  });

  it('is pulled forward for something new, but never under five seconds after the last time', async () => {
    const test = new CycleTest();
    test.cycle.start();
    await test.clock.advance(1000);
    test.cycle.pullForward(milliseconds(0));
    await test.clock.advance(3900);
    assert.equal(test.startedAt.length, 1);
    await test.clock.advance(200);
    assert.equal(test.startedAt.length, 2);
    test.cycle.stop();
  });

  it('is not pushed back by being pulled forward', async () => {
    const test = new CycleTest();
    test.cycle.start();
    await test.clock.advance(40_000);
    const before = test.startedAt.length;
    test.cycle.pullForward(seconds(3600));
    await test.clock.advance(15_100);
    assert.ok(test.startedAt.length > before);
    test.cycle.stop();
  });

  it('loses nothing when the event loop stalled over several due times', async () => {
    const test = new CycleTest();
    test.cycle.start();
    await test.clock.advance(60_000);
    const before = test.startedAt.length;
    test.clock.jumpWall(47_000);
    await test.clock.advance(20_000);
    assert.ok(test.startedAt.length > before);
    test.cycle.stop();
  });

  it('leaves nothing behind when the node leaves during a request', async () => {
    const test = new CycleTest();
    test.hang();
    test.cycle.start();
    await test.clock.advance(1000);
    test.cycle.stop();
    await test.clock.advance(60_000);
    assert.equal(test.startedAt.length, 1);
    assert.deepEqual([test.attempts.length, test.ends.length, test.clock.waiting], [0, 0, 0]);
  });
});

describe('the gate', () => {
  it('lets a bounded number in at once', async () => {
    const gate = new Gate(new FakeClock(), 2, seconds(1));
    const release: (() => void)[] = [];
    const work = async (): Promise<void> => await new Promise((resolve) => release.push(resolve));
    const all = Promise.all([gate.run(work), gate.run(work), gate.run(work)]);
    await settle();
    assert.equal(release.length, 2);
    release[0]?.();
    await settle();
    assert.equal(release.length, 3);
    for (const resolve of release) resolve();
    await all;
  });

  it('gives a place that becomes free to who waits, whenever somebody else comes', async () => {
    for (let turns = 0; turns < 10; turns++) {
      const gate = new Gate(new FakeClock(), 1, seconds(1));
      const entered: string[] = [];
      const release: (() => void)[] = [];
      const enter = async (name: string): Promise<void> =>
        await gate.run(async () => {
          entered.push(name);
          await new Promise<void>((resolve) => release.push(resolve));
        });
      const all = [enter('first'), enter('second')];
      release[0]?.();
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      all.push(enter('third'));
      await settle();
      assert.deepEqual(entered, ['first', 'second'], `third comes ${turns} microtasks after the first is done`);
      release[1]?.();
      await settle();
      assert.deepEqual(entered, ['first', 'second', 'third']);
      release[2]?.();
      await Promise.all(all);
    }
  });

  it('does not let who hangs hold up the others', async () => {
    const clock = new FakeClock();
    const gate = new Gate(clock, 2, seconds(1));
    let passed = 0;
    const hang = async (): Promise<void> => await new Promise(() => {});
    void gate.run(hang);
    void gate.run(hang);
    const other = gate.run(async () => void passed++);
    await clock.advance(1000);
    await other;
    assert.equal(passed, 1);
  });
});
