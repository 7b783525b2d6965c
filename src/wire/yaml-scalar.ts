/** Text is folded at the first space past this column. */
const bestWidth = 80;

/**
 * A string as go-yaml v2 writes it: plain where it can only be read as that string, else in double quotes; in single quotes where
 * only its characters forbid a plain one; as a literal block when it has several lines.
 * `column` is where it starts (-Infinity: never folded), `indent` that of continued lines.
 */
export function scalar(text: string, column: number, indent: number): string {
  if (text.includes('\n') && Number.isFinite(column) && canBeBlock(text)) return literal(text, indent);
  if (needsTag(text) || hasSpecial(text)) return doubleQuoted(text, column, indent);
  if (isPlain(text)) return fold(text, column, indent, false);
  return `'${fold(text.replaceAll("'", "''"), column + 1, indent, true)}'`;
}

const wordsOfOtherTypes: ReadonlySet<string> = new Set(
  [
    'y Y yes Yes YES true True TRUE on On ON',
    'n N no No NO false False FALSE off Off OFF',
    ' ~ null Null NULL <<',
    '.nan .NaN .NAN .inf .Inf .INF +.inf +.Inf +.INF -.inf -.Inf -.INF',
  ].flatMap((words) => words.split(' ')),
);

/** Whether plain text would be read as a boolean, null, number or time. */
function needsTag(text: string): boolean {
  if (wordsOfOtherTypes.has(text)) return true;
  if (!/^[-+.0-9]/.test(text)) return false;
  const digits = text.replaceAll('_', '');
  return isInteger(digits) || isFloat(text, digits) || isTimestamp(text) || isBase60(text);
}

function isInteger(digits: string): boolean {
  return /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9]\d{0,18})$/.test(digits);
}

function isFloat(text: string, digits: string): boolean {
  const pattern = /^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/;
  return pattern.test(text.startsWith('.') ? text : digits);
}

function isTimestamp(text: string): boolean {
  const clock = '\\d{1,2}:\\d{1,2}:\\d{1,2}(?:\\.\\d*)?';
  return new RegExp(`^\\d{4}-\\d{1,2}-\\d{1,2}(?:[Tt]${clock}(?:Z|[-+]\\d{2}:\\d{2})| ${clock})?$`).test(text);
}

function isBase60(text: string): boolean {
  return /^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/.test(text);
}

/** Characters that only double quotes can carry. */
function hasSpecial(text: string): boolean {
  return /[\p{Cc}\p{Surrogate}\u2028\u2029\ufeff\ufffe\uffff]/u.test(text);
}

/** Several lines, none ending in a space. */
function canBeBlock(text: string): boolean {
  return !/ (?:\n|$)/.test(text) && !hasSpecial(text.replaceAll('\n', ''));
}

function isPlain(text: string): boolean {
  if (/^ | $/.test(text) || /^(?:---|\.\.\.)/.test(text)) return false;
  if (/^[#,[\]{}&*!|>'"%@`]/.test(text) || /^[-?:](?: |$)/.test(text)) return false;
  return !/:(?: |$)/.test(text) && !/ #/.test(text);
}

/** Breaks lines at spaces past the best width; a break is read back as one space. */
function fold(text: string, column: number, indent: number, quoted: boolean): string {
  if (column + text.length <= bestWidth) return text;
  let folded = '';
  let at = column;
  for (let index = 0; index < text.length; index++) {
    const character = text[index] ?? '';
    const inside = !quoted || (index > 0 && index < text.length - 1);
    const single = text[index - 1] !== ' ' && text[index + 1] !== ' ';
    if (character === ' ' && single && inside && at > bestWidth) {
      folded += `\n${' '.repeat(indent)}`;
      at = indent;
    } else {
      folded += character;
      at++;
    }
  }
  return folded;
}

const shortEscapes: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\x85': '\\N',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function doubleQuoted(text: string, column: number, indent: number): string {
  let written = '"';
  let at = column + 1;
  const characters = Array.from(text);
  characters.forEach((character, index) => {
    const inside = index > 0 && index < characters.length - 1;
    if (character === ' ' && inside && at > bestWidth && characters[index - 1] !== ' ') {
      written += `\n${' '.repeat(indent)}${characters[index + 1] === ' ' ? '\\' : ''}`;
      at = indent;
      return;
    }
    const escaped = shortEscapes[character] ?? (hasSpecial(character) ? escape(character) : character);
    written += escaped;
    at += Array.from(escaped).length;
  });
  return `${written}"`;
}

function escape(character: string): string {
  const point = /\p{Surrogate}/u.test(character) ? 0xfffd : (character.codePointAt(0) ?? 0xfffd);
  const hex = point.toString(16).toUpperCase();
  if (point <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return point <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

/** `|-` keeps no final line break, `|` one, `|+` all. */
function literal(text: string, indent: number): string {
  const chomp = !text.endsWith('\n') ? '-' : text.endsWith('\n\n') || text === '\n' ? '+' : '';
  const hint = /^[ \n]/.test(text) ? '2' : '';
  const lines = text.replace(/\n$/, '').split('\n');
  const blank = ' '.repeat(indent);
  return [`|${hint}${chomp}`, ...lines.map((line) => (line === '' ? '' : blank + line))].join('\n');
}
