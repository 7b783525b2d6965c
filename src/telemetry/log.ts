/** Named values of a log line. Objects of Kubernetes are named as `node=...` and `pod=namespace/name`. */
export type LogFields = Readonly<Record<string, string | number | boolean | bigint | undefined>>;

/** Structured logging as Kubernetes components do it: a constant message, values as fields, verbosity levels of `-v`. */
export interface Logger {
  /** Something failed that an operator should know; `error` may be undefined. */
  error(error: unknown, message: string, fields?: LogFields): void;
  warning(message: string, fields?: LogFields): void;
  /** Always written (verbosity 0). */
  info(message: string, fields?: LogFields): void;
  /** Written when `-v` is at least `level`: 1 per cycle, 2 per node, 4 debug, 6 trace. */
  verbose(level: number, message: string, fields?: LogFields): void;
  /** Whether `verbose(level, ...)` would write: guard for fields that cost something to gather. */
  enabled(level: number): boolean;
}

/** Discards everything. */
export const silentLogger: Logger = {
  error() {},
  warning() {},
  info() {},
  verbose() {},
  enabled: () => false,
};
