import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Image } from './build.ts';
import { knownHere } from './dockerfile.ts';

/** Why containers cannot be made here, or false when they can: the value of `skip`. Where CI is root they must be. */
export function withoutContainers(): string | false {
  if (process.getuid?.() !== 0) return 'only root can mount a read-only root';
  if (process.env['CI'] !== undefined) return false;
  const { status } = spawnSync('unshare', ['--mount', '--pid', '--fork', 'true']);
  return status === 0 ? false : 'this system allows no mount namespaces';
}

/** Arguments: root, `ro` or `rw`, user and group, then the command. The mounts end with the namespace. */
const enter = `
set -eu
root=$1 mode=$2 user=$3
shift 3
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
for device in null urandom; do mount --bind "/dev/$device" "$root/dev/$device"; done
mount -o "remount,bind,$mode" "$root"
exec setpriv --no-new-privs chroot --userspec="$user" --groups= "$root" "$@"
`;

export interface ContainerOptions {
  readonly entrypoint?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** As in a pod's `securityContext`; true unless told otherwise. */
  readonly readOnlyRootFilesystem?: boolean;
}

/**
 * A process in an image's file tree as Kubernetes starts it under Pod Security "restricted": first of its own process
 * namespace, without privileges or a way to gain any, on a read-only root. It has the machine's network. Ends with the test.
 */
export class Container {
  readonly #unshare: ChildProcess;
  readonly exit: Promise<number>;
  #output = '';

  constructor(context: Pick<TestContext, 'after'>, image: Image, options: ContainerOptions = {}) {
    const { entrypoint = image.entrypoint, args = [], env = {}, readOnlyRootFilesystem = true } = options;
    for (const device of ['null', 'urandom']) writeFileSync(join(image.root, 'dev', device), '');
    const { uid, gid } = image.user;
    const mode = readOnlyRootFilesystem ? 'ro' : 'rw';
    const command = [image.root, mode, `${uid}:${gid}`, ...entrypoint, ...args];
    const namespaces = ['--mount', '--pid', '--fork', '--kill-child'];
    this.#unshare = spawn('unshare', [...namespaces, 'sh', '-c', enter, 'sh', ...command], {
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/home/nonroot', ...knownHere(image.env), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#unshare.stdout, this.#unshare.stderr])
      stream?.on('data', (chunk: Buffer) => (this.#output += chunk.toString()));
    this.exit = new Promise((resolve) => {
      this.#unshare.once('error', () => resolve(127));
      this.#unshare.once('close', (code) => resolve(code ?? 1));
    });
    context.after(async () => {
      this.#unshare.kill('SIGKILL');
      await this.exit;
    });
  }

  /** What it has written to standard output and standard error. */
  get output(): string {
    return this.#output;
  }

  /** Its process, as this side sees it. */
  get pid(): number {
    const { pid } = this.#unshare;
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
  }
}

/** Puts files into an image's tree as a mounted volume would, readable by all. */
export function mountFiles(image: Image, path: string, files: Readonly<Record<string, string | Buffer>>): void {
  const directory = join(image.root, path);
  mkdirSync(directory, { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
}
