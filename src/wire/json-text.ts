/**
 * JSON text as Go's `encoding/json` writes it: keys in the order given, `<`, `>`, `&`, U+2028 and U+2029 escaped, lone surrogates replaced by U+FFFD.
 * Compact text ends with a newline, pretty text (two spaces) does not, as in Kubernetes.
 */
export function formatJson(value: unknown, form: 'compact' | 'pretty'): string {
  return form === 'pretty' ? goEscapes(JSON.stringify(value, null, 2)) : `${goEscapes(JSON.stringify(value))}\n`;
}

/** One string as a JSON literal, with Go's escapes. */
export function jsonString(text: string): string {
  return /^[ !#-%'-;=?-[\]-~]*$/.test(text) ? `"${text}"` : goEscapes(JSON.stringify(text));
}

const escapes: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029',
};

function goEscapes(json: string): string {
  const text = /[<>&\u2028\u2029]/.test(json)
    ? json.replace(/[<>&\u2028\u2029]/g, (character) => escapes[character] ?? character)
    : json;
  if (!text.includes('\\ud')) return text;
  // JSON.stringify escapes lone surrogates; a doubled backslash before `ud800` is no escape.
  return text.replace(/\\(?:(ud[89a-f][0-9a-f]{2})|.)/g, (escape, surrogate: string | undefined) =>
    surrogate === undefined ? escape : '\\ufffd',
  );
}
