import { turn, type PiecewiseBody } from './body.ts';

/** Indents compact JSON by two spaces, keeping keys in their order and strings as they are (Go's `json.Indent`). No final newline. */
export function indentJson(json: string): string {
  return new JsonIndenter().indent(json);
}

/** Indents a list of compact JSON piece by piece, without its final newline. Pieces begin and end between items, never within a token. */
export function indentPieces({ pieces, release }: PiecewiseBody): PiecewiseBody {
  function* indented(): Generator<Buffer> {
    const indenter = new JsonIndenter();
    for (const piece of pieces) yield piece === turn ? turn : Buffer.from(indenter.indent(piece.toString().trimEnd()));
  }
  return { pieces: indented(), release };
}

/** What is indented part by part is as if it were indented at once. */
class JsonIndenter {
  #depth = 0;

  indent(part: string): string {
    return part.replace(/"(?:[^"\\]|\\.)*"|\{\}|\[\]|[[\]{},:]/g, (token) => {
      switch (token) {
        case '{':
        case '[':
          return `${token}\n${'  '.repeat(++this.#depth)}`;
        case '}':
        case ']':
          return `\n${'  '.repeat(--this.#depth)}${token}`;
        case ',':
          return `,\n${'  '.repeat(this.#depth)}`;
        case ':':
          return ': ';
        default:
          return token;
      }
    });
  }
}
