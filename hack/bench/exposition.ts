/** The series of one reading of `/metrics`, by name and labels as they are written there. */
export type Exposition = ReadonlyMap<string, number>;

/** Reads the Prometheus text format. */
export function readExposition(text: string): Exposition {
  const series = new Map<string, number>();
  for (const line of text.split('\n')) {
    const space = line.lastIndexOf(' ');
    if (!line.startsWith('#') && space > 0) series.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return series;
}

/** How much a series grew; what is missing counts as 0. */
export function growth(before: Exposition, after: Exposition, series: string): number {
  return (after.get(series) ?? 0) - (before.get(series) ?? 0);
}

/**
 * A quantile of what a histogram without labels took in between two readings, as Prometheus' `histogram_quantile` gives it: linear within the bucket.
 * NaN when it took in nothing.
 */
export function histogramQuantile(before: Exposition, after: Exposition, name: string, share: number): number {
  const prefix = `${name}_bucket{le="`;
  const buckets = [...after.keys()]
    .filter((series) => series.startsWith(prefix) && !series.includes('+Inf'))
    .map((series) => ({ bound: Number(series.slice(prefix.length, -2)), count: growth(before, after, series) }))
    .sort((a, b) => a.bound - b.bound);
  const total = growth(before, after, `${name}_count`);
  const rank = share * total;
  let [lower, below] = [0, 0];
  for (const { bound, count } of buckets) {
    if (total > 0 && count >= rank)
      return count === below ? bound : lower + ((bound - lower) * (rank - below)) / (count - below);
    [lower, below] = [bound, count];
  }
  return total > 0 ? lower : Number.NaN;
}
