// Writes the table of values into manifests/chart/README.md from the chart's schema and values: npx tsx hack/gen-chart-doc.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const chartReadme = new URL('../manifests/chart/README.md', import.meta.url);

const [start, end] = ['<!-- prettier-ignore-start -->', '<!-- prettier-ignore-end -->'];

interface Schema {
  readonly enum?: readonly unknown[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** The README with its table made anew. */
export function renderChartReadme(readme: string): string {
  const read = (name: string): string => readFileSync(new URL(name, chartReadme), 'utf8');
  const rows = rowsOf(JSON.parse(read('values.schema.json')) as Schema, parse(read('values.yaml')), '');
  const table = ['| Value | Default | Meaning |', '| --- | --- | --- |', ...rows].join('\n');
  const [before, after] = [readme.indexOf(start), readme.indexOf(end)];
  if (before < 0 || after < before) throw new Error(`the README lacks ${start} or ${end}`);
  return `${readme.slice(0, before + start.length)}\n\n${table}\n\n${readme.slice(after)}`;
}

/** A row for every value, in the schema's order; a map with values of its own has none. */
function rowsOf(schema: Schema, value: unknown, path: string): string[] {
  if (schema.description === undefined)
    return Object.entries(schema.properties ?? unexplained(path)).flatMap(([key, inner]) =>
      rowsOf(inner, (value as Record<string, unknown> | undefined)?.[key], path === '' ? key : `${path}.${key}`),
    );
  const words = (schema.enum ?? []).flatMap((word) => (typeof word === 'string' && word !== '' ? [`\`${word}\``] : []));
  const choice = words.length === 0 ? '' : `. One of ${words.join(', ')}`;
  return [`| \`${path}\` | ${defaultText(value)} | ${schema.description}${choice} |`];
}

function unexplained(path: string): never {
  throw new Error(`values.schema.json does not explain ${path}`);
}

function defaultText(value: unknown): string {
  if (value === undefined || value === '') return '';
  const text = JSON.stringify(value);
  return text.length > 40 ? 'see [values.yaml](values.yaml)' : `\`${typeof value === 'string' ? value : text}\``;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(chartReadme, renderChartReadme(readFileSync(chartReadme, 'utf8')));
