import type { ContainerSample, PodSample, Sample } from '../model/sample.ts';
import type { Bytes, EpochMs, Nanocores } from '../model/units.ts';
import { JsonScanError, JsonScanner, KnownKeys } from './json-scanner.ts';
import { emptySample, type SampleDraft } from './sample-draft.ts';
import { ScrapeError } from './scrape-error.ts';
import { TimestampReader } from './timestamp.ts';

/** What a Summary holds of interest (`stats/v1alpha1.Summary` of k8s.io/kubelet). */
export interface Summary {
  readonly nodeName: string | undefined;
  /** Undefined when the kubelet gave no node stats at all, as virtual kubelets do. */
  readonly node: Sample | undefined;
  readonly pods: readonly PodSample[];
}

/**
 * Decodes the body of `/stats/summary`, with or without `only_cpu_and_memory`. Tolerates what is missing, null, unknown or in another order.
 *
 * @throws ScrapeError `parse` naming the field, when the body is not JSON or holds something else than the number, time or string that belongs there;
 *   nothing of such a body is used
 */
export function decodeSummary(body: Buffer): Summary {
  const decoder = new SummaryDecoder(body);
  try {
    return decoder.decode();
  } catch (error) {
    if (!(error instanceof JsonScanError)) throw error;
    throw new ScrapeError('parse', `summary: ${decoder.path}: ${error.message}`, { cause: error });
  }
}

const summaryKeys = new KnownKeys(['node', 'pods']);
const nodeKeys = new KnownKeys(['nodeName', 'startTime', 'cpu', 'memory']);
const podKeys = new KnownKeys(['podRef', 'containers']);
const podRefKeys = new KnownKeys(['name', 'namespace', 'uid']);
const containerKeys = new KnownKeys(['name', 'startTime', 'cpu', 'memory']);
const cpuKeys = new KnownKeys(['time', 'usageNanoCores', 'usageCoreNanoSeconds']);
const memoryKeys = new KnownKeys(['workingSetBytes', 'usageBytes']);

class SummaryDecoder {
  readonly #scan: JsonScanner;
  readonly #times = new TimestampReader();
  /** Where the decoder stands, for errors; undefined outside of such a thing. */
  #inNode = false;
  #pod: number | undefined;
  #container: number | undefined;
  #field = '';

  constructor(body: Buffer) {
    this.#scan = new JsonScanner(body);
  }

  /** As `pods[3].containers[0].cpu.time`; empty at the top. */
  get path(): string {
    const parts = [
      this.#inNode ? 'node' : '',
      this.#pod === undefined ? '' : `pods[${this.#pod}]`,
      this.#container === undefined ? '' : `containers[${this.#container}]`,
      this.#field,
    ];
    if (this.#scan.lastKey !== this.#field) parts.push(this.#scan.lastKey);
    return parts.filter((part) => part !== '').join('.') || 'body';
  }

  decode(): Summary {
    const scan = this.#scan;
    let node: { nodeName: string | undefined; sample: Sample | undefined } | undefined;
    let pods: PodSample[] | undefined;
    if (!scan.enterObject()) scan.fail('expected an object');
    for (let key = scan.key(summaryKeys, true); key !== undefined; key = scan.key(summaryKeys, false)) {
      if (key === 'node') node = this.#node();
      else if (key === 'pods') pods = this.#pods();
      else scan.skip();
    }
    scan.end();
    if (node === undefined && pods === undefined) throw new ScrapeError('parse', 'summary: neither node nor pods');
    return { nodeName: node?.nodeName, node: node?.sample, pods: pods ?? [] };
  }

  #node(): { nodeName: string | undefined; sample: Sample | undefined } {
    const scan = this.#scan;
    const draft = emptySample();
    let nodeName: string | undefined;
    this.#inNode = true;
    if (scan.enterObject())
      for (let key = scan.key(nodeKeys, true); key !== undefined; key = scan.key(nodeKeys, false)) {
        if (key === 'cpu') this.#cpu(draft);
        else if (key === 'memory') this.#memory(draft);
        else if (key === 'startTime') draft.startTime = this.#time();
        else if (key === 'nodeName') nodeName = scan.string();
        else scan.skip();
      }
    this.#inNode = false;
    return { nodeName, sample: draft.cpuTime === undefined && draft.memory === undefined ? undefined : draft };
  }

