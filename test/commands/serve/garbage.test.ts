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
  const { status, stderr } = runScript('collectLessOften(); collectAllGarbage();');
  assert.deepEqual([status, stderr], [0, '']);
});

it('the space for new objects stays as it is while it is held, and grows once it is let', () => {
  const use = `
    const held = [];
    const sizeAfterUse = () => {
      for (let index = 0; index < 2e6; index++) held[index % 10_000] = { index };
      return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size / 2 ** 20;
    };
    collectAllGarbage();
    holdNewSpace();
    console.log(sizeAfterUse());
    letNewSpaceGrow();
    console.log(sizeAfterUse());`;
  const { stdout, stderr } = runScript(use, '--min-semi-space-size=1', '--max-semi-space-size=8');
  const [whenHeld = Number.NaN, whenLet = Number.NaN] = stdout.split('\n').map(Number);
  assert.ok(whenHeld <= 4 && whenLet >= 8, `${stdout}${stderr}`);
});

function runScript(script: string, ...options: string[]) {
  const module = new URL('../../../src/commands/serve/garbage.ts', import.meta.url).href;
  const imports = `import { collectAllGarbage, collectLessOften, holdNewSpace, letNewSpaceGrow } from '${module}'; import { getHeapSpaceStatistics } from 'node:v8';`;
  const args = [...options, '--import=tsx', '--input-type=module', '-e', imports + script];
  return spawnSync(process.execPath, args, { encoding: 'utf8' });
}
