import type { Clock } from '../model/clock.ts';
import { jsonLine } from './json-log.ts';
import { klogLine } from './klog-text.ts';
import { safeError, safeFields, safeText, type LogRecord } from './log-record.ts';
import type { LogFields, Logger } from './log.ts';

export interface LoggerSettings {
  readonly format: 'text' | 'json';
  /** Of `-v`: what `verbose` writes. */
  readonly verbosity: number;
  /** Takes one finished line; must not throw. */
  readonly write: (line: string) => void;
  readonly clock: Pick<Clock, 'now'>;
  readonly pid: number;
}

/** A logger that can be handed out under the name of a part of the program. */
export interface RootLogger extends Logger {
  /** The same log, with `caller` as the origin of its lines. */
  named(caller: string): RootLogger;
}

/** The log of the program. Nothing is gathered or formatted for lines that are not written. */
export function createLogger(settings: LoggerSettings, caller = 'kubetally'): RootLogger {
  const { format, verbosity, write, clock, pid } = settings;
  const emit = (
    severity: LogRecord['severity'],
    level: number,
    message: string,
    fields?: LogFields,
    error?: unknown,
  ): void => {
    const record: LogRecord = {
      severity,
      time: clock.now(),
      caller,
      message: safeText(message),
      verbosity: level,
      error: safeError(error),
      fields: safeFields(fields),
    };
    write(format === 'json' ? jsonLine(record) : klogLine(record, pid));
  };
  return {
    error: (error, message, fields) => emit('error', 0, message, fields, error),
    warning: (message, fields) => emit('warning', 0, message, fields),
    info: (message, fields) => emit('info', 0, message, fields),
    verbose(level, message, fields) {
      if (level <= verbosity) emit('info', level, message, fields);
    },
    enabled: (level) => level <= verbosity,
    named: (part) => createLogger(settings, part),
  };
}
