import { readFileSync } from 'node:fs';
import { knownHere, onlyStep, parseDockerfile } from '../../test/image/dockerfile.ts';

/** The command line that runs a program under this Node.js with the image's settings of Node.js, V8 and the C library; without options that this Node.js does not know. */
export function asInImage(program: string): readonly string[] {
  const stage = parseDockerfile(readFileSync(new URL('../Dockerfile', import.meta.url), 'utf8')).at(-1);
  if (stage === undefined) throw new Error('the Dockerfile has no stage');
  const variables = Object.entries(knownHere(onlyStep(stage, 'env').pairs));
  const settings = onlyStep(stage, 'entrypoint').command.slice(1, -1);
  return ['env', ...variables.map(([name, value]) => `${name}=${value}`), process.execPath, ...settings, program];
}
