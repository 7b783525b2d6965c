import { KnownStrings } from '../model/known-strings.ts';
import type { ContainerSample, PodSample, Sample } from '../model/sample.ts';
import type { Bytes, EpochMs, Nanocores } from '../model/units.ts';
import { JsonScanError, JsonScanner } from './json-scanner.ts';
import { KnownKeys } from './known-keys.ts';
import { emptyContainer, emptySample, type SampleDraft } from './sample-draft.ts';
import { ScrapeError } from './scrape-error.ts';
import { readTime, readUsualTime, usualTimeLength } from './timestamp.ts';

/** What a Summary holds of interest (`stats/v1alpha1.Summary` of k8s.io/kubelet). */
export interface Summary {
  readonly nodeName: string | undefined;
  /** Undefined when the kubelet gave no node stats at all, as virtual kubelets do. */
  readonly node: Sample | undefined;
  readonly pods: readonly PodSample[];
}

/**
 * Decodes bodies of `/stats/summary`, with or without `only_cpu_and_memory`. Tolerates what is missing, null, unknown or in another order. Made once for all
 * kubelets: it remembers names, which come again and again.
 */
export class SummaryDecoder {
  readonly #strings: KnownStrings;
  // Keys in the order in which kubelets write them.
  readonly #summaryKeys = new KnownKeys(['node', 'pods']);
  readonly #nodeKeys = new KnownKeys(['nodeName', 'startTime', 'cpu', 'memory']);
  readonly #podKeys = new KnownKeys(['podRef', 'containers']);
  readonly #podRefKeys = new KnownKeys(['name', 'namespace', 'uid']);
  readonly #containerKeys = new KnownKeys(['name', 'startTime', 'cpu', 'memory']);
  readonly #cpuKeys = new KnownKeys(['time', 'usageNanoCores', 'usageCoreNanoSeconds']);
  readonly #memoryKeys = new KnownKeys(['usageBytes', 'workingSetBytes']);
  #scan: JsonScanner;
  /** Where the decoder stands, for errors; undefined outside of such a thing. */
  #inNode = false;
  #pod: number | undefined;
  #container: number | undefined;
  #field = '';

  /** @param strings names and UIDs, which the inventory has, too */
  constructor(strings = new KnownStrings()) {
    this.#strings = strings;
    this.#scan = new JsonScanner(Buffer.alloc(0), strings);
  }

  /**
   * A time that is none and a number above 2^53-1, as a kubelet's subtraction below zero makes it, count as missing: they cost one container its window, not the node all
   * of them.
   *
   * @throws ScrapeError `parse` naming the field, when the body is not JSON or holds something else than the number or string that belongs there;
   *   nothing of such a body is used
   */
  decode(body: Buffer): Summary {
    this.#scan = new JsonScanner(body, this.#strings);
    this.#inNode = false;
    this.#pod = this.#container = undefined;
    this.#field = '';
    try {
      return this.#summary();
    } catch (error) {
      if (!(error instanceof JsonScanError)) throw error;
      throw new ScrapeError('parse', `summary: ${this.#path}: ${error.message}`, { cause: error });
    }
  }

  /** As `pods[3].containers[0].cpu.time`; `body` at the top. */
  get #path(): string {
    const parts = [
      this.#inNode ? 'node' : '',
      this.#pod === undefined ? '' : `pods[${this.#pod}]`,
      this.#container === undefined ? '' : `containers[${this.#container}]`,
      this.#field,
    ];
    if (this.#scan.lastKey !== this.#field) parts.push(this.#scan.lastKey);
    return parts.filter((part) => part !== '').join('.') || 'body';
  }

  #summary(): Summary {
    const scan = this.#scan;
    let node: { nodeName: string | undefined; sample: Sample | undefined } | undefined;
    let pods: PodSample[] | undefined;
    if (!scan.enterObject()) throw new ScrapeError('parse', 'summary: body: null instead of an object');
    for (let key = scan.key(this.#summaryKeys, true); key !== undefined; key = scan.key(this.#summaryKeys, false)) {
      if (key === 'node') node = this.#node();
      else if (key === 'pods') pods = this.#pods();
      else scan.skip();
    }
    scan.end();
    if (node === undefined && pods === undefined) throw new ScrapeError('parse', 'summary: neither node nor pods');
    return { nodeName: node?.nodeName, node: node?.sample, pods: pods ?? [] };
  }

