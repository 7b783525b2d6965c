import { quote } from '../../model/quote.ts';
import { SelectorError } from './errors.ts';
import { tokenize, type Token, type TokenKind } from './label-lexer.ts';
import { labelKeyProblems, labelValueProblems } from './label-names.ts';

export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

/** One condition of a label selector; all of them must hold. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  /** Sorted, without repeats. */
  readonly values: readonly string[];
}

/** A parsed label selector; no requirements match everything. */
export interface LabelSelector {
  readonly requirements: readonly LabelRequirement[];
}

export type Labels = Readonly<Record<string, string>>;

/**
 * Reads the grammar of `labelSelector=` (k8s.io/apimachinery `labels.Parse`). The requirements come sorted by key.
 * @throws {SelectorError} `invalid-label-selector`, worded as an API server does.
 */
export function parseLabelSelector(selector: string): LabelSelector {
  return { requirements: new Parser(tokenize(selector)).parse().sort((a, b) => compare(a.key, b.key)) };
}

/** Whether an object's labels meet every requirement. `!=` and `notin` match labels without the key, `>` and `<` do not. */
export function matchesLabels(selector: LabelSelector, labels: Labels): boolean {
  return selector.requirements.every((requirement) => meets(requirement, labels));
}

function meets({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  if (operator === 'exists' || operator === '!') return (value !== undefined) === (operator === 'exists');
  if (operator === '!=' || operator === 'notin') return value === undefined || !values.includes(value);
  if (value === undefined) return false;
  if (operator !== 'gt' && operator !== 'lt') return values.includes(value);
  const [have, bound] = [int64(value), int64(values[0] ?? '')];
  if (have === undefined || bound === undefined) return false;
  return operator === 'gt' ? have > bound : have < bound;
}

/** A decimal number as Go's `strconv.ParseInt(text, 10, 64)` takes it. */
function int64(text: string): bigint | undefined {
  if (!/^[-+]?\d+$/.test(text) || text.length > 64) return undefined;
  const value = BigInt(text.replace(/^\+/, ''));
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

const binaryOperators: ReadonlyMap<TokenKind, LabelOperator> = new Map([
  ['in', 'in'],
  ['notin', 'notin'],
  ['=', '='],
  ['==', '=='],
  ['!=', '!='],
  ['>', 'gt'],
  ['<', 'lt'],
]);
/** As named when none is found. */
const binaryOperatorNames = [...binaryOperators.values()].join(', ');

class Parser {
  readonly #tokens: readonly Token[];
  #position = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const first = this.#peek();
      if (first.kind === 'end') return requirements;
      if (first.kind !== 'identifier' && first.kind !== '!')
        throw invalid(`found '${first.text}', expected: !, identifier, or 'end of string'`);
      requirements.push(this.#requirement());
      const separator = this.#take();
      if (separator.kind === 'end') return requirements;
      if (separator.kind !== ',') throw invalid(`found '${separator.text}', expected: ',' or 'end of string'`);
      const next = this.#peek();
      if (next.kind !== 'identifier' && next.kind !== '!')
        throw invalid(`found '${next.text}', expected: identifier after ','`);
    }
  }

  #requirement(): LabelRequirement {
    const negated = this.#peek().kind === '!';
    if (negated) this.#take();
    const { kind, text: key } = this.#take();
    if (kind !== 'identifier') throw badRequirement(`found '${key}', expected: identifier`);
    const problems = labelKeyProblems(key);
    if (problems.length > 0) throw badRequirement(`<nil>: Invalid value: ${quote(key)}: ${problems.join('; ')}`);
    if (negated) return { key, operator: '!', values: [] };
    const after = this.#peek().kind;
    if (after === 'end' || after === ',') return { key, operator: 'exists', values: [] };

    const operator = this.#operator();
    const values = operator === 'in' || operator === 'notin' ? this.#set() : [this.#exactValue()];
    checkValues(key, operator, values);
    return { key, operator, values };
  }

  #operator(): LabelOperator {
    const { kind, text } = this.#take('operator');
    const operator = binaryOperators.get(kind);
    if (operator === undefined) throw badRequirement(`found '${text}', expected: ${binaryOperatorNames}`);
    return operator;
  }

  #exactValue(): string {
    const next = this.#peek().kind;
    if (next === 'end' || next === ',') return '';
    const { kind, text } = this.#take();
    if (kind !== 'identifier') throw badRequirement(`found '${text}', expected: identifier`);
    return text;
  }

  /** `(a,b)`; empty places stand for the empty value, so `()`, `(,)` and `(a,)` hold it. */
  #set(): string[] {
    const open = this.#take();
    if (open.kind !== '(') throw badRequirement(`found '${open.text}' expected: '('`);
    const values = new Set<string>();
    const first = this.#peek();
    if (first.kind === ')') {
      this.#take();
      return [''];
    }
    if (first.kind !== 'identifier' && first.kind !== ',')
      throw badRequirement(`found '${first.text}', expected: ',', ')' or identifier`);
    while (this.#element(values)) continue;
    this.#take();
    return [...values].sort(compare);
  }

  /** Reads a value or a comma of a set; false when the closing parenthesis is next. */
  #element(values: Set<string>): boolean {
    const { kind, text } = this.#take();
    const next = this.#peek();
    if (kind === 'identifier') {
      values.add(text);
      if (next.kind !== ',' && next.kind !== ')') throw badRequirement(`found '${next.text}', expected: ',' or ')'`);
      return next.kind === ',';
    }
    if (kind !== ',') throw badRequirement(`found '${text}', expected: ',', or identifier`);
    if (values.size === 0 || next.kind === ')' || next.kind === ',') values.add('');
    return next.kind !== ')';
  }

  /** `in` and `notin` are keywords only where an operator stands. */
  #peek(): { readonly kind: TokenKind; readonly text: string } {
    const token = this.#tokens[Math.min(this.#position, this.#tokens.length - 1)] ?? { kind: 'end', text: '' };
    return token.kind === 'in' || token.kind === 'notin' ? { kind: 'identifier', text: token.text } : token;
  }

  #take(place: 'operator' | 'value' = 'value'): Token {
    const token = place === 'operator' ? (this.#tokens[this.#position] ?? this.#peek()) : this.#peek();
    this.#position++;
    return token;
  }
}

function checkValues(key: string, operator: LabelOperator, values: readonly string[]): void {
  const problems: string[] = [];
  if (operator === 'gt' || operator === 'lt')
    values.forEach((value, index) => {
      if (int64(value) === undefined)
        problems.push(
          `values[${index}]: Invalid value: ${quote(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
        );
    });
  values.forEach((value, index) => {
    const wrong = labelValueProblems(value);
    if (wrong.length > 0)
      problems.push(`values[${index}][${key}]: Invalid value: ${quote(value)}: ${wrong.join('; ')}`);
  });
  if (problems.length === 1) throw badRequirement(problems[0] ?? '');
  if (problems.length > 1) throw badRequirement(`[${problems.join(', ')}]`);
}

function badRequirement(problem: string): SelectorError {
  return invalid(`unable to parse requirement: ${problem}`);
}

function invalid(message: string): SelectorError {
  return new SelectorError('invalid-label-selector', message);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
