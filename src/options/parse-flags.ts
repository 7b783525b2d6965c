import { asError } from '../model/errors.ts';
import { quote } from '../model/quote.ts';
import { OptionError } from './errors.ts';
import { flagLabel, type Flag } from './flag.ts';

/** A command line taken apart. */
export class ParsedFlags {
  readonly #values: ReadonlyMap<Flag<unknown>, unknown>;
  /** What is neither a flag nor a flag's value, in order; everything after `--` is here. */
  readonly arguments: readonly string[];
  /** One line for each flag that was given and does nothing. */
  readonly warnings: readonly string[];

  constructor(values: ReadonlyMap<Flag<unknown>, unknown>, positional: readonly string[]) {
    this.#values = values;
    this.arguments = positional;
    this.warnings = [...values.keys()].flatMap(({ name, effect }) =>
      effect?.kind === 'none' ? [`--${name} has no effect because ${effect.reason}`] : [],
    );
  }

  /** The value given for the flag, or its default. */
  value<T>(flag: Flag<T>): T {
    return this.#values.has(flag) ? (this.#values.get(flag) as T) : flag.default;
  }

  /** Whether the command line has the flag. */
  given(flag: Flag<unknown>): boolean {
    return this.#values.has(flag);
  }
}

/**
 * Reads a command line as Go's pflag does: `--name=value`, `--name value`, `--switch`, `--switch=false`, `-v=4`, `-v 4`, `-v4`,
 * `-abc` for switches, flags after arguments, `--` to end them. `_` in a name counts as `-`, as in Kubernetes' own programs.
 * @param table the flags there are; names and short names are unique.
 * @throws {OptionError} with pflag's text for what cannot be read; for several things, `invalid-options` with a line for each, in the order given.
 */
export function parseFlags(table: readonly Flag<unknown>[], args: readonly string[]): ParsedFlags {
  const byName = new Map(table.map((flag) => [flag.name, flag]));
  const byShort = new Map(table.map((flag) => [flag.short, flag]));
  const values = new Map<Flag<unknown>, unknown>();
  const positional: string[] = [];
  const problems: OptionError[] = [];
  let next = 0;

  const set = (flag: Flag<unknown>, text: string): void => {
    if (flag.effect?.kind === 'refused')
      throw new OptionError('refused-flag', `--${flag.name} is not supported: ${flag.effect.reason}`);
    try {
      values.set(flag, flag.kind.parse(text, values.get(flag)));
    } catch (error) {
      const message = `invalid argument ${quote(text)} for "${flagLabel(flag)}" flag: ${asError(error).message}`;
      throw new OptionError('invalid-argument', message, { cause: error });
    }
  };
  const following = (missing: string): string => {
    const text = args[next++];
    if (text === undefined) throw new OptionError('missing-argument', `flag needs an argument: ${missing}`);
    return text;
  };

  const readLong = (argument: string): void => {
    const [, name = '', text] = /^--([^=]*)(?:=(.*))?$/s.exec(argument) ?? [];
    if (name === '' || name.startsWith('-')) throw new OptionError('unknown-flag', `bad flag syntax: ${argument}`);
    const flag = byName.get(name.replaceAll('_', '-'));
    if (flag === undefined) throw new OptionError('unknown-flag', `unknown flag: --${name}`);
    set(flag, text ?? flag.kind.bareText ?? following(argument));
  };

  const readShort = (argument: string): void => {
    for (let at = 1; at < argument.length; at++) {
      const letter = argument.charAt(at);
      const flag = byShort.get(letter);
      if (flag === undefined)
        throw new OptionError('unknown-flag', `unknown shorthand flag: '${letter}' in ${argument}`);
      const rest = argument.slice(at + 1);
      if (rest.startsWith('=')) return set(flag, rest.slice(1));
      if (flag.kind.bareText === undefined) return set(flag, rest || following(`'${letter}' in ${argument}`));
      set(flag, flag.kind.bareText);
    }
  };

  while (next < args.length) {
    const argument = args[next++] ?? '';
    if (argument === '--') {
      positional.push(...args.slice(next));
      break;
    }
    try {
      if (argument.startsWith('--')) readLong(argument);
      else if (argument.startsWith('-') && argument !== '-') readShort(argument);
      else positional.push(argument);
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
      problems.push(error);
    }
  }
  throwAll(problems);
  return new ParsedFlags(values, positional);
}

/** One problem as it is; of several the texts, each said once. */
function throwAll(problems: readonly OptionError[]): void {
  const [first, ...others] = problems;
  if (first === undefined) return;
  if (others.length === 0) throw first;
  throw new OptionError('invalid-options', [...new Set(problems.map(({ message }) => message))].join('\n'));
}
