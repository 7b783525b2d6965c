/** Named values of a log line. Objects of Kubernetes are named as `node=...` and `pod=namespace/name`. */
export type LogFields = Readonly<Record<string, string | number | boolean | bigint | undefined>>;

/** Structured logging as Kubernetes components do it: a constant message, values as fields, verbosity levels of `-v`. */
export interface Logger {
  /** Something failed that an operator should know; `error` may be undefined. */
  error(error: unknown, message: string, fields?: LogFields): void;
  warning(message: string, fields?: LogFields): void;
  /** Always written (verbosity 0). */
  info(message: string, fields?: LogFields): void;
  /** Written when `-v` is at least `level`: 1 rare events, 2 each list, scrape and refused request, 3 each request, 4 debugging. */
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
