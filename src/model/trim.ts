/**
 * `text` without the `character`s at its ends, in time proportional to its length. The obvious `/^ +| +$/g` takes the square of it
 * when a client puts many of them in the middle, and seconds for what fits a request.
 */
export function trimCharacter(text: string, character: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && text[start] === character) start++;
  while (end > start && text[end - 1] === character) end--;
  return text.slice(start, end);
}