  #pods(): PodSample[] {
    const pods: PodSample[] = [];
    if (!this.#scan.enterArray()) return pods;
    for (let index = 0; this.#scan.element(index === 0); index++) {
      this.#pod = index;
      const pod = this.#podStats();
      if (pod !== undefined) pods.push(pod);
    }
    this.#pod = undefined;
    return pods;
  }

  /** PodStats; a pod without a name or namespace cannot be told from others and is left out. */
  #podStats(): PodSample | undefined {
    const scan = this.#scan;
    const ref = { name: '', namespace: '', uid: '' };
    let containers: ContainerSample[] = [];
    if (!scan.enterObject()) return undefined;
    for (let key = scan.key(podKeys, true); key !== undefined; key = scan.key(podKeys, false)) {
      if (key === 'podRef') this.#podRef(ref);
      else if (key === 'containers') containers = this.#containers();
      else scan.skip();
    }
    if (ref.name === '' || ref.namespace === '') return undefined;
    return { namespace: ref.namespace, name: ref.name, uid: ref.uid === '' ? undefined : ref.uid, containers };
  }

  #podRef(ref: { name: string; namespace: string; uid: string }): void {
    const scan = this.#scan;
    this.#field = 'podRef';
    if (scan.enterObject())
      for (let key = scan.key(podRefKeys, true); key !== undefined; key = scan.key(podRefKeys, false)) {
        if (key === 'name' || key === 'namespace' || key === 'uid') ref[key] = scan.string() ?? '';
        else scan.skip();
      }
    this.#field = '';
  }

  #containers(): ContainerSample[] {
    const scan = this.#scan;
    const containers: ContainerSample[] = [];
    if (!scan.enterArray()) return containers;
    for (let index = 0; scan.element(index === 0); index++) {
      this.#container = index;
      if (!scan.enterObject()) continue;
      const draft = { name: '', ...emptySample() };
      for (let key = scan.key(containerKeys, true); key !== undefined; key = scan.key(containerKeys, false)) {
        if (key === 'cpu') this.#cpu(draft);
        else if (key === 'memory') this.#memory(draft);
        else if (key === 'startTime') draft.startTime = this.#time();
        else if (key === 'name') draft.name = scan.string() ?? '';
        else scan.skip();
      }
      if (draft.name !== '') containers.push(draft);
    }
    this.#container = undefined;
    return containers;
  }

  #cpu(draft: SampleDraft): void {
    const scan = this.#scan;
    this.#field = 'cpu';
    if (scan.enterObject())
      for (let key = scan.key(cpuKeys, true); key !== undefined; key = scan.key(cpuKeys, false)) {
        if (key === 'time') draft.cpuTime = this.#time();
        else if (key === 'usageCoreNanoSeconds') draft.cpu = scan.counter();
        else if (key === 'usageNanoCores') draft.cpuRate = scan.integer() as Nanocores | undefined;
        else scan.skip();
      }
    this.#field = '';
  }

  #memory(draft: SampleDraft): void {
    const scan = this.#scan;
    this.#field = 'memory';
    if (scan.enterObject())
      for (let key = scan.key(memoryKeys, true); key !== undefined; key = scan.key(memoryKeys, false)) {
        if (key === 'workingSetBytes') draft.memory = scan.integer() as Bytes | undefined;
        else if (key === 'usageBytes') draft.memoryUsage = scan.integer() as Bytes | undefined;
        else scan.skip();
      }
    this.#field = '';
  }

  #time(): EpochMs | undefined {
    const text = this.#scan.string();
    return text === undefined ? undefined : (this.#times.read(text) ?? this.#scan.fail(`"${text}" is not a time`));
  }
}
