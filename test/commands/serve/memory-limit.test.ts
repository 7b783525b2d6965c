import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memoryLimit } from '../../../src/commands/serve/memory-limit.ts';

const total = 8e9;
const unlimited = 2 ** 64;

function limit(files: Readonly<Record<string, string>>, constrained = unlimited): number {
  return memoryLimit({ total, constrained, readText: (path) => files[path] });
}

describe('memoryLimit', () => {
  it('is the memory of the machine where nothing else limits it', () => {
    assert.equal(limit({}), total);
    assert.equal(limit({}, 0), total);
    assert.equal(limit({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': 'max\n' }), total);
  });

  it('is what Node.js reads of our own cgroup', () => assert.equal(limit({}, 268435456), 268435456));

  it('is that of a cgroup around ours when it is smaller', () => {
    const nested = {
      '/proc/self/cgroup': '0::/kubetally.slice/kubetally.service\n',
      '/sys/fs/cgroup/kubetally.slice/kubetally.service/memory.max': '600000000\n',
      '/sys/fs/cgroup/kubetally.slice/memory.max': '500000000\n',
      '/sys/fs/cgroup/memory.max': 'max\n',
    };
    assert.equal(limit(nested, 600000000), 500000000);
  });

  it('is read where version 1 has the memory and version 2 is mounted besides', () =>
    assert.equal(limit({ '/proc/self/cgroup': '4:memory:/a\n0::/b\n' }, 300000000), 300000000));
});
