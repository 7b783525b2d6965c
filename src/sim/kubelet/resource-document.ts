import type { EpochMs } from '../../model/units.ts';
import type { Sample } from '../node/housekeeping.ts';
import type { SimulatedNode } from '../node/simulated-node.ts';

/** Name, type and help of each metric family, in the order of the page. */
const families = [
  ['container_cpu_usage_seconds_total', 'counter', '[STABLE] Cumulative CPU time of the container in core-seconds'],
  ['container_memory_working_set_bytes', 'gauge', '[STABLE] Working set of the container in bytes'],
  ['container_start_time_seconds', 'gauge', '[STABLE] Start of the container in seconds since the Unix epoch'],
  ['container_swap_usage_bytes', 'gauge', '[ALPHA] Swap used by the container in bytes'],
  ['node_cpu_usage_seconds_total', 'counter', '[STABLE] Cumulative CPU time of the node in core-seconds'],
  ['node_memory_working_set_bytes', 'gauge', '[STABLE] Working set of the node in bytes'],
  ['node_swap_usage_bytes', 'gauge', '[ALPHA] Swap used on the node in bytes'],
  ['pod_cpu_usage_seconds_total', 'counter', '[STABLE] Cumulative CPU time of the pod in core-seconds'],
  ['pod_memory_working_set_bytes', 'gauge', '[STABLE] Working set of the pod in bytes'],
  ['pod_swap_usage_bytes', 'gauge', '[ALPHA] Swap used by the pod in bytes'],
  ['resource_scrape_error', 'gauge', '[STABLE] 1 if container metrics could not be had, 0 otherwise'],
] as const;

type Family = (typeof families)[number][0];

/**
 * The body of the kubelet's `GET /metrics/resource`: the samples of the Summary API with stamps in milliseconds; start
 * times carry none.
 */
export function resourceDocument(node: SimulatedNode, now: EpochMs): string {
  const lines = new Map<Family, string[]>(families.map(([name]) => [name, []]));
  const put = (family: Family, labels: string, value: string): void => {
    lines.get(family)?.push(`${family}${labels} ${value}`);
  };
  const usage = (owner: 'container' | 'node' | 'pod', labels: string, sample: Sample | undefined): void => {
    if (sample === undefined) return;
    const stamp = Math.floor(sample.at);
    put(`${owner}_cpu_usage_seconds_total`, labels, `${coreSeconds(sample.cpu)} ${stamp}`);
    put(`${owner}_memory_working_set_bytes`, labels, `${goNumber(sample.memory)} ${stamp}`);
    put(`${owner}_swap_usage_bytes`, labels, `0 ${stamp}`);
  };
  for (const pod of node.pods) {
    const { namespace, name, containers } = pod.birth;
    let listed = false;
    for (const container of containers) {
      const startedAt = container.startedAt(now);
      if (startedAt === undefined || pod.birth.startedAt > now) continue;
      listed = true;
      const labels = `{container="${container.name}",namespace="${namespace}",pod="${name}"}`;
      usage('container', labels, container.sample(now));
      put('container_start_time_seconds', labels, goNumber(startedAt / 1000));
    }
    if (listed) usage('pod', `{namespace="${namespace}",pod="${name}"}`, pod.sample(now));
  }
  usage('node', '', node.rootSample(now));
  put('resource_scrape_error', '', '0');
  return families.map(([name, type, help]) => page(name, type, help, lines.get(name) ?? [])).join('');
}

function page(name: string, type: string, help: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('\n')}\n`;
}

/** Core-nanoseconds as seconds in a double, which is all the exposition format carries. */
function coreSeconds(nanoseconds: number): string {
  return goNumber(nanoseconds / 1e9);
}

/** Go's `%g` in its shortest form: an exponent, of two digits or more, below 1e-4 and from 1e6 on. */
export function goNumber(value: number): string {
  if (value === 0) return '0';
  const [mantissa = '0', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}
