export type TokenKind = 'end' | 'identifier' | 'in' | 'notin' | Symbol;
type Symbol = '!' | '=' | '==' | '!=' | '(' | ')' | ',' | '>' | '<';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

const symbols: ReadonlySet<string> = new Set(['!', '=', '==', '!=', '(', ')', ',', '>', '<']);
const isSymbol = (kind: string): kind is Symbol => symbols.has(kind);

/** Splits a label selector; the last token is always `end`. A NUL ends the text, as in apimachinery. */
export function tokenize(selector: string): Token[] {
  const nul = selector.indexOf('\0');
  const text = nul < 0 ? selector : selector.slice(0, nul);
  const tokens: Token[] = [];
  const next = /[ \t\r\n]*(?:([=!(),<>]{1,2})|([^=!(),<> \t\r\n]+))/y;
  for (;;) {
    const start = next.lastIndex;
    const match = next.exec(text);
    if (match === null) break;
    const [whole = '', run, word] = match;
    if (word !== undefined) tokens.push({ kind: word === 'in' || word === 'notin' ? word : 'identifier', text: word });
    if (run === undefined) continue;
    // Two-character operators come before their first characters; what is not part of the symbol is read again.
    const symbol = [run.slice(0, 2), run.slice(0, 1)].find(isSymbol);
    if (symbol === undefined) continue;
    tokens.push({ kind: symbol, text: symbol });
    next.lastIndex = start + whole.length - run.length + symbol.length;
  }
  tokens.push({ kind: 'end', text: '' });
  return tokens;
}
