import { asError, KubetallyError, messageChain } from '../model/errors.ts';
import type { EpochMs } from '../model/units.ts';
import type { LogFields } from './log.ts';

/** One log line before it is text. Values are already safe: bounded, printable types, no secrets. */
export interface LogRecord {
  readonly severity: 'info' | 'warning' | 'error';
  readonly time: EpochMs;
  /** Which part of the program speaks; stands where Kubernetes components print `file:line`. */
  readonly caller: string;
  readonly message: string;
  /** The level it was written at; 0 for warnings and errors. */
  readonly verbosity: number;
  readonly error: string | undefined;
  readonly fields: readonly (readonly [name: string, value: LogValue])[];
}

export type LogValue = string | number | boolean | bigint;

/** Longer texts are cut: a kubelet's error page must not fill the log. */
const greatestTextLength = 4096;

const secretName = /(token|authorization|password|passwd|bearer|cookie|credentials?|(api|private)[-_]?key)$/i;
const secretText = [/\b(bearer|basic)\s+[\w.~+/=-]{8,}/gi, /\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*/g];

/** The fields that have a value, as values that any writer can print. Fields named like secrets lose their value. */
export function safeFields(fields: LogFields | undefined): [string, LogValue][] {
  if (fields === undefined) return [];
  return Object.entries(fields).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return [[name, secretName.test(name) ? '<redacted>' : safeValue(value)] as [string, LogValue]];
  });
}

/** An error's message and those of its causes; the stack of a programming error, too. Undefined for no error. */
export function safeError(error: unknown): string | undefined {
  if (error === undefined || error === null) return undefined;
  try {
    const chain = messageChain(error);
    const stack = isProgrammingError(error) ? asError(error).stack : undefined;
    return safeText(stack === undefined ? chain : `${chain}\n${stack}`);
  } catch {
    return 'an error that cannot be printed';
  }
}

/** Without bearer tokens and JSON web tokens, and of bounded length. */
export function safeText(text: string): string {
  const cut =
    text.length <= greatestTextLength
      ? text
      : `${text.slice(0, greatestTextLength)}... (${text.length - greatestTextLength} more)`;
  return secretText.reduce((result, pattern) => result.replace(pattern, '<redacted>'), cut);
}

// The type promises less than callers at run time can give: objects, functions, null.
function safeValue(value: unknown): LogValue {
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return value;
  if (typeof value === 'string') return safeText(value);
  try {
    return safeText(value instanceof Error ? messageChain(value) : (JSON.stringify(value) ?? typeof value));
  } catch {
    return `a ${typeof value} that cannot be printed`;
  }
}

/** Errors nobody foresaw: neither our own nor one of the system's, which have a code. */
function isProgrammingError(error: unknown): boolean {
  return error instanceof Error && !(error instanceof KubetallyError) && !('code' in error);
}
