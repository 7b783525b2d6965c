/** One instruction of a Dockerfile, with the variables that stages declare by `ARG` filled in. */
export type Step =
  | { readonly kind: 'workdir'; readonly path: string }
  | { readonly kind: 'copy'; readonly from?: string; readonly sources: readonly string[]; readonly target: string }
  /** `variables` are those declared above it. */
  | { readonly kind: 'run'; readonly command: string; readonly variables: Variables }
  | { readonly kind: 'label'; readonly pairs: Variables }
  | { readonly kind: 'env'; readonly pairs: Variables }
  | { readonly kind: 'user'; readonly uid: number; readonly gid: number }
  | { readonly kind: 'expose'; readonly port: number }
  | { readonly kind: 'entrypoint'; readonly command: readonly string[] };

export type Variables = Readonly<Record<string, string>>;

export interface Stage {
  readonly base: string;
  readonly name: string | undefined;
  readonly steps: readonly Step[];
}

/**
 * The stages of a Dockerfile (Docker documentation, "Dockerfile reference"), as far as ours uses the language. Any other
 * instruction or form is an error, so that nothing is silently left out.
 * @param given build arguments, as `--build-arg` gives them
 */
export function parseDockerfile(text: string, given: Variables = {}): Stage[] {
  const stages: { base: string; name: string | undefined; steps: Step[] }[] = [];
  let variables: Record<string, string> = {};
  for (const line of logicalLines(text)) {
    const [, instruction = '', argument = ''] = /^([A-Z]+) +(.+)$/.exec(line) ?? unreadable(line);
    if (instruction === 'FROM') {
      const [, base = '', name] = /^(?:--platform=\S+ )?(\S+)(?: AS (\S+))?$/.exec(argument) ?? unreadable(line);
      stages.push({ base, name, steps: [] });
      variables = {};
    } else if (instruction === 'ARG') {
      const [, name = '', value = ''] = /^(\w+)=(\S*)$/.exec(argument) ?? unreadable(line);
      variables[name] = given[name] ?? value;
    } else (stages.at(-1) ?? unreadable(line)).steps.push(readStep(instruction, argument, { ...variables }));
  }
  return stages;
}

function logicalLines(text: string): string[] {
  const lines = text.split('\n').filter((line) => !line.startsWith('#') && line.trim() !== '');
  return lines
    .join('\n')
    .replaceAll(/ *\\\n */g, ' ')
    .split('\n');
}

function readStep(instruction: string, argument: string, variables: Variables): Step {
  const fill = (value: string): string =>
    value.replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => variables[name] ?? unreadable(whole));
  switch (instruction) {
    case 'WORKDIR':
      return { kind: 'workdir', path: argument };
    case 'COPY': {
      const [, from, paths = ''] = /^(?:--from=(\S+) )?([^-].*)$/.exec(argument) ?? unreadable(argument);
      const words = paths.split(' ');
      const sources = words.slice(0, -1);
      return { kind: 'copy', ...(from === undefined ? {} : { from }), sources, target: words.at(-1) ?? '' };
    }
    case 'RUN':
      return { kind: 'run', command: argument, variables };
    case 'LABEL':
    case 'ENV':
      return { kind: instruction === 'ENV' ? 'env' : 'label', pairs: readPairs(fill(argument)) };
    case 'USER': {
      const [, uid, gid] = /^(\d+):(\d+)$/.exec(argument) ?? unreadable(argument);
      return { kind: 'user', uid: Number(uid), gid: Number(gid) };
    }
    case 'EXPOSE':
      return { kind: 'expose', port: Number(argument) };
    case 'ENTRYPOINT':
      return { kind: 'entrypoint', command: JSON.parse(argument) as string[] };
    default:
      return unreadable(instruction);
  }
}

function readPairs(text: string): Variables {
  const pairs = [...text.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S+))/g)];
  return Object.fromEntries(pairs.map(([, name, quoted, plain]) => [name, quoted ?? plain ?? '']));
}

function unreadable(text: string): never {
  throw new Error(`the test cannot read this of the Dockerfile: ${text}`);
}

/** Variables without options that this machine's Node.js does not know: in place of the image's it may be older. */
export function knownHere({ NODE_OPTIONS = '', ...others }: Variables): Variables {
  const options = NODE_OPTIONS.split(' ').filter((option) =>
    process.allowedNodeEnvironmentFlags.has(option.replace(/=.*/, '')),
  );
  return { ...others, NODE_OPTIONS: options.join(' ') };
}

/** The only step of a kind; one that is missing or there twice is an error. */
export function onlyStep<Kind extends Step['kind']>(stage: Stage, kind: Kind): Extract<Step, { kind: Kind }> {
  const [step, ...more] = stage.steps.filter((step) => step.kind === kind);
  if (step === undefined || more.length > 0) throw new Error(`${1 + more.length} steps ${kind} in ${stage.base}`);
  return step as Extract<Step, { kind: Kind }>;
}
