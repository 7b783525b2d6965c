import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Inventory } from '../../src/inventory/inventory.ts';
import { LabelSets } from '../../src/inventory/label-sets.ts';
import { podInfo } from '../../src/inventory/pods.ts';
import { SharedNames } from '../../src/inventory/shared-names.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Collects garbage, and lets what hangs on collected objects be cleaned up. */
async function heapUsed(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return process.memoryUsage().heapUsed;
}

describe('the memory of the inventory', () => {
  it('is back where it was after pods came and went', async () => {
    const inventory = new Inventory();
    const labelSets = new LabelSets();
    const namespaces = new SharedNames();
    const churn = (generation: number, count: number): void => {
      for (let i = 0; i < count; i++) {
        const name = `pod-${generation}-${i}`;
        const metadata = {
          namespace: `ns-${i % 50}`,
          name,
          uid: `uid-${name}`,
          labels: { app: 'x', 'pod-name': name },
        };
        const info = podInfo(JSON.parse(JSON.stringify({ metadata })), labelSets, namespaces);
        if (info !== undefined) inventory.podSink.upsert(info);
      }
      inventory.pods();
      inventory.podsWithLabel('ns-1', 'pod-name', 'x');
      inventory.podSink.replace([]);
    };
    churn(0, 1000);
    const before = await heapUsed();
    for (let generation = 1; generation <= 10; generation++) churn(generation, 1000);
    const grown = (await heapUsed()) - before;
    assert.equal(inventory.podCount, 0);
    // Ten thousand pods left behind would be about 8 MB.
    assert.ok(grown < 1_000_000, `${grown} bytes more`);
  });

  it('does not grow with names that come once', async () => {
    const names = new SharedNames();
    const share = (from: number, count: number): void => {
      for (let i = from; i < from + count; i++) names.share(`${i}-${'x'.repeat(100)}`);
    };
    share(0, 1000);
    const before = await heapUsed();
    share(1000, 200_000);
    const grown = (await heapUsed()) - before;
    assert.equal(names.share('last'), 'last');
    // All of them would be more than 20 MB.
    assert.ok(grown < 10_000_000, `${grown} bytes more`);
  });
});
