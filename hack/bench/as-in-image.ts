import { readFileSync } from 'node:fs';
import { parseDockerfile, type Variables } from '../../test/image/dockerfile.ts';

const dockerfile = readFileSync(new URL('../Dockerfile', import.meta.url), 'utf8');
const steps = parseDockerfile(dockerfile).at(-1)?.steps ?? [];

/** The command line that runs a program under this Node.js with the image's settings of Node.js, V8 and the C library; without options that this Node.js does not know. */
export function asInImage(program: string): readonly string[] {
  const entrypoint = steps.flatMap((step) => (step.kind === 'entrypoint' ? step.command : []));
  const variables = steps.reduce<Variables>((all, step) => (step.kind === 'env' ? { ...all, ...step.pairs } : all), {});
  const { NODE_OPTIONS = '' } = variables;
  const known = NODE_OPTIONS.split(' ').filter((option) =>
    process.allowedNodeEnvironmentFlags.has(option.replace(/=.*/, '')),
  );
  const settings = Object.entries({ ...variables, NODE_OPTIONS: known.join(' ') });
  return [
    'env',
    ...settings.map(([name, value]) => `${name}=${value}`),
    process.execPath,
    ...entrypoint.slice(1, -1),
    program,
  ];
}
