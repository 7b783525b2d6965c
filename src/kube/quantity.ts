import { bytes, nanocores, type Bytes, type Nanocores } from '../model/units.ts';

/** Powers of ten of the decimal suffixes of apimachinery `resource.Quantity`. */
const decimalExponents: ReadonlyMap<string, number> = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
]);

/** Powers of two of the binary suffixes. */
const binaryExponents: ReadonlyMap<string, number> = new Map([
  ['Ki', 10],
  ['Mi', 20],
  ['Gi', 30],
  ['Ti', 40],
  ['Pi', 50],
  ['Ei', 60],
]);

const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:([eE])([+-]?\d{1,9})|([numkMGTPE]|[KMGTPE]i)?)$/;
const nano = 1_000_000_000n;
/** apimachinery caps quantities at 2^63-1 units. */
const maxNanos = (2n ** 63n - 1n) * nano;
/** Longer texts hold no number that a quantity can tell apart. */
const maxLength = 128;

/**
 * Parses a Kubernetes quantity (`4`, `3920m`, `0.5`, `1e3`, `16Gi`) exactly, as apimachinery `resource.ParseQuantity` does:
 * the value in units of 1e-9, what is finer rounded away from zero, capped at 2^63-1 units. Undefined when the text is no quantity.
 */
export function parseQuantity(text: string): bigint | undefined {
  if (text.length > maxLength) return undefined;
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', , exponent, suffix = ''] = match;
  if (whole === '' && fraction === '') return undefined;
  const mantissa = BigInt(whole + fraction);
  const magnitude = scale(mantissa, exponent === undefined ? decimalExponents.get(suffix) : Number(exponent), {
    fractionDigits: fraction.length,
    shift: binaryExponents.get(suffix) ?? 0,
  });
  return sign === '-' ? -magnitude : magnitude;
}

/** A CPU quantity such as `status.capacity.cpu`; undefined when unreadable, negative or beyond 2^53 nanocores. */
export function parseCpu(text: string): Nanocores | undefined {
  const value = parseQuantity(text);
  if (value === undefined || value < 0n || value > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  return nanocores(Number(value));
}

/** A memory or storage quantity, rounded up to whole bytes; undefined when unreadable, negative or beyond 2^53 bytes. */
export function parseBytes(text: string): Bytes | undefined {
  const value = parseQuantity(text);
  if (value === undefined || value < 0n) return undefined;
  const whole = ceilDivide(value, nano);
  return whole > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : bytes(Number(whole));
}

/** `mantissa * 10^(exponent - fractionDigits) * 2^shift` in units of 1e-9, rounded up and capped. */
function scale(
  mantissa: bigint,
  exponent = 0,
  { fractionDigits, shift }: { fractionDigits: number; shift: number },
): bigint {
  if (mantissa === 0n) return 0n;
  const power = exponent - fractionDigits + 9;
  // Keeps 10^power small whatever exponent was written: 10^28 nano-units pass the cap, 10^-maxLength of any mantissa is below one.
  if (power > 28) return maxNanos;
  if (power < -2 * maxLength) return 1n;
  const shifted = mantissa << BigInt(shift);
  const value = power >= 0 ? shifted * 10n ** BigInt(power) : ceilDivide(shifted, 10n ** BigInt(-power));
  return value > maxNanos ? maxNanos : value;
}

function ceilDivide(value: bigint, divisor: bigint): bigint {
  return (value + divisor - 1n) / divisor;
}
