const upTo999: readonly string[] = Array.from({ length: 1000 }, (_, value) => String(value));
const threeDigits: readonly string[] = upTo999.map((text) => text.padStart(3, '0'));

/**
 * A whole number in decimal digits, as `String` writes it. V8 keeps what `String` made of the last thousands of numbers; where every pod's usage is printed once per
 * window each of these texts is displaced a moment later, as garbage grown old. It takes no longer.
 */
export function wholeText(value: number): string {
  if (!Number.isSafeInteger(value) || value < 0) return String(value);
  if (value < 1000) return upTo999[value] ?? '';
  const thousands = Math.floor(value / 1000);
  return wholeText(thousands) + (threeDigits[value - thousands * 1000] ?? '');
}
