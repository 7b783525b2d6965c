import { messageChain } from '../../src/model/errors.ts';
import type { LogFields, Logger } from '../../src/telemetry/log.ts';

/** Keeps what is logged, one line each: `level message {fields}`. */
export class RecordingLogger implements Logger {
  readonly lines: string[] = [];

  error(error: unknown, message: string, fields?: LogFields): void {
    this.#write('error', message, { err: messageChain(error), ...fields });
  }

  warning(message: string, fields?: LogFields): void {
    this.#write('warning', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#write('info', message, fields);
  }

  verbose(level: number, message: string, fields?: LogFields): void {
    this.#write(`v${level}`, message, fields);
  }

  enabled(): boolean {
    return true;
  }

  #write(level: string, message: string, fields: LogFields = {}): void {
    this.lines.push(
      `${level} ${message} ${JSON.stringify(fields, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}`,
    );
  }
}
