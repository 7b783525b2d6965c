/** One measured quantity of the server, beside the same of whoever it is compared with in the same run. */
export interface Figure {
  readonly bench: string;
  readonly name: string;
  readonly unit: string;
  readonly kubetally: number;
  /** Of a bare program that does no more than cannot be avoided. */
  readonly floor?: number | undefined;
  readonly metricsServer?: number | undefined;
  readonly budget?: Budget | undefined;
}

/** The most that a figure may be: as it is, or as a multiple of another's. */
export interface Budget {
  readonly of: 'itself' | 'floor' | 'metrics-server';
  readonly most: number;
}

/** Multiples of the others' figures; undefined where there is nothing to compare with. */
export function ratios({ kubetally, floor, metricsServer }: Figure): {
  readonly toFloor: number | undefined;
  readonly toMetricsServer: number | undefined;
} {
  const ratio = (other: number | undefined): number | undefined =>
    other === undefined || !(other > 0) ? undefined : kubetally / other;
  return { toFloor: ratio(floor), toMetricsServer: ratio(metricsServer) };
}

/** Whether the budget is kept; undefined when there is none, or not what it is measured by. */
export function withinBudget(figure: Figure): boolean | undefined {
  if (figure.budget === undefined) return undefined;
  const { of, most } = figure.budget;
  const { toFloor, toMetricsServer } = ratios(figure);
  const value = of === 'itself' ? figure.kubetally : of === 'floor' ? toFloor : toMetricsServer;
  return value === undefined ? undefined : value <= most;
}
