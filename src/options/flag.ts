/** How a flag's text becomes a value and back; the kinds are in `flag-values.ts`. */
export interface FlagKind<T> {
  /** Shown in the help text after the flag's name, as pflag does: `string`, `duration`, ...; empty for booleans. */
  readonly placeholder: string;
  /** What a flag without `=value` means. Kinds that have it never take the next argument as their value. */
  readonly bareText?: string;
  /**
   * @param earlier what the same command line gave before: lists grow, everything else is replaced.
   * @throws {Error} whose message says what is wrong with the text.
   */
  parse(text: string, earlier: T | undefined): T;
  /** The default as the help text shows it; empty when there is nothing worth saying. */
  print(value: T): string;
}

/** What giving the flag does, where it does not simply set an option. */
export type FlagEffect =
  /** Accepted for compatibility; giving it produces one warning. `reason` completes "has no effect because ...". */
  | { readonly kind: 'none'; readonly reason: string }
  /** Refused when given. `reason` is a sentence that says what to do instead. */
  | { readonly kind: 'refused'; readonly reason: string };

/** One command-line flag. Values are read back with the flag itself as the key, so they keep their type. */
export interface Flag<T> {
  /** Without dashes. */
  readonly name: string;
  /** One letter, without its dash. */
  readonly short?: string;
  readonly section: string;
  readonly kind: FlagKind<T>;
  readonly default: NoInfer<T>;
  /** Replaces the printed default where it is computed. */
  readonly defaultText?: string;
  readonly help: string;
  readonly effect?: FlagEffect;
}

/** `-l, --node-selector` or `--kubeconfig`: how messages name a flag. */
export function flagLabel(flag: Flag<unknown>): string {
  return flag.short === undefined ? `--${flag.name}` : `-${flag.short}, --${flag.name}`;
}
