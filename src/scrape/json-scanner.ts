import type { CoreTime } from '../model/sample.ts';

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
/** 2^64-1, the largest unsigned counter, in the two halves of a CoreTime. */
const maxSeconds = 18_446_744_073;
const maxSecondsNanos = 709_551_615;

/** What a byte can be part of, by its value. */
const space = 1;
const scalar = 2;
const special = 4;
const classOf = new Uint8Array(256);
for (const byte of Buffer.from(' \n\r\t')) classOf[byte] = space;
for (const byte of Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz+-.E')) classOf[byte] = scalar;
/** Bytes that end the plain run of a string: quote, backslash, control characters. */
const endsRun = new Uint8Array(256);
for (let byte = 0; byte < 0x20; byte++) endsRun[byte] = special;
endsRun[quote] = endsRun[backslash] = special;

/**
 * The keys a reader knows, found by their bytes: an unknown key costs no string. Known keys must differ in (length, first byte, last byte).
 */
export class KnownKeys<Key extends string> {
  readonly #slots: (Key | undefined)[] = [];

  constructor(keys: readonly Key[]) {
    for (const key of keys) {
      const slot = slotOf(key.length, key.charCodeAt(0), key.charCodeAt(key.length - 1));
      if (this.#slots[slot] !== undefined) throw new Error(`keys ${key} and ${this.#slots[slot]} cannot be told apart`);
      this.#slots[slot] = key;
    }
  }

  /** The known key that stands in `body` from `start` to `end`, or undefined. */
  find(body: Uint8Array, start: number, end: number): Key | undefined {
    if (end === start) return undefined;
    const key = this.#slots[slotOf(end - start, body[start] ?? 0, body[end - 1] ?? 0)];
    if (key === undefined) return undefined;
    for (let at = 0; at < key.length; at++) if (body[start + at] !== key.charCodeAt(at)) return undefined;
    return key;
  }
}

function slotOf(length: number, first: number, last: number): number {
  return length < 32 ? (length << 10) | ((first & 31) << 5) | (last & 31) : 0;
}

/** Returned by `key` for a key that is not known. */
export const unknownKey = Symbol('unknown key');

/**
 * Reads a JSON text (RFC 8259) from front to back without building objects: the caller walks the parts it knows and skips the rest.
 * Integers come out with all their digits, which `JSON.parse` loses above 2^53. Two thirds of a kubelet's summary are skipped
 * (PSI, page faults, indentation), so this costs less than `JSON.parse` and makes no garbage.
 */
export class JsonScanner {
  readonly #body: Buffer;
  #at = 0;
  #lastKey = '';

  constructor(body: Buffer) {
    this.#body = body;
  }

  /** The known key read last: the one whose value is being read. */
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
    const start = this.#at + 1;
    const end = this.#endOfString();
    if (this.#peek() !== colon) this.fail("expected ':'");
    this.#at++;
    const key = known.find(this.#body, start, end);
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
    if (this.#null()) return undefined;
    if (this.#peek() !== quote) this.fail('expected a string');
    const start = this.#at + 1;
    const end = this.#endOfString();
    const raw = this.#body.toString('latin1', start, end);
    return plainText.test(raw) ? raw : this.#decode(start, end);
  }

  /** An unsigned integer up to 2^53-1, or undefined for `null`. */
  integer(): number | undefined {
    const value = this.counter();
    if (value === undefined) return undefined;
    const sum = value.seconds * 1e9 + value.nanos;
    return sum <= Number.MAX_SAFE_INTEGER ? sum : this.fail('integer above 2^53-1');
  }

  /** An unsigned 64-bit integer with all its digits, or undefined for `null`. */
  counter(): CoreTime | undefined {
    if (this.#null()) return undefined;
    const body = this.#body;
    const start = this.#at;
    let end = start;
    for (let byte = body[end]; byte !== undefined && byte >= zero && byte <= zero + 9;) byte = body[++end];
    const digits = end - start;
    if (digits === 0 || digits > 20 || (digits > 1 && body[start] === zero) || classOf[body[end] ?? 0] === scalar)
      this.fail('expected an unsigned integer');
    const split = Math.max(start, end - 9);
    const value = { seconds: this.#digits(start, split), nanos: this.#digits(split, end) };
    if (value.seconds > maxSeconds || (value.seconds === maxSeconds && value.nanos > maxSecondsNanos))
      this.fail('integer above 2^64-1');
    this.#at = end;
    return value;
  }

  /** Passes over a value of any kind. */
  skip(): void {
    const body = this.#body;
    let depth = 0;
    do {
      const byte = this.#peek();
      if (byte === quote) this.#endOfString();
      else if (classOf[byte] === scalar) {
        let at = this.#at + 1;
        while (classOf[body[at] ?? 0] === scalar) at++;
        this.#at = at;
      } else {
        if (byte === openBrace || byte === openBracket) depth++;
        else if ((byte === closeBrace || byte === closeBracket) && depth > 0) depth--;
        else if (depth === 0 || (byte !== comma && byte !== colon)) this.fail('expected a value');
        this.#at++;
      }
    } while (depth > 0);
  }

  /** Only white space may be left. */
  end(): void {
    this.#peek();
    if (this.#at < this.#body.length) this.fail('unexpected text after the end');
  }

  #enter(open: number, refusal: string): boolean {
    if (this.#null()) return false;
    if (this.#peek() !== open) this.fail(refusal);
    this.#at++;
    return true;
  }

  #member(first: boolean, close: number): boolean {
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

  #null(): boolean {
    if (this.#peek() !== 0x6e || this.#body.toString('latin1', this.#at, this.#at + 4) !== 'null') return false;
    this.#at += 4;
    return true;
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

  /** From the opening quote to behind the closing one; returns the closing one's offset. */
  #endOfString(): number {
    const body = this.#body;
    let at = this.#at + 1;
    for (;;) {
      while (endsRun[body[at] ?? 0] === 0) at++;
      if (body[at] === quote) break;
      if (body[at] !== backslash) {
        this.#at = at;
        this.fail('control character in a string');
      }
      at += 2;
    }
    this.#at = at + 1;
    return at;
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

/** Printable ASCII without escapes. */
const plainText = /^[\x20-\x5b\x5d-\x7e]*$/;
