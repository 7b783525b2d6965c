import { cpus, loadavg } from 'node:os';
import { ratios, withinBudget, type Figure } from './figure.ts';

const head = ['figure', 'unit', 'kubetally', 'floor', 'x', 'metrics-server', 'x', 'budget', ''];

/** All figures as aligned text, one block for each bench. */
export function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map((figure) => {
    const { toFloor, toMetricsServer } = ratios(figure);
    const kept = withinBudget(figure);
    return [
      `${figure.bench}: ${figure.name}`,
      figure.unit,
      number(figure.kubetally),
      number(figure.floor),
      number(toFloor),
      number(figure.metricsServer),
      number(toMetricsServer),
      budgetText(figure),
      kept === undefined ? '' : kept ? 'ok' : 'OVER',
    ];
  });
  const table = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  return table
    .map((row) => row.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** Everything that a later reader needs to judge the figures. */
export function documentOf(
  figures: readonly Figure[],
  run: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  return {
    ...run,
    node: process.version,
    cpus: cpus().map(({ model }) => model),
    figures: figures.map((figure) => ({ ...figure, ...ratios(figure), withinBudget: withinBudget(figure) })),
  };
}

/** The machine's load at the moment, for one line of text. */
export function loadText(): string {
  const load = loadavg().map((value) => value.toFixed(2));
  return `load average ${load.join(' ')} on ${cpus().length} CPUs`;
}

function budgetText({ budget }: Figure): string {
  if (budget === undefined) return '';
  return budget.of === 'itself' ? `<= ${budget.most}` : `<= ${budget.most} x ${budget.of}`;
}

function number(value: number | undefined): string {
  if (value === undefined) return '';
  if (!Number.isFinite(value)) return '?';
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(value < 0.1 ? 3 : 2);
}

/** Text to the left, numbers to the right. */
function pad(cell: string, width: number, column: number): string {
  return column >= 2 && column <= 6 ? cell.padStart(width) : cell.padEnd(width);
}
