import { emptyHash, extendHash, type KnownStrings } from '../model/known-strings.ts';
import type { CoreTime } from '../model/sample.ts';
import type { KnownKeys } from './known-keys.ts';

/** A place in a JSON text that is not what the reader wants. */
export class JsonScanError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(`${message} at byte ${offset}`);
    this.name = 'JsonScanError';
    this.offset = offset;
  }
}

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const zero = 0x30;
const nine = 0x39;
/** 2^64-1, the largest unsigned counter, in the two halves of a CoreTime. */
const maxSeconds = 18_446_744_073;
const maxSecondsNanos = 709_551_615;

/** What a byte can be part of outside of strings. */
const space = 1;
const scalar = 2;
const opening = 4;
const closing = 8;
const separator = 16;
const inString = 32;
const classOf = new Uint8Array(256);
for (const byte of Buffer.from(' \n\r\t')) classOf[byte] = space;
for (const byte of Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz+-.E')) classOf[byte] = scalar;
classOf[openBrace] = classOf[openBracket] = opening;
classOf[closeBrace] = classOf[closeBracket] = closing;
classOf[comma] = classOf[colon] = separator;
classOf[quote] = inString;
/** 1 for bytes that neither begin nor end anything. */
const isFlat = classOf.map((kind) => (kind === space || kind === scalar || kind === separator ? 1 : 0));
/** 1 for bytes that a string holds as they are: printable ASCII but quote and backslash. */
const isPlain = new Uint8Array(256);
for (let byte = 0x20; byte < 0x7f; byte++) isPlain[byte] = 1;
isPlain[quote] = isPlain[backslash] = 0;

/** Returned by `key` for a key that is not known. */
export const unknownKey = Symbol('unknown key');

/**
 * Reads a JSON text (RFC 8259) from front to back without building objects: the caller walks the parts it knows and skips the rest.
 * Integers come out with all their digits, which `JSON.parse` loses above 2^53. Two thirds of a kubelet's summary are skipped
 * (PSI, page faults, indentation), so this costs less than `JSON.parse` and makes little garbage.
 */
export class JsonScanner {
  readonly #body: Buffer;
  readonly #strings: KnownStrings;
  #at = 0;
  #lastKey = '';

  constructor(body: Buffer, strings: KnownStrings) {
    this.#body = body;
    this.#strings = strings;
  }

  /** The known key whose value is being read; empty behind it, and in the value of one that is not known. */
  get lastKey(): string {
    return this.#lastKey;
  }

  /** Throws with the current position. */
  fail(message: string): never {
    throw new JsonScanError(this.#at >= this.#body.length ? 'the text ends early' : message, this.#at);
  }

  /** Steps into an object; false when the value is `null`. */
  enterObject(): boolean {
    return this.#enter(openBrace, 'expected an object');
  }

  /** Steps into an array; false when the value is `null`. */
  enterArray(): boolean {
    return this.#enter(openBracket, 'expected an array');
  }

  /**
   * The next key of the object just entered, with the position on its value: one of `known`, or `unknownKey`, or undefined at the end of the object.
   *
   * @param first true right after `enterObject`
   */
  key<Key extends string>(known: KnownKeys<Key>, first: boolean): Key | typeof unknownKey | undefined {
    if (!this.#member(first, closeBrace)) return undefined;
    if (this.#peek() !== quote) this.fail('expected a key');
    const start = this.#at;
    let key = known.expected(this.#body, start);
    if (key !== undefined) this.#at = start + key.length + 2;
    else {
      const end = this.#endOfString(start);
      key = known.find(this.#body, start, end);
      this.#at = end + 1;
    }
    if (this.#peek() !== colon) this.fail("expected ':'");
    this.#at++;
    if (key === undefined) return unknownKey;
    this.#lastKey = key;
    return key;
  }

  /** Whether another element follows in the array just entered, with the position on it. */
  element(first: boolean): boolean {
    return this.#member(first, closeBracket);
  }

  /** A string, or undefined for `null`. */
  string(): string | undefined {
    if (this.#peek() !== quote) return this.#nullOr('expected a string');
    const body = this.#body;
    const start = this.#at + 1;
    let at = start;
    let hash = emptyHash;
    for (let byte = body[at] ?? 0; isPlain[byte] === 1; byte = body[++at] ?? 0) hash = extendHash(hash, byte);
    if (body[at] === quote) {
      this.#at = at + 1;
      return this.#strings.get(body, start, at, hash);
    }
    return this.#passingString();
  }

  /** The same, of what will hardly come again: it takes no place among the known strings. */
  passingString(): string | undefined {
    return this.#peek() === quote ? this.#passingString() : this.#nullOr('expected a string');
  }

  #passingString(): string {
    const start = this.#at + 1;
    const end = this.#endOfString(this.#at);
    this.#at = end + 1;
    return this.#decode(start, end);
  }

  /**
   * What `read` makes of a string of `length` bytes; undefined, and nothing is taken, when it makes nothing of it or another value stands there.
   *
   * @param read gets where the string's inside begins; of one that is not plain ASCII, or has a quote or backslash, it must make nothing
   */
  stringInPlace<Value>(length: number, read: (body: Buffer, at: number) => Value | undefined): Value | undefined {
    if (this.#peek() !== quote) return undefined;
    const body = this.#body;
    const start = this.#at + 1;
    const value = body[start + length] === quote ? read(body, start) : undefined;
    if (value !== undefined) this.#at = start + length + 1;
    return value;
  }

  /** An unsigned integer; undefined for `null` and above 2^53-1. */
  integer(): number | undefined {
    const body = this.#body;
    this.#peek();
    let at = this.#at;
    let value = 0;
    for (let byte = body[at] ?? 0; byte >= zero && byte <= nine; byte = body[++at] ?? 0)
      value = value * 10 + byte - zero;
    if (!this.#isWhole(at)) return this.#nullOr('expected an unsigned integer');
    this.#at = at;
    // Digits beyond 2^53 may have been lost on the way, but not below it.
    return value > Number.MAX_SAFE_INTEGER ? undefined : value;
  }

  /** An unsigned 64-bit integer with all its digits, or undefined for `null`. */
  counter(): CoreTime | undefined {
    const body = this.#body;
    this.#peek();
    const start = this.#at;
    let end = start;
    for (let byte = body[end] ?? 0; byte >= zero && byte <= nine; byte = body[++end] ?? 0);
    if (end - start > 20 || !this.#isWhole(end)) return this.#nullOr('expected an unsigned integer');
    const split = Math.max(start, end - 9);
    const value = { seconds: this.#digits(start, split), nanos: this.#digits(split, end) };
    if (value.seconds > maxSeconds || (value.seconds === maxSeconds && value.nanos > maxSecondsNanos))
      this.fail('integer above 2^64-1');
    this.#at = end;
    return value;
  }

  /** Passes over a value of any kind. */
  skip(): void {
    const byte = this.#peek();
    const kind = classOf[byte];
    if (kind === inString) this.#at = this.#endOfString(this.#at) + 1;
    else if (kind === scalar) while (classOf[this.#body[this.#at] ?? 0] === scalar) this.#at++;
    else if (kind === opening) {
      this.#at++;
      this.leave();
    } else this.fail('expected a value');
  }

  /** Passes over what is left of the object or array that was entered last, its end included. */
  leave(): void {
    const body = this.#body;
    let at = this.#at;
    for (let depth = 1; depth > 0;) {
      while (isFlat[body[at] ?? 0] === 1) at++;
      const kind = classOf[body[at] ?? 0];
      if (kind === inString) at = this.#endOfString(at);
      else if (kind === opening) depth++;
      else if (kind === closing) depth--;
      else {
        this.#at = at;
        this.fail('expected a value');
      }
      at++;
    }
    this.#at = at;
  }

  /** Only white space may be left. */
  end(): void {
    this.#lastKey = '';
    this.#peek();
    if (this.#at < this.#body.length) this.fail('unexpected text after the end');
  }

  #enter(open: number, refusal: string): boolean {
    if (this.#peek() !== open) {
      this.#nullOr(refusal);
      return false;
    }
    this.#at++;
    return true;
  }

  #member(first: boolean, close: number): boolean {
    this.#lastKey = '';
    const byte = this.#peek();
    if (byte === close) {
      this.#at++;
      return false;
    }
    if (first) return true;
    if (byte !== comma) this.fail(`expected ',' or '${String.fromCharCode(close)}'`);
    this.#at++;
    return true;
  }

  /** Passes over `null`; anything else is refused. */
  #nullOr(refusal: string): undefined {
    if (this.#body.toString('latin1', this.#at, this.#at + 4) !== 'null') this.fail(refusal);
    this.#at += 4;
  }

  /** Whether the digits from the current position to `end` are a whole number as JSON writes it. */
  #isWhole(end: number): boolean {
    const start = this.#at;
    return end > start && (end === start + 1 || this.#body[start] !== zero) && classOf[this.#body[end] ?? 0] !== scalar;
  }

  /** The next byte that is not white space, not yet taken; 0 at the end. */
  #peek(): number {
    const body = this.#body;
    let at = this.#at;
    let byte = body[at] ?? 0;
    while (classOf[byte] === space) byte = body[++at] ?? 0;
    this.#at = at;
    return byte;
  }

  /** Where the string that opens at `open` closes. */
  #endOfString(open: number): number {
    const body = this.#body;
    let at = open + 1;
    for (;;) {
      while (isPlain[body[at] ?? 0] === 1) at++;
      const byte = body[at] ?? 0;
      if (byte === quote) return at;
      if (byte < 0x20) {
        this.#at = at;
        this.fail('control character in a string');
      }
      at += byte === backslash ? 2 : 1;
    }
  }

  #digits(start: number, end: number): number {
    let value = 0;
    for (let at = start; at < end; at++) value = value * 10 + (this.#body[at] ?? zero) - zero;
    return value;
  }

  /** Undoes the escapes and the UTF-8 of a string's inside. */
  #decode(start: number, end: number): string {
    try {
      return String(JSON.parse(`"${this.#body.toString('utf8', start, end)}"`));
    } catch {
      return this.fail('malformed string');
    }
  }
}
