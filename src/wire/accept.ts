import { trimCharacter } from '../model/trim.ts';

/** One clause of an Accept header. */
export interface AcceptClause {
  readonly type: string;
  readonly subtype: string;
  readonly q: number;
  /** Null-prototype, since clients choose the names. */
  readonly parameters: Readonly<Record<string, string>>;
}

/**
 * The clauses of an Accept header in the order in which Kubernetes tries them: by q, then concrete types before `*`.
 * Follows the library that Kubernetes uses (munnerz/goautoneg) where RFC 9110 would differ: an unreadable q is 0, q=0 excludes nothing,
 * and a concrete type also moves ahead of a `*` that stands directly before it with a higher q.
 */
export function parseAccept(header: string): AcceptClause[] {
  const clauses = header.split(',').flatMap((part) => parseClause(part) ?? []);
  return clauses.length > 64 ? clauses.sort((a, b) => b.q - a.q) : insertionSort(clauses);
}

function parseClause(part: string): AcceptClause | undefined {
  const [range = '', ...rest] = trimSpaces(part).split(';');
  const [type = '', subtype = '', extra] = range.split('/').map(trimSpaces);
  if (extra !== undefined || (subtype === '' && type !== '*')) return undefined;
  const parameters: Record<string, string> = Object.create(null);
  let q = 1;
  for (const parameter of rest) {
    const [name = '', value = '', tail] = parameter.split('=');
    if (value === '' || tail !== undefined) continue;
    const key = trimSpaces(name);
    if (key === 'q') q = parseQuality(value);
    else parameters[key] = trimSpaces(value);
  }
  return { type, subtype: subtype === '' ? '*' : subtype, q, parameters };
}

/** Go's `strconv.ParseFloat`, decimal forms only. */
function parseQuality(text: string): number {
  if (/^[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?$/i.test(text)) return Number(text);
  return /^\+?inf(inity)?$/i.test(text) ? Infinity : 0;
}

/** The order is not transitive, so the algorithm is part of the rule; Go sorts short slices by insertion. */
function insertionSort(clauses: AcceptClause[]): AcceptClause[] {
  for (let end = 1; end < clauses.length; end++)
    for (let at = end; at > 0; at--) {
      const [before, after] = [clauses[at - 1], clauses[at]];
      if (before === undefined || after === undefined || !precedes(after, before)) break;
      clauses[at - 1] = after;
      clauses[at] = before;
    }
  return clauses;
}

function precedes(a: AcceptClause, b: AcceptClause): boolean {
  return a.q > b.q || (a.type !== '*' && b.type === '*') || (a.subtype !== '*' && b.subtype === '*');
}

function trimSpaces(text: string): string {
  return trimCharacter(text, ' ');
}
