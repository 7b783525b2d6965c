import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, cpSync, mkdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onlyStep, parseDockerfile, type Stage, type Step, type Variables } from './dockerfile.ts';

const project = resolve(fileURLToPath(new URL('../..', import.meta.url)));
const dockerfile = join(project, 'hack', 'Dockerfile');

/** The file tree of an image and how a container of it is started. */
export interface Image {
  readonly root: string;
  readonly base: string;
  readonly labels: Variables;
  readonly env: Variables;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly port: number;
  readonly entrypoint: readonly string[];
}

/**
 * Does what `hack/Dockerfile` says, without a container engine, in an empty directory. Two things are not as in the image:
 * the base is this machine's Node.js with the libraries it is linked to, and `npm ci` takes the packages that are there.
 */
export function buildImage(directory: string, given: Variables): Image {
  const stages = parseDockerfile(readFileSync(dockerfile, 'utf8'), given);
  const final = stages.at(-1);
  if (final === undefined) throw new Error('no stage');
  const roots = new Map<string, string>([['', project]]);
  for (const stage of stages) {
    const root = join(directory, stage.name ?? 'image');
    mkdirSync(root, { recursive: true });
    if (stage === final) layBase(root, onlyStep(final, 'entrypoint').command[0] ?? '');
    runSteps(stage, root, roots);
    roots.set(stage.name ?? 'image', root);
  }
  return {
    root: join(directory, 'image'),
    base: final.base,
    labels: onlyStep(final, 'label').pairs,
    env: onlyStep(final, 'env').pairs,
    user: onlyStep(final, 'user'),
    port: onlyStep(final, 'expose').port,
    entrypoint: onlyStep(final, 'entrypoint').command,
  };
}

function runSteps(stage: Stage, root: string, roots: ReadonlyMap<string, string>): void {
  let workdir = '/';
  for (const step of stage.steps)
    if (step.kind === 'workdir') mkdirSync(join(root, (workdir = step.path)), { recursive: true });
    else if (step.kind === 'run') runCommand(step, join(root, workdir));
    else if (step.kind === 'copy')
      for (const source of step.sources) {
        if (step.from === undefined) checkContext(source);
        const from = join(roots.get(step.from ?? '') ?? '', source);
        copy(from, resolve('/', workdir, step.target), step.target.endsWith('/'), root);
      }
}

/** A directory's content, or a file, into a directory or under another name. */
function copy(from: string, target: string, intoDirectory: boolean, root: string): void {
  const isDirectory = statSync(from).isDirectory();
  const to = join(root, target, intoDirectory && !isDirectory ? basename(from) : '');
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true });
}

function runCommand({ command, variables }: Extract<Step, { kind: 'run' }>, cwd: string): void {
  if (command.startsWith('npm ci')) return symlinkSync(join(project, 'node_modules'), join(cwd, 'node_modules'));
  const env = { ...process.env, ...variables, npm_config_update_notifier: 'false' };
  const run = spawnSync('sh', ['-c', command], { cwd, env, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`${command}: ${run.stderr}`);
}

/** What the context does not hold cannot be copied from it. */
function checkContext(source: string): void {
  const [everything, ...held] = readFileSync(`${dockerfile}.dockerignore`, 'utf8').trim().split('\n');
  const path = source.replace(/^\.\//, '');
  if (everything !== '*' || !held.some((line) => `${path}/`.startsWith(`${line.replace(/^!/, '')}/`)))
    throw new Error(`the build context does not hold ${source}`);
}

/** What a distroless image has of use to a program: Node.js, its libraries, and directories that any or this user may write to. */
function layBase(root: string, node: string): void {
  for (const path of ['dev', 'proc', 'tmp', 'home/nonroot']) mkdirSync(join(root, path), { recursive: true });
  chmodSync(join(root, 'tmp'), 0o1777);
  if (process.getuid?.() === 0) chownSync(join(root, 'home/nonroot'), 65532, 65532);
  place(process.execPath, node, root);
  const { stdout } = spawnSync('ldd', [process.execPath], { encoding: 'utf8' });
  for (const [, library = ''] of stdout.matchAll(/(\/\S+) \(0x/g)) place(library, library, root);
}

function place(from: string, to: string, root: string): void {
  mkdirSync(join(root, dirname(to)), { recursive: true });
  copyFileSync(from, join(root, to));
}
