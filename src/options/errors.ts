import { KubetallyError } from '../model/errors.ts';

export type OptionErrorCode =
  'unknown-flag' | 'missing-argument' | 'invalid-argument' | 'refused-flag' | 'invalid-options';

/** The command line cannot be used; `message` is one line per problem, worded as pflag and metrics-server word it. */
export class OptionError extends KubetallyError<OptionErrorCode> {}
