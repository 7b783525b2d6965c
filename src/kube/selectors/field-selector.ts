import { quote } from '../../model/quote.ts';
import { SelectorError } from './errors.ts';

/** One condition of a field selector; `==` is read as `=`. */
export interface FieldTerm {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** A parsed field selector; no terms match everything. */
export interface FieldSelector {
  readonly terms: readonly FieldTerm[];
}

/**
 * Reads `fieldSelector=` (k8s.io/apimachinery `fields.ParseSelector`): terms joined by commas, `\` escaping `\`, `,` and `=` in values.
 * The terms are read in sorted order, which decides which of two faults is told.
 * @throws {SelectorError} `invalid-field-selector`, worded as an API server does.
 */
export function parseFieldSelector(selector: string): FieldSelector {
  const parts = (selector.match(/(?:\\[^]|[^,\\]|\\$)+/g) ?? []).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return { terms: parts.map((part) => parseTerm(selector, part)) };
}

/** @throws {SelectorError} `unknown-field` when a term names a field that the resource does not offer. */
export function requireKnownFields(selector: FieldSelector, known: readonly string[]): void {
  const unknown = selector.terms.find(({ field }) => !known.includes(field));
  if (unknown === undefined) return;
  const offered = known.map((field) => `"${field}"`).join(', ');
  throw new SelectorError('unknown-field', `${quote(unknown.field)} is not a known field selector: only ${offered}`);
}

/** The value that the first `field=value` term demands; undefined when there is none. */
export function exactField(selector: FieldSelector, field: string): string | undefined {
  return selector.terms.find((term) => term.field === field && term.operator === '=')?.value;
}

/** Whether an object whose fields `valueOf` tells meets every term; fields it does not have are the empty string. */
export function matchesFields(selector: FieldSelector, valueOf: (field: string) => string): boolean {
  return selector.terms.every(({ field, operator, value }) => (valueOf(field) === value) === (operator === '='));
}

function parseTerm(selector: string, part: string): FieldTerm {
  const [, field, operator, raw] = /^([^]*?)(!=|==|=)([^]*)$/.exec(part) ?? [];
  if (field === undefined || raw === undefined)
    throw new SelectorError('invalid-field-selector', `invalid selector: '${selector}'; can't understand '${part}'`);
  return { field, operator: operator === '!=' ? '!=' : '=', value: unescapeValue(raw) };
}

function unescapeValue(raw: string): string {
  if (!/[\\,=]/.test(raw)) return raw;
  return raw.replace(/\\([^]?)|[,=]/gu, (matched: string, escaped: string | undefined) => {
    if (escaped === undefined)
      throw new SelectorError(
        'invalid-field-selector',
        `invalid field selector: unescaped character in value: ${matched.charCodeAt(0)}`,
      );
    if (!['\\', ',', '='].includes(escaped))
      throw new SelectorError('invalid-field-selector', `invalid field selector: invalid escape sequence: ${matched}`);
    return escaped;
  });
}
