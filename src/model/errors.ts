/**
 * The root of kubetally's error tree. Every folder that can fail declares one subclass with a closed set of codes
 * (`ScrapeError`, `KubeError`, `OptionError`, `StatusError`, ...), so callers switch on `code` instead of reading texts.
 */
export abstract class KubetallyError<Code extends string = string> extends Error {
  /** Stable machine-readable reason; the closed set is the subclass's `Code`. */
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** Any thrown value as an `Error`, keeping an `Error` as it is. */
export function asError(thrown: unknown): Error {
  if (thrown instanceof Error) return thrown;
  try {
    return new Error(String(thrown));
  } catch {
    // An object without a prototype has no text.
    return new Error('unknown error');
  }
}

/** Node adds it to certificates that do not verify. Our authorities come from flags and kubeconfigs, and Node's own flags are nothing that an operator sets. */
const nodesAdvice = /; if the root CA is installed locally, try running Node\.js with --use-system-ca/;

/** The messages of an error and of its causes, outermost first, joined by `: `; a repeated text is said once. */
export function messageChain(thrown: unknown): string {
  const texts: string[] = [];
  for (let error: unknown = thrown, depth = 0; error !== undefined && depth < 8; depth++) {
    const { message: whole, cause } = asError(error);
    const message = whole.replace(nodesAdvice, '');
    if (message !== '' && !texts.some((text) => text.includes(message))) texts.push(message);
    error = cause;
  }
  return texts.join(': ') || 'unknown error';
}
