/** Indents compact JSON by two spaces, keeping keys in their order and strings as they are (Go's `json.Indent`). No final newline. */
export function indentJson(json: string): string {
  let depth = 0;
  return json.replace(/"(?:[^"\\]|\\.)*"|\{\}|\[\]|[[\]{},:]/g, (token) => {
    switch (token) {
      case '{':
      case '[':
        return `${token}\n${'  '.repeat(++depth)}`;
      case '}':
      case ']':
        return `\n${'  '.repeat(--depth)}${token}`;
      case ',':
        return `,\n${'  '.repeat(depth)}`;
      case ':':
        return ': ';
      default:
        return token;
    }
  });
}
