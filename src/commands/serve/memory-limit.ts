import { posix } from 'node:path';
import { bytes, type Bytes } from '../../model/units.ts';

export interface MemoryLimitSources {
  /** Of the machine. */
  readonly total: number;
  /** What Node.js reads of our own cgroup, of version 1 or 2; 0 or more than the total when there is no limit. */
  readonly constrained: number;
  /** The text of a file; undefined when it cannot be read. */
  readonly readText: (path: string) => string | undefined;
}

const cgroupRoot = '/sys/fs/cgroup';

/** The memory that the process may use: the smallest limit of our cgroup, of those around it (version 2: `memory.max`) and of the machine. */
export function memoryLimit({ total, constrained, readText }: MemoryLimitSources): Bytes {
  let least = constrained > 0 ? Math.min(total, constrained) : total;
  // In a container our own cgroup is all that can be seen, and is named "/".
  const [, own = '/'] = /^0::(\/.*)$/m.exec(readText('/proc/self/cgroup') ?? '') ?? [];
  for (let path = own; ; path = posix.dirname(path)) {
    const text = readText(posix.join(cgroupRoot, path, 'memory.max'))?.trim() ?? '';
    if (/^\d+$/.test(text)) least = Math.min(least, Number(text));
    if (path === '/') return bytes(least);
  }
}
