// Writes manifests/docs/metrics.md from the catalogue of metrics: npx tsx hack/gen-metrics-doc.ts
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { catalogue, type MetricEntry } from '../src/telemetry/metric-catalogue.ts';

export const metricsDocument = new URL('../manifests/docs/metrics.md', import.meta.url);

/** The metrics reference in Markdown. */
export function renderMetricsDocument(): string {
  return [
    '# Metrics of `kubetally serve`',
    '',
    '<!-- Made by hack/gen-metrics-doc.ts; a test compares. -->',
    '',
    '`/metrics` is served on the secure port and, like every path outside the always-allowed ones, needs permission: `get` on the non-resource URL `/metrics`.',
    '',
    'Names that begin with `metrics_server_` mean what they mean in metrics-server; `apiserver_*`, `auth*` and `rest_client_*` are those of Kubernetes components.',
    'The number of series does not grow with the cluster: a `node` label stands only on the five worst nodes, or, with `--per-node-metrics`, on the series marked',
    '(node). Series of nodes that left disappear. Nothing is labelled by pod, user or path.',
    '',
    '| Name | Type | Labels | Meaning |',
    '|---|---|---|---|',
    ...Object.values<MetricEntry>(catalogue).map(
      ({ name, type, labels, perNode, help }) =>
        `| \`${name}\` | ${type} | ${[...labels, ...(perNode === true ? ['(node)'] : [])].join(', ')} | ${help} |`,
    ),
    '| `process_*` | | | CPU, memory, file descriptors and start time of the process, as Prometheus clients name them. |',
    '| `nodejs_*` | | | Event loop lag, heap and garbage collection of Node.js. |',
    '',
    '`metrics_server_manager_tick_duration_seconds` has, besides the usual buckets up to 10 s, four around the resolution T when T is above 10 s: (10 + T)/2, T, 1.5 T and 2 T.',
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(metricsDocument, renderMetricsDocument());
