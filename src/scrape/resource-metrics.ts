import type { KnownStrings } from '../model/known-strings.ts';
import type { ContainerSample, CoreTime, PodSample, Sample } from '../model/sample.ts';
import { bytes, epochMs, type Bytes, type EpochMs } from '../model/units.ts';
import { isWritable } from '../model/writable-time.ts';
import { ExpositionError, expositionSamples, type ExpositionSample } from './exposition.ts';
import { emptySample, type SampleDraft } from './sample-draft.ts';
import { ScrapeError } from './scrape-error.ts';

/** What `/metrics/resource` holds of interest; pods are known by name only. */
export interface ResourceMetrics {
  readonly node: Sample | undefined;
  readonly pods: readonly PodSample[];
}

/** What each metric says, by its name (`pkg/kubelet/metrics/collectors/resource_metrics.go` of Kubernetes). */
const fields = new Map<
  string,
  { readonly of: 'node' | 'container'; readonly set: (draft: SampleDraft, sample: ExpositionSample) => void }
>([
  ['node_cpu_usage_seconds_total', { of: 'node', set: setCpu }],
  ['node_memory_working_set_bytes', { of: 'node', set: setMemory }],
  ['container_cpu_usage_seconds_total', { of: 'container', set: setCpu }],
  ['container_memory_working_set_bytes', { of: 'container', set: setMemory }],
  ['container_start_time_seconds', { of: 'container', set: setStartTime }],
]);

/**
 * Decodes the page of `/metrics/resource`. Unknown metrics are passed over. Times are in milliseconds there. A value or a time that cannot be counts as missing: it costs one
 * container its window, not the node all of them.
 *
 * @param answeredAt stands in for the time of samples that carry none
 * @param strings gives names of containers, which are kept: cut from the page they would keep all of it
 * @throws ScrapeError `parse` naming the line, when the page is not in the text format; nothing of such a page is used
 */
export function decodeResourceMetrics(page: string, answeredAt: EpochMs, strings: KnownStrings): ResourceMetrics {
  const node = emptySample();
  const pods = new Map<string, { namespace: string; name: string; containers: Map<string, SampleDraft> }>();
  let known = 0;
  let failed = false;
  try {
    for (const sample of expositionSamples(
      page,
      (name) => fields.has(name) || name === 'resource_scrape_error' || name === 'scrape_error',
    )) {
      known++;
      const field = fields.get(sample.name);
      if (field === undefined) {
        failed = Number(sample.value) !== 0;
        continue;
      }
      const draft = field.of === 'node' ? node : containerDraft(pods, sample);
      if (draft === undefined) continue;
      field.set(draft, sample);
      if (field.set === setCpu && draft.cpuTime === undefined) draft.cpuTime = answeredAt;
    }
  } catch (error) {
    if (error instanceof ExpositionError)
      throw new ScrapeError('parse', `resource metrics: ${error.message}`, { cause: error });
    throw error;
  }
  if (failed && node.cpu === undefined && pods.size === 0)
    throw new ScrapeError('parse', 'resource metrics: the kubelet reports a scrape error and no usage');
  if (known === 0) throw new ScrapeError('parse', 'resource metrics: the page has none of the metrics of a kubelet');
  return {
    node: node.cpu === undefined && node.memory === undefined ? undefined : node,
    pods: [...pods.values()].map(({ namespace, name, containers }) => ({
      namespace,
      name,
      uid: undefined,
      containers: [...containers].map(([container, draft]): ContainerSample => ({
        name: strings.share(container),
        ...draft,
      })),
    })),
  };
}

function containerDraft(
  pods: Map<string, { namespace: string; name: string; containers: Map<string, SampleDraft> }>,
  { labels }: ExpositionSample,
): SampleDraft | undefined {
  const [namespace, name, container] = [labels.get('namespace'), labels.get('pod'), labels.get('container')];
  if (namespace === undefined || name === undefined || container === undefined || container === '') return undefined;
  const key = `${namespace}/${name}`;
  let pod = pods.get(key);
  if (pod === undefined) pods.set(key, (pod = { namespace, name, containers: new Map() }));
  let draft = pod.containers.get(container);
  if (draft === undefined) pod.containers.set(container, (draft = emptySample()));
  return draft;
}

/** A counter whose time is none is no sample. */
function setCpu(draft: SampleDraft, sample: ExpositionSample): void {
  const { timestamp } = sample;
  if (timestamp !== undefined && !isWritable(timestamp)) return;
  draft.cpu = coreTimeOf(sample);
  draft.cpuTime = timestamp === undefined ? undefined : epochMs(timestamp);
}

function setMemory(draft: SampleDraft, sample: ExpositionSample): void {
  draft.memory = bytesOf(sample);
}

function setStartTime(draft: SampleDraft, sample: ExpositionSample): void {
  const milliseconds = Math.floor(Number(sample.value) * 1000);
  draft.startTime = milliseconds > 0 && isWritable(milliseconds) ? epochMs(milliseconds) : undefined;
}

/** Seconds as Go prints a float64, in its shortest form, to whole nanoseconds: digits are shifted as text, so none is lost. */
function coreTimeOf({ value }: ExpositionSample): CoreTime | undefined {
  const match = /^\+?(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(value);
  if (match === null) return undefined;
  const [, whole = '', fraction = '', exponent = '0'] = match;
  const digits = whole + fraction;
  const pointAt = whole.length + Number(exponent);
  if (pointAt > 20 || Math.abs(Number(exponent)) > 400) return undefined;
  const padded = pointAt < 0 ? '0'.repeat(-pointAt) + digits : digits.padEnd(pointAt, '0');
  const secondsEnd = Math.max(0, pointAt);
  const seconds = Number(padded.slice(0, secondsEnd) || '0');
  const nanos = Number(padded.slice(secondsEnd, secondsEnd + 9).padEnd(9, '0'));
  return seconds <= Number.MAX_SAFE_INTEGER ? { seconds, nanos } : undefined;
}

function bytesOf(sample: ExpositionSample): Bytes | undefined {
  const value = Math.trunc(Number(sample.value));
  return Number.isSafeInteger(value) && value >= 0 ? bytes(value) : undefined;
}
