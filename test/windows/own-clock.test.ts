import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs, monotonicMs } from '../../src/model/units.ts';
import { begin, container, node, pod, sample, StoreTest } from './support.ts';

const millicore = 1e6;
const second = 1_000_000_000;

describe('statistics read at the moment of the request (over CRI)', () => {
  /** Three containers that have used `used` core-nanoseconds, asked for `at` and answered `took` seconds later. */
  const answer = async (test: StoreTest, at: number, used: number, took = 0): Promise<void> => {
    const text = { at: Math.floor(at + took / 2), used, rate: 90 * millicore };
    await test.answer(at + took, {
      pods: [pod('web', container('app', text)), pod('two', container('a', text), container('b', text))],
      requestedAt: monotonicMs(at * 1000),
      date: epochMs(begin + Math.floor(at + took) * 1000),
    });
  };

  it('takes its own clock', async () => {
    const test = new StoreTest();
    await answer(test, 10.2, second);
    await answer(test, 15.9, second + 570_000_000);
    assert.deepEqual(test.served, { cpu: 100 * millicore, window: 5.7, end: 15 });
  });

  it('measures from the middle of one request to the middle of the next', async () => {
    const test = new StoreTest();
    await answer(test, 10.2, second);
    await answer(test, 20.9, second + 1_070_000_000, 0.04);
    assert.deepEqual(test.served, { cpu: 99_813_432, window: 10.72, end: 20 });
  });

  it('takes no rate of the kubelet, which is of another stretch', async () => {
    const test = new StoreTest();
    await answer(test, 10.2, second);
    await answer(test, 20.2, second + 905_000_000);
    assert.equal(test.served?.cpu, 90_500_000);
  });

  it('reaches further back for what a slow request leaves open, but not beyond 40 s', async () => {
    const test = new StoreTest();
    await answer(test, 10.2, second);
    await answer(test, 25.2, 2 * second);
    await answer(test, 40.1, 4 * second, 0.2);
    assert.equal(test.served?.window, 30);
    await answer(test, 54.2, 5 * second, 2);
    assert.equal(test.served?.window, 30);
  });

  it('measures idle containers by its own clock as well', async () => {
    const test = new StoreTest();
    await answer(test, 10.2, second);
    await answer(test, 20.9, second);
    assert.deepEqual(test.served, { cpu: 0, window: 10.7, end: 20 });
  });

  it('does not take it for the node, which is sampled by itself', async () => {
    const test = new StoreTest();
    const text = { at: 10, used: second };
    const pods = [pod('web', container('a', text), container('b', text), container('c', text))];
    await test.answer(10, { node: sample(text), pods });
    const later = { at: 25, used: 2 * second, rate: 0 };
    await test.answer(25.4, {
      node: sample(later),
      pods: [pod('web', container('a', later), container('b', later), container('c', later))],
    });
    assert.equal(test.store.node(node.name)?.length, 15 * second);
  });

  it('does not take its own clock for stamps that are together by chance, but older than the request', async () => {
    const test = new StoreTest();
    const answer = async (at: number, text: { at: number; used: number; rate: number }): Promise<void> =>
      await test.answer(at, {
        pods: [pod('web', container('app', text)), pod('two', container('a', text), container('b', text))],
        date: epochMs(begin + Math.floor(at) * 1000),
      });
    await answer(10.2, { at: 8, used: second, rate: 0 });
    await answer(20.9, { at: 18, used: 2 * second, rate: 100 * millicore });
    assert.deepEqual(test.served, { cpu: 100 * millicore, window: 10, end: 18 });
  });
});
