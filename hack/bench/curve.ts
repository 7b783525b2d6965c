/** One quantity over time. */
export interface Curve {
  readonly title: string;
  readonly unit: string;
  /** In order of time. */
  readonly points: readonly { readonly seconds: number; readonly value: number }[];
}

const width = 860;
const panel = 130;
const margin = { left: 70, right: 20, top: 26, bottom: 18 } as const;
const head = 40;

/** The curves below each other over the same time, each from 0 to its own greatest value, as SVG. */
export function drawCurves(title: string, curves: readonly Curve[]): string {
  const height = head + curves.length * panel;
  const longest = Math.max(1, ...curves.flatMap(({ points }) => points.map(({ seconds }) => seconds)));
  const panels = curves.map((curve, index) => drawPanel(curve, head + index * panel, longest));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="${margin.left}" y="24" font-size="15">${escape(title)}</text>`,
    ...panels,
    '</svg>\n',
  ].join('\n');
}

function drawPanel({ title, unit, points }: Curve, top: number, longest: number): string {
  const greatest = Math.max(...points.map(({ value }) => value), Number.MIN_VALUE);
  const [from, to] = [top + margin.top, top + panel - margin.bottom];
  const x = (seconds: number): number => margin.left + (seconds / longest) * (width - margin.left - margin.right);
  const y = (value: number): number => to - (value / greatest) * (to - from);
  const line = points.map(({ seconds, value }) => `${x(seconds).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  const last = points.at(-1)?.value ?? 0;
  return [
    `<text x="${margin.left}" y="${from - 8}">${escape(title)}: ${label(last)} ${escape(unit)} at the end</text>`,
    `<path d="M${margin.left} ${from}V${to}H${width - margin.right}" fill="none" stroke="#999"/>`,
    `<text x="${margin.left - 6}" y="${from + 8}" text-anchor="end">${label(greatest)}</text>`,
    `<text x="${margin.left - 6}" y="${to}" text-anchor="end">0</text>`,
    `<text x="${width - margin.right}" y="${to + 14}" text-anchor="end">${label(longest)} s</text>`,
    `<polyline points="${line}" fill="none" stroke="#2463a8" stroke-width="1.5"/>`,
  ].join('\n');
}

function label(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1);
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
