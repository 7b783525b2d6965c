import { quote } from '../model/quote.ts';
import { milliseconds, nanoseconds, type Milliseconds, type Nanoseconds } from '../model/units.ts';
import { wholeText } from '../model/whole-text.ts';
import { OptionError } from './errors.ts';

const unitNanoseconds: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n, // U+00B5, the micro sign
  μs: 1_000n, // U+03BC, the Greek letter
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

/** Go's `time.Duration` is a signed 64-bit number of nanoseconds: 292 years. */
const greatest = 2n ** 63n - 1n;

/**
 * Reads a Go duration (`time.ParseDuration`): `1h2m3.5s`, `100ms`, `-1.5h`, `0`. The result is a whole number of nanoseconds,
 * exact up to 2^53 (104 days) and the nearest double beyond.
 * @throws {OptionError} `invalid-argument`, with Go's text.
 */
export function parseDuration(text: string): Nanoseconds {
  const quoted = quote(text);
  const unsigned = /^[-+]/.test(text) ? text.slice(1) : text;
  if (unsigned === '0') return nanoseconds(0);
  const invalid = (): OptionError => new OptionError('invalid-argument', `time: invalid duration ${quoted}`);
  if (unsigned === '') throw invalid();

  const term = /(\d*)(\.?)(\d*)([^\d.]*)/y;
  let total = 0n;
  while (term.lastIndex < unsigned.length) {
    const [matched = '', whole = '', , fraction = '', unit = ''] = term.exec(unsigned) ?? [];
    if (whole === '' && fraction === '') throw invalid();
    if (matched === '' || unit === '')
      throw new OptionError('invalid-argument', `time: missing unit in duration ${quoted}`);
    const scale = Object.hasOwn(unitNanoseconds, unit) ? unitNanoseconds[unit] : undefined;
    if (scale === undefined)
      throw new OptionError('invalid-argument', `time: unknown unit ${quote(unit)} in duration ${quoted}`);
    // Digits after the 18th cannot reach a nanosecond.
    const digits = fraction.slice(0, 18);
    if (whole.replace(/^0+/, '').length > 19) throw invalid();
    total += BigInt(whole || '0') * scale + (BigInt(digits || '0') * scale) / 10n ** BigInt(digits.length);
    if (total > greatest) throw invalid();
  }
  return nanoseconds(text.startsWith('-') && total !== 0n ? -Number(total) : Number(total));
}

/** Prints as Go's `Duration.String` does: `0s`, `1.1µs`, `15.012s`, `1m0s`, `24h0m0s`. `duration` is a whole number of nanoseconds. */
export function formatDuration(duration: Nanoseconds): string {
  if (duration === 0) return '0s';
  const sign = duration < 0 ? '-' : '';
  const size = Math.abs(duration);
  if (size < 1_000) return `${sign}${size}ns`;
  if (size < 1_000_000) return `${sign}${decimal(size, 1_000)}µs`;
  if (size < 1_000_000_000) return `${sign}${decimal(size, 1_000_000)}ms`;
  const wholeMinutes = Math.floor(size / 60_000_000_000);
  const seconds = `${decimal(size - wholeMinutes * 60_000_000_000, 1_000_000_000)}s`;
  if (wholeMinutes === 0) return sign + seconds;
  const hours = Math.floor(wholeMinutes / 60);
  const minutes = `${wholeMinutes - hours * 60}m${seconds}`;
  return sign + (hours === 0 ? minutes : `${hours}h${minutes}`);
}

/** A duration for timers, with the fraction kept. */
export function toMilliseconds(duration: Nanoseconds): Milliseconds {
  return milliseconds(duration / 1e6);
}

/** `size / scale` in decimal digits without trailing zeros; `scale` is a power of ten. */
function decimal(size: number, scale: number): string {
  const whole = Math.floor(size / scale);
  const rest = size - whole * scale;
  if (rest === 0) return wholeText(whole);
  const fraction = wholeText(rest + scale).slice(1);
  let end = fraction.length;
  while (fraction.charCodeAt(end - 1) === 0x30) end--;
  return `${wholeText(whole)}.${fraction.slice(0, end)}`;
}