  #node(): { nodeName: string | undefined; sample: Sample | undefined } | undefined {
    const scan = this.#scan;
    const draft = emptySample();
    let nodeName: string | undefined;
    this.#inNode = true;
    const isThere = scan.enterObject();
    if (isThere)
      for (let key = scan.key(this.#nodeKeys, true); key !== undefined; key = scan.key(this.#nodeKeys, false)) {
        if (key === 'cpu') this.#cpu(draft);
        else if (key === 'memory') this.#memory(draft);
        else if (key === 'startTime') draft.startTime = this.#time();
        else if (key === 'nodeName') nodeName = scan.string();
        else scan.skip();
      }
    this.#inNode = false;
    if (!isThere) return undefined;
    return { nodeName, sample: draft.cpuTime === undefined && draft.memory === undefined ? undefined : draft };
  }

  #pods(): PodSample[] | undefined {
    const pods: PodSample[] = [];
    if (!this.#scan.enterArray()) return undefined;
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
    let containers: ContainerSample[] | undefined;
    if (!scan.enterObject()) return undefined;
    for (let key = scan.key(this.#podKeys, true); key !== undefined; key = scan.key(this.#podKeys, false)) {
      if (key === 'podRef') this.#podRef(ref);
      else if (key === 'containers') containers = this.#containers();
      else scan.skip();
      if (containers !== undefined && ref.name !== '') {
        // Sums, volumes and the like: a third of the body.
        scan.leave();
        break;
      }
    }
    const { namespace, name, uid } = ref;
    if (name === '' || namespace === '') return undefined;
    return { namespace, name, uid: uid === '' ? undefined : uid, containers: containers ?? [] };
  }

  #podRef(ref: { name: string; namespace: string; uid: string }): void {
    const scan = this.#scan;
    this.#field = 'podRef';
    if (scan.enterObject())
      for (let key = scan.key(this.#podRefKeys, true); key !== undefined; key = scan.key(this.#podRefKeys, false)) {
        if (key === 'name') ref.name = scan.string() ?? '';
        else if (key === 'namespace') ref.namespace = scan.string() ?? '';
        else if (key === 'uid') ref.uid = scan.string() ?? '';
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
      const draft = emptyContainer();
      for (
        let key = scan.key(this.#containerKeys, true);
        key !== undefined;
        key = scan.key(this.#containerKeys, false)
      ) {
        if (key === 'cpu') this.#cpu(draft);
        else if (key === 'memory') this.#memory(draft);
        else if (key === 'startTime') draft.startTime = this.#time();
        else if (key === 'name') draft.name = scan.string() ?? '';
        else scan.skip();
        if (
          draft.memory !== undefined &&
          draft.cpu !== undefined &&
          draft.startTime !== undefined &&
          draft.name !== ''
        ) {
          scan.leave();
          break;
        }
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
      for (let key = scan.key(this.#cpuKeys, true); key !== undefined; key = scan.key(this.#cpuKeys, false)) {
        if (key === 'time') draft.cpuTime = this.#time();
        else if (key === 'usageCoreNanoSeconds') draft.cpu = scan.counter();
        else if (key === 'usageNanoCores') draft.cpuRate = scan.integer() as Nanocores | undefined;
        else scan.skip();
        if (draft.cpu !== undefined && draft.cpuRate !== undefined && draft.cpuTime !== undefined) {
          scan.leave();
          break;
        }
      }
    this.#field = '';
  }

  #memory(draft: SampleDraft): void {
    const scan = this.#scan;
    this.#field = 'memory';
    if (scan.enterObject())
      for (let key = scan.key(this.#memoryKeys, true); key !== undefined; key = scan.key(this.#memoryKeys, false)) {
        if (key === 'workingSetBytes') draft.memory = scan.integer() as Bytes | undefined;
        else if (key === 'usageBytes') draft.memoryUsage = scan.integer() as Bytes | undefined;
        else scan.skip();
        if (draft.memory !== undefined && draft.memoryUsage !== undefined) {
          scan.leave();
          break;
        }
      }
    this.#field = '';
  }

  #time(): EpochMs | undefined {
    const time = this.#scan.stringInPlace(usualTimeLength, readUsualTime);
    if (time !== undefined) return time;
    const text = this.#scan.passingString();
    return text === undefined ? undefined : readTime(text);
  }
}
