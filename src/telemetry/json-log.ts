import type { LogRecord, LogValue } from './log-record.ts';

/**
 * A line as Kubernetes components write it with `--logging-format=json`: `ts` in milliseconds since the epoch, `caller`, `msg`,
 * `v` on info lines only, `err`, then the fields. `level` marks warnings, which have neither.
 */
export function jsonLine(record: LogRecord): string {
  const line: Record<string, string | number | boolean> = Object.create(null) as Record<string, string>;
  line['ts'] = Math.round(record.time * 1000) / 1000;
  line['caller'] = record.caller;
  line['msg'] = record.message;
  if (record.severity === 'info') line['v'] = record.verbosity;
  if (record.severity === 'warning') line['level'] = 'warning';
  if (record.error !== undefined) line['err'] = record.error;
  for (const [name, value] of record.fields) line[name in line ? `${name}_` : name] = plain(value);
  return `${JSON.stringify(line)}\n`;
}

/** JSON has neither big integers nor infinities. */
function plain(value: LogValue): string | number | boolean {
  if (typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value))) return String(value);
  return value;
}
