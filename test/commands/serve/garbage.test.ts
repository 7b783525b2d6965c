import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { it } from 'node:test';
import { getHeapStatistics } from 'node:v8';
import { runInThisContext } from 'node:vm';
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

it('collectAllGarbage leaves functions that do not run uncompiled, from Node 22 on', () => {
  const branches = Array.from({ length: 100 }, (_, index) => `if (given === ${index}) return [given, ${index}];`);
  const source = Array.from(
    { length: 1000 },
    (_, index) => `function (given) { ${branches.join('')} return ${index}; }`,
  );
  const functions = runInThisContext(`[${source.join()}]`) as ((given: number) => unknown)[];
  const use = (): number => getHeapStatistics().used_heap_size;
  collectAllGarbage();
  const before = use();
  for (const [index, each] of functions.entries()) assert.equal(each(-1), index);
  const compiled = use() - before;
  collectAllGarbage();
  const left = use() - before;
  assert.ok(compiled > 4e6);
  assert.equal(left < compiled / 4, !process.versions.node.startsWith('20.'), `${compiled} before, ${left} after`);
  assert.equal(functions[7]?.(-1), 7);
});

it('V8 knows what it is told of garbage', () => {
  const module = new URL('../../../src/commands/serve/garbage.ts', import.meta.url).href;
  const script = `import { collectAllGarbage, collectLessOften } from '${module}'; collectLessOften(); collectAllGarbage();`;
  const run = spawnSync(process.execPath, ['--import=tsx', '--input-type=module', '-e', script], { encoding: 'utf8' });
  assert.deepEqual([run.status, run.stderr], [0, '']);
});
