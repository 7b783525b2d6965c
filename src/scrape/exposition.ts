/** One sample line of the Prometheus text format. */
export interface ExpositionSample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  /** The value as it stands in the text: `1.253376e+07`, `NaN`, `+Inf`. */
  readonly value: string;
  /** Milliseconds since the epoch; undefined when the line has none. */
  readonly timestamp: number | undefined;
}

/** A line that is not in the Prometheus text format. */
export class ExpositionError extends Error {
  readonly line: number;

  constructor(message: string, line: number) {
    super(`line ${line}: ${message}`);
    this.name = 'ExpositionError';
    this.line = line;
  }
}

const metricName = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const labelName = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const number = /[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|Inf|inf|NaN|nan)/y;
const integer = /-?\d+/y;
const blanks = /[ \t]*/y;
const plainLabelValue = /[^"\\\n]*/y;

/**
 * Walks the samples of a page in the Prometheus text format 0.0.4. Comments (HELP, TYPE, EOF and others) are passed over. Every line of that format ends with a line feed:
 * what comes without was cut off, maybe within a number.
 *
 * @param wanted metrics with other names are checked no further than their name
 * @throws ExpositionError naming the line
 */
export function* expositionSamples(text: string, wanted: (name: string) => boolean): Generator<ExpositionSample> {
  let lineNumber = 0;
  for (let start = 0; start < text.length; lineNumber++) {
    const end = text.indexOf('\n', start);
    if (end < 0) throw new ExpositionError('the page ends within it', lineNumber + 1);
    const line = text.slice(start, text.charCodeAt(end - 1) === 0x0d ? end - 1 : end);
    start = end + 1;
    const sample = readLine(new LineReader(line, lineNumber + 1), wanted);
    if (sample !== undefined) yield sample;
  }
}

function readLine(line: LineReader, wanted: (name: string) => boolean): ExpositionSample | undefined {
  line.take(blanks);
  if (line.atEnd || line.peek() === '#') return undefined;
  const name = line.take(metricName) ?? line.fail('expected a metric name');
  if (!wanted(name)) return undefined;
  line.take(blanks);
  const labels = line.peek() === '{' ? readLabels(line) : noLabels;
  line.take(blanks);
  const value = line.take(number) ?? line.fail('expected a value');
  const gap = line.take(blanks);
  let timestamp: number | undefined;
  if (!line.atEnd) {
    const digits = gap === '' ? undefined : line.take(integer);
    timestamp = Number(digits ?? line.fail('expected a timestamp'));
    line.take(blanks);
    if (!line.atEnd) line.fail('unexpected text after the timestamp');
  }
  return { name, labels, value, timestamp };
}

const noLabels: ReadonlyMap<string, string> = new Map();

function readLabels(line: LineReader): Map<string, string> {
  const labels = new Map<string, string>();
  line.skip('{');
  for (;;) {
    line.take(blanks);
    if (line.peek() === '}') break;
    const name = line.take(labelName) ?? line.fail('expected a label name');
    line.take(blanks);
    line.skip('=');
    line.take(blanks);
    line.skip('"');
    labels.set(name, readLabelValue(line));
    line.take(blanks);
    if (line.peek() === ',') line.skip(',');
    else if (line.peek() !== '}') line.fail("expected ',' or '}'");
  }
  line.skip('}');
  return labels;
}

/** Up to and with the closing quote; `\\`, `\"` and `\n` are escapes, a backslash before anything else stands for itself. */
function readLabelValue(line: LineReader): string {
  let value = line.take(plainLabelValue) ?? '';
  while (line.peek() === '\\') {
    line.skip('\\');
    const escaped = line.peek();
    if (escaped === '') line.fail('label value without end');
    line.skip(escaped);
    value += escaped === 'n' ? '\n' : escaped === '\\' || escaped === '"' ? escaped : `\\${escaped}`;
    value += line.take(plainLabelValue) ?? '';
  }
  line.skip('"');
  return value;
}

class LineReader {
  readonly #text: string;
  readonly #number: number;
  #at = 0;

  constructor(text: string, number: number) {
    this.#text = text;
    this.#number = number;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** The next character, or the empty string at the end. */
  peek(): string {
    return this.#text.charAt(this.#at);
  }

  /** What the sticky `pattern` matches here, taken; undefined when it does not match. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0];
    if (match !== undefined) this.#at += match.length;
    return match;
  }

  skip(character: string): void {
    if (this.peek() !== character || character === '') this.fail(`expected '${character}'`);
    this.#at += character.length;
  }

  fail(message: string): never {
    throw new ExpositionError(message, this.#number);
  }
}
