import assert from 'node:assert/strict';
import { it } from 'node:test';
import { getHeapStatistics } from 'node:v8';
import { collectAllGarbage } from '../../../src/commands/serve/garbage.ts';
import { settle } from '../../support/fake-clock.ts';

it('collectAllGarbage frees what nothing refers to and gives its pages back', async () => {
  const held = Array.from({ length: 1_000_000 }, (_, index) => ({ index }));
  const before = getHeapStatistics();
  held.length = 0;
  await settle();
  collectAllGarbage();
  const after = getHeapStatistics();
  assert.ok(before.used_heap_size - after.used_heap_size > 20e6, `${before.used_heap_size} to ${after.used_heap_size}`);
  assert.ok(before.total_heap_size - after.total_heap_size > 20e6);
});
