import { existsSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** A directory that a command writes to. */
export interface WorkDirectory {
  readonly path: string;
  /** Removes it when it is a temporary one. */
  dispose(): Promise<void>;
}

/**
 * The directory of this name, made when it is missing, or a new temporary one when the name is empty.
 * @throws the system's error when it cannot be made
 */
export async function workDirectory(name: string): Promise<WorkDirectory> {
  if (name !== '') {
    const path = resolve(name);
    await makeDirectory(path);
    return { path, dispose: async () => {} };
  }
  const path = await mkdtemp(join(tmpdir(), 'kubetally-'));
  // For a process that exits without unwinding, as at a second signal.
  const removeOnExit = (): void => rmSync(path, { recursive: true, force: true });
  process.once('exit', removeOnExit);
  return {
    path,
    async dispose() {
      process.off('exit', removeOnExit);
      await rm(path, { recursive: true, force: true });
    },
  };
}

/** Makes a directory with all above it. Node's own way of that never ends below /proc, whose parents are there and yet take none. */
async function makeDirectory(path: string): Promise<void> {
  const parent = dirname(path);
  if (!existsSync(parent)) await makeDirectory(parent);
  // One that is there is as good; a file of that name is not.
  await mkdir(path, { recursive: existsSync(path) });
}
