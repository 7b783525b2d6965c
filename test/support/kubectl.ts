import { execFile, spawnSync } from 'node:child_process';

/** Why tests with kubectl cannot run here, or false when they can: the value of `skip`. */
export const withoutKubectl: string | false =
  spawnSync('kubectl', ['version', '--client'], { stdio: 'ignore' }).status === 0 ? false : 'kubectl is not installed';

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs kubectl with a kubeconfig and a cache of its own. Never rejects for an exit code. */
export async function kubectl(
  kubeconfig: string,
  cacheDir: string,
  ...args: readonly string[]
): Promise<CommandResult> {
  return await new Promise((resolve) => {
    const all = ['--kubeconfig', kubeconfig, '--cache-dir', cacheDir, '--request-timeout', '20s', ...args];
    execFile('kubectl', all, { timeout: 30_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, stdout, stderr });
    });
  });
}
