import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { Clock } from '../../model/clock.ts';
import { bytes } from '../../model/units.ts';
import type { RootLogger } from '../../telemetry/logger.ts';
import type { Telemetry } from '../../telemetry/telemetry.ts';
import { collectAllGarbage, letNewSpaceGrow } from './garbage.ts';
import { mebibytes, MemoryGuard, type Droppable, type ProcessMemory } from './memory-guard.ts';
import { memoryLimit } from './memory-limit.ts';

export interface MemoryDependencies {
  /** In the order in which it is given up. */
  readonly droppable: readonly Droppable[];
  /** Gives up what large answers left for the next, when there was none for long. */
  readonly tidy: () => void;
  readonly clock: Clock;
  readonly log: RootLogger;
  readonly telemetry: Telemetry;
}

/**
 * The guard of this process' memory. How large the heap may grow is decided before the program runs: `--max-old-space-size` set later has no effect (measured on
 * Node 20, 22 and 24), so the image gives it a share of the memory limit on the command line of Node.js.
 */
export function createMemoryGuard({ droppable, tidy, clock, log: root, telemetry }: MemoryDependencies): MemoryGuard {
  const log = root.named('memory');
  const limits: ProcessMemory = {
    process: memoryLimit({ total: totalmem(), constrained: process.constrainedMemory(), readText: textOf }),
    heap: bytes(getHeapStatistics().heap_size_limit),
  };
  log.verbose(1, 'Memory limits', { limitMiB: mebibytes(limits.process), heapLimitMiB: mebibytes(limits.heap) });
  const guard = new MemoryGuard({
    limits,
    use: () => ({ process: bytes(process.memoryUsage.rss()), heap: bytes(getHeapStatistics().used_heap_size) }),
    collectGarbage: collectAllGarbage,
    outgrown: letNewSpaceGrow,
    droppable,
    tidy,
    onDrop: (what) => telemetry.memoryRelieved(what),
    clock,
    log,
  });
  telemetry.observe({ memory: () => ({ limits, pressure: guard.pressure }) });
  return guard;
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
