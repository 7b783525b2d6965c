import type { Bytes, Nanocores } from '../model/units.ts';
import { wholeText } from '../model/whole-text.ts';

/** Powers of 1000 from 1e-9. */
const decimalSuffixes = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'] as const;
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const;

/**
 * CPU as a Kubernetes quantity in canonical DecimalSI (`resource.Quantity`): no fraction, the largest suffix that keeps the value whole:
 * 123456789 is `123456789n`, 2.5e9 is `2500m`, 1e12 is `1k`. Takes any whole number; a BigInt where doubles end.
 */
export function formatNanocores(value: Nanocores | bigint): string {
  return decimal(value, 0);
}

/** Memory as a quantity in canonical BinarySI: 1024 is `1Ki`, 1536 KiB `1536Ki`; below 1024 in decimal form, so 1000 is `1k`. */
export function formatBytes(value: Bytes | bigint): string {
  if (typeof value === 'bigint') {
    if (value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER)
      return formatBytes(Number(value) as Bytes);
    let rest = value;
    let suffix = 0;
    for (; rest % 1024n === 0n && suffix < 6; suffix++) rest /= 1024n;
    return `${rest}${binarySuffixes[suffix] ?? ''}`;
  }
  if (value > -1024 && value < 1024) return decimal(value, 3);
  let rest: number = value;
  let suffix = 0;
  for (; rest % 1024 === 0 && suffix < 6; suffix++) rest /= 1024;
  return wholeText(rest) + (binarySuffixes[suffix] ?? '');
}

/** `step` is the index of the suffix that stands for the unit of `value`. */
function decimal(value: number | bigint, step: number): string {
  if (typeof value === 'bigint') {
    if (value <= Number.MAX_SAFE_INTEGER && value >= Number.MIN_SAFE_INTEGER) return decimal(Number(value), step);
    let rest = value;
    let suffix = step;
    for (; rest % 1000n === 0n && suffix < decimalSuffixes.length - 1; suffix++) rest /= 1000n;
    return `${rest}${decimalSuffixes[suffix] ?? ''}`;
  }
  if (value === 0) return '0';
  let rest = value;
  let suffix = step;
  for (; rest % 1000 === 0 && suffix < decimalSuffixes.length - 1; suffix++) rest /= 1000;
  return wholeText(rest) + (decimalSuffixes[suffix] ?? '');
}

/** Sums of whole numbers, exact beyond 2^53: what a Table shows for a pod. */
export function exactSum<Unit extends number>(values: readonly Unit[]): Unit | bigint {
  let sum = 0;
  for (const value of values) sum += value;
  if (Number.isSafeInteger(sum)) return sum as Unit;
  return values.reduce((total, value) => total + BigInt(value), 0n);
}
