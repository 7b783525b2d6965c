/** Units as branded numbers: a value of one unit cannot be passed where another is wanted. All are safe integers unless said otherwise. */
declare const unit: unique symbol;
type Unit<Name extends string> = number & { readonly [unit]: Name };

/** CPU rate: 1e-9 of a core. A 10,000-core node is 1e13, far below 2^53. */
export type Nanocores = Unit<'nanocores'>;
/** Memory or storage size in bytes. */
export type Bytes = Unit<'bytes'>;
/** Wall-clock instant: milliseconds since the Unix epoch, fractions allowed. */
export type EpochMs = Unit<'epoch-ms'>;
/** Reading of a clock that never jumps: milliseconds since an arbitrary zero, fractions allowed. */
export type MonotonicMs = Unit<'monotonic-ms'>;
/** Length of time in milliseconds, fractions allowed. */
export type Milliseconds = Unit<'milliseconds'>;
/** Length of time in nanoseconds (2^53 ns are 104 days; windows last minutes). */
export type Nanoseconds = Unit<'nanoseconds'>;

export const nanocores = (value: number): Nanocores => value as Nanocores;
export const bytes = (value: number): Bytes => value as Bytes;
export const epochMs = (value: number): EpochMs => value as EpochMs;
export const monotonicMs = (value: number): MonotonicMs => value as MonotonicMs;
export const milliseconds = (value: number): Milliseconds => value as Milliseconds;
export const nanoseconds = (value: number): Nanoseconds => value as Nanoseconds;
export const seconds = (value: number): Milliseconds => milliseconds(value * 1000);
