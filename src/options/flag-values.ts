import { isIP } from 'node:net';
import { quote } from '../model/quote.ts';
import { bytes, type Bytes, type Nanoseconds } from '../model/units.ts';
import { formatDuration, parseDuration } from './duration.ts';
import type { FlagKind } from './flag.ts';

/** Go's `strconv.ParseBool`; bare means true. */
export const boolean: FlagKind<boolean> = {
  placeholder: '',
  bareText: 'true',
  parse(text) {
    if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
    if (['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text)) return false;
    throw new Error(`strconv.ParseBool: parsing ${quote(text)}: invalid syntax`);
  },
  print: (value) => (value ? 'true' : ''),
};

/** A string; empty means not set. */
export const string: FlagKind<string> = {
  placeholder: 'string',
  parse: (text) => text,
  print: (value) => (value === '' ? '' : quote(value)),
};

/** A list: comma-separated, repeated, or both; entries in double quotes may hold commas. The first use replaces the default. */
export const strings: FlagKind<readonly string[]> = {
  placeholder: 'strings',
  parse: (text, earlier = []) => [...earlier, ...readCommaList(text)],
  print: (value) => (value.length === 0 ? '' : `[${value.join(',')}]`),
};

/** A Go duration. */
export const duration: FlagKind<Nanoseconds> = {
  placeholder: 'duration',
  parse: (text) => parseDuration(text),
  print: (value) => (value === 0 ? '' : formatDuration(value)),
};

/** An IPv4 or IPv6 address. */
export const ip: FlagKind<string> = {
  placeholder: 'ip',
  parse(text) {
    const address = text.trim();
    if (address !== '' && isIP(address) === 0) throw new Error(`failed to parse IP: ${quote(address)}`);
    return address;
  },
  print: (value) => value,
};

/** A whole number in Go's notations (decimal, `0x`, `0o` or a leading 0, `0b`) between `least` and `greatest`. */
export function integer(
  least: number,
  greatest: number = Number.MAX_SAFE_INTEGER,
  placeholder = 'int',
): FlagKind<number> {
  return {
    placeholder,
    parse(text) {
      const quoted = quote(text);
      const [, sign = '', digits] = /^([-+]?)(0|[1-9]\d*|0[xX][\da-fA-F]+|0[oO]?[0-7]+|0[bB][01]+)$/.exec(text) ?? [];
      if (digits === undefined) throw new Error(`strconv.ParseInt: parsing ${quoted}: invalid syntax`);
      const size = Number(digits.replace(/^0(?=[0-7])/, '0o'));
      const value = sign === '-' && size !== 0 ? -size : size;
      if (!Number.isSafeInteger(value)) throw new Error(`strconv.ParseInt: parsing ${quoted}: value out of range`);
      if (value < least || value > greatest)
        throw new Error(
          greatest === Number.MAX_SAFE_INTEGER
            ? `must be at least ${least}`
            : `must be between ${least} and ${greatest}`,
        );
      return value;
    },
    print: (value) => (value === 0 ? '' : String(value)),
  };
}

/** A decimal number. */
export const float: FlagKind<number> = {
  placeholder: 'float',
  parse(text) {
    if (!/^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text))
      throw new Error(`strconv.ParseFloat: parsing ${quote(text)}: invalid syntax`);
    return Number(text);
  },
  print: (value) => (value === 0 ? '' : String(value)),
};

/** A decimal number between `least` and `greatest`. */
export function floatBetween(least: number, greatest: number): FlagKind<number> {
  return {
    ...float,
    parse(text) {
      const value = float.parse(text, undefined);
      if (value < least || value > greatest) throw new Error(`must be between ${least} and ${greatest}`);
      return value;
    },
  };
}

/** The `https` URL of a server: nothing but its host and port count. Empty means not set. */
export const httpsUrl: FlagKind<string> = {
  placeholder: 'url',
  parse(text) {
    if (text === '') return '';
    if (!URL.canParse(text) || new URL(text).protocol !== 'https:')
      throw new Error('must be an https URL such as https://127.0.0.1:10443');
    return new URL(text).origin;
  },
  print: (value) => value,
};

/** One of a closed set of words. */
export function choice<Word extends string>(words: readonly Word[]): FlagKind<Word> {
  return {
    placeholder: words.join('|'),
    parse(text) {
      const word = words.find((candidate) => candidate === text);
      if (word === undefined) throw new Error(`must be one of ${words.join(', ')}`);
      return word;
    },
    print: (value) => quote(value),
  };
}

const sizeUnits = { '': 1, k: 1e3, M: 1e6, G: 1e9, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 } as const;

/** A size in bytes: a whole number with an optional suffix of `k`, `M`, `G`, `Ki`, `Mi`, `Gi`, and an optional `B`. */
export const size: FlagKind<Bytes> = {
  placeholder: 'size',
  parse(text) {
    const [, digits = '', suffix = ''] = /^(\d+)(k|M|G|Ki|Mi|Gi|)B?$/.exec(text) ?? [];
    const value = digits === '' ? Number.NaN : Number(digits) * sizeUnits[suffix as keyof typeof sizeUnits];
    if (!Number.isSafeInteger(value)) throw new Error('must be a size in bytes such as 1000000, 512Ki or 32Mi');
    return bytes(value);
  },
  print(value) {
    const suffix = (['Gi', 'Mi', 'Ki'] as const).find((unit) => value % sizeUnits[unit] === 0) ?? '';
    return value === 0 ? '' : `${value / sizeUnits[suffix]}${suffix}`;
  },
};

/** One line of comma-separated values, read as Go's `encoding/csv` does. */
function readCommaList(text: string): string[] {
  if (text === '') return [];
  const fields: string[] = [];
  const field = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
  for (;;) {
    const [, quoted, plain = '', end] = field.exec(text) ?? [];
    if (end === undefined) throw new Error('parse error: bare or unclosed " in a list');
    fields.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === '') return fields;
  }
}
