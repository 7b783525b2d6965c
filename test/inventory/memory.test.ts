import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Inventory } from '../../src/inventory/inventory.ts';
import { LabelSets } from '../../src/inventory/label-sets.ts';
import { podInfo } from '../../src/inventory/pods.ts';
import { KnownStrings } from '../../src/model/known-strings.ts';
import { heapUsed } from '../support/heap.ts';

describe('the memory of the inventory', () => {
  it('is back where it was after pods came and went', async () => {
    const inventory = new Inventory();
    const labelSets = new LabelSets();
    const strings = new KnownStrings();
    const churn = (generation: number, count: number): void => {
      for (let i = 0; i < count; i++) {
        const name = `pod-${generation}-${i}`;
        const metadata = {
          namespace: `ns-${i % 50}`,
          name,
          uid: `uid-${name}`,
          labels: { app: 'x', 'pod-name': name },
        };
        const info = podInfo(JSON.parse(JSON.stringify({ metadata })), labelSets, strings);
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
    // Ten thousand pods left behind would be about 8 MB; of some the names are still known.
    assert.ok(grown < 1_000_000, `${grown} bytes more`);
  });
});
