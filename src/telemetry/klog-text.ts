import { quote } from '../model/quote.ts';
import type { LogRecord, LogValue } from './log-record.ts';

const letters = { info: 'I', warning: 'W', error: 'E' } as const;

/**
 * A line as Kubernetes' klog writes structured entries, times in UTC:
 * `I1122 05:34:56.789012       1 scrape] "Scrape finished" nodeCount=3`. Line breaks inside values are escaped.
 */
export function klogLine(record: LogRecord, pid: number): string {
  const time = new Date(record.time);
  const [two, micros] = [(value: number): string => String(value).padStart(2, '0'), Math.floor(record.time * 1000)];
  const header =
    `${letters[record.severity]}${two(time.getUTCMonth() + 1)}${two(time.getUTCDate())} ` +
    `${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())}.${String(micros % 1_000_000).padStart(6, '0')} ` +
    `${String(pid).padStart(7)} ${record.caller}] `;
  let line = header + quote(record.message);
  if (record.error !== undefined) line += ` err=${quote(record.error)}`;
  for (const [name, value] of record.fields) line += ` ${name}=${printed(value)}`;
  return `${line}\n`;
}

function printed(value: LogValue): string {
  return typeof value === 'string' ? quote(value) : String(value);
}
