/** The order of map keys in go-yaml v2: letters after everything else, runs of digits by their number. */
export function compareYamlKeys(a: string, b: string): number {
  return precedes(Array.from(a), Array.from(b)) ? -1 : precedes(Array.from(b), Array.from(a)) ? 1 : 0;
}

function precedes(a: readonly string[], b: readonly string[]): boolean {
  const shorter = Math.min(a.length, b.length);
  let at = 0;
  while (at < shorter && a[at] === b[at]) at++;
  const [left, right] = [a[at], b[at]];
  if (left === undefined || right === undefined) return a.length < b.length;
  const [leftIsLetter, rightIsLetter] = [isLetter(left), isLetter(right)];
  if (leftIsLetter && rightIsLetter) return left < right;
  if (leftIsLetter || rightIsLetter) return rightIsLetter;

  // A zero in the middle of a number that has begun with another digit is not a leading one.
  const inNumber = (left === '0' || right === '0') && /[1-9]\d*$/.test(a.slice(0, at).join(''));
  const [leftDigits, rightDigits] = [digitsAt(a, at), digitsAt(b, at)];
  const leading = inNumber ? '1' : '0';
  const [leftNumber, rightNumber] = [BigInt(leading + leftDigits), BigInt(leading + rightDigits)];
  if (leftNumber !== rightNumber) return leftNumber < rightNumber;
  if (leftDigits.length !== rightDigits.length) return leftDigits.length < rightDigits.length;
  return left < right;
}

function digitsAt(characters: readonly string[], at: number): string {
  let end = at;
  while (/^\d$/.test(characters[end] ?? '')) end++;
  return characters.slice(at, end).join('');
}

function isLetter(character: string): boolean {
  return /^\p{L}$/u.test(character);
}
