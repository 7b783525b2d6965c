import type { Clock } from '../model/clock.ts';
import type { NodeInfo } from '../model/inventory.ts';
import type { NodeReading, PodSample } from '../model/sample.ts';
import type { NodeUsage, PodUsage } from '../model/window.ts';
import { epochMs, milliseconds, monotonicMs, nanocores, type Milliseconds, type MonotonicMs } from '../model/units.ts';
import { readWhenAsked } from './fresh-stamps.ts';
import { PodSeries, type PodIdentity } from './pod-series.ts';
import type { Absence, Refusal } from './refusal.ts';
import { Census } from './census.ts';
import { SeriesTable } from './series-table.ts';
import { Series, type Acceptance, type ReadingContext } from './series.ts';

/** The pods that the API server says are running. */
export interface PodDirectory {
  pod(namespace: string, name: string): PodIdentity | undefined;
}

export interface WindowStoreOptions {
  readonly clock: Clock;
  readonly resolution: Milliseconds;
  /** How long the last good window is served. */
  readonly maxAge: Milliseconds;
  readonly pods: PodDirectory;
  /** Called for each new window, with its age by the kubelet's clock. */
  readonly onWindow?: (of: 'node' | 'container', age: Milliseconds) => void;
  /** Called for each sample that made no window, repeats aside. */
  readonly onRefusal?: (refusal: Refusal) => void;
}

/** The series of a node, with those of the pods that it reports. */
class NodeSeries extends Series implements NodeUsage {
  /** By the kubelet's UID. */
  readonly pods = new Map<string, PodSeries>();
  hasSample = false;
  kept: object | undefined;

  get revision(): number {
    return this.windowsMade;
  }
}

/** A rate above this share of what the node has is a fault of the source (rule 9). */
const mostOfCapacity = 1.5;
/** So many pods under other UIDs are no ghosts. */
const foreignUidsProven = 2;
/** Nodes counted in one turn: a millisecond with 30 pods on each. */
const nodesInTurn = 200;
/** Clocks that differ by less are taken as one: the Date header has whole seconds. */
const toleratedSkew = 3_000;

/** Usage windows of all nodes and running containers, in memory. Memory is bounded by what nodes report and goes when nodes and pods go. */
export class WindowStore {
  readonly #options: WindowStoreOptions;
  readonly #table = new SeriesTable();
  readonly #nodes = new Map<string, NodeSeries>();
  /** By the kubelet's UID; a second pod of the same UID under `sharedUidKey`. */
  readonly #pods = new Map<string, PodSeries>();

  constructor(options: WindowStoreOptions) {
    this.#options = options;
  }

  /** Takes in one answer of a node; what it brings is served from now on. */
  accept(node: NodeInfo, reading: NodeReading): void {
    const entry = this.#node(node.name);
    const context = this.#context(node, reading);
    const { onWindow, onRefusal } = this.#options;
    const tell = (of: 'node' | 'container', acceptance: Acceptance, series: Series): void => {
      if (acceptance === 'window') onWindow?.(of, milliseconds(Math.max(0, context.kubeletNow - series.timestamp)));
      else if (acceptance !== 'repeat' && acceptance !== 'older') onRefusal?.(acceptance);
    };
    const tellContainer = (acceptance: Acceptance, series: Series): void => tell('container', acceptance, series);
    entry.hasSample = reading.node !== undefined;
    // cAdvisor samples the node itself, also where containers are read over CRI.
    const nodeContext = { ...context, readWithin: undefined };
    if (reading.node !== undefined) tell('node', entry.accept(reading.node, nodeContext, false), entry);
    for (const pod of entry.pods.values()) pod.reported = false;
    const running = runningByName(reading.pods, this.#options.pods);
    for (const [index, sample] of reading.pods.entries()) {
      // A pod without containers is one the kubelet knows nothing of at the moment.
      if (sample.containers.length === 0) continue;
      const uid = running === undefined ? this.#uidOf(sample) : running[index]?.kubeletUid;
      if (uid === undefined) continue;
      const pod = entry.pods.get(uid) ?? this.#newPod(node.name, entry, sample, uid);
      pod.accept(sample.containers, context, tellContainer);
    }
    this.#forgetGone(entry, context.readAt);
  }

  /** The node's usage, or undefined while there is none or it is too old. */
  node(name: string, now = this.#options.clock.monotonic()): NodeUsage | undefined {
    const series = this.#nodes.get(name);
    return series !== undefined && series.goodUntil >= now ? series : undefined;
  }

  /** The pod's usage, or undefined while it is incomplete or too old. */
  pod(pod: PodIdentity, now = this.#options.clock.monotonic()): PodUsage | undefined {
    const usage = pod.series?.usage(now);
    if (usage !== undefined) return usage;
    const found = this.#find(pod);
    if (found !== undefined) pod.series = found;
    return found?.usage(now);
  }

  /** The present by which windows age; asked for once, it serves for many pods. */
  now(): MonotonicMs {
    return this.#options.clock.monotonic();
  }

  /** Why `node` is undefined. */
  nodeAbsence(name: string): Absence {
    const entry = this.#nodes.get(name);
    if (entry === undefined) return { reason: 'not_scraped' };
    if (!entry.hasSample && entry.windowsMade === 0) return { reason: 'not_reported' };
    return { reason: entry.refusal ?? 'expired' };
  }

  /** Why `pod` is undefined. A pod no node has mentioned yet may be on a node that was not scraped: `nodeScraped` tells. */
  podAbsence(pod: PodIdentity, nodeScraped: boolean): Absence {
    return (
      this.#find(pod)?.absence(this.#options.clock.monotonic()) ?? {
        reason: nodeScraped ? 'not_reported' : 'not_scraped',
      }
    );
  }

  /** The node that reports a pod, if one does. */
  nodeOf(pod: PodIdentity): string | undefined {
    return this.#find(pod)?.nodeName;
  }

  /** Counts the windows that may be served; yields where others may have a turn. */
  *census(): Generator<void, { readonly node: Census; readonly container: Census }> {
    const nodes = new Census();
    const containers = new Census();
    let counted = 0;
    for (const node of this.#nodes.values()) {
      const now = this.#options.clock.monotonic();
      if (node.goodUntil >= now) nodes.add(node.timestamp);
      for (const pod of node.pods.values()) pod.countServed(now, containers);
      if (++counted % nodesInTurn === 0) yield;
    }
    return { node: nodes, container: containers };
  }

  /** Series held, for the memory's sake. */
  get size(): { readonly nodes: number; readonly pods: number; readonly series: number } {
    return { nodes: this.#nodes.size, pods: this.#pods.size, series: this.#table.size };
  }

  /** Forgets a node that left, with the pods it reported. */
  removeNode(name: string): void {
    const entry = this.#nodes.get(name);
    if (entry === undefined) return;
    this.#nodes.delete(name);
    entry.dispose();
    for (const pod of entry.pods.values()) this.#dropPod(entry, pod);
  }

  /** Forgets a pod that ended. */
  removePod(identity: PodIdentity): void {
    const pod = this.#find(identity);
    const entry = pod && this.#nodes.get(pod.nodeName);
    if (pod === undefined || entry === undefined) return;
    this.#dropPod(entry, pod);
  }

  #find(pod: PodIdentity): PodSeries | undefined {
    const found = this.#pods.get(pod.kubeletUid);
    return found?.name === pod.name && found.namespace === pod.namespace ? found : this.#pods.get(sharedUidKey(pod));
  }

  #node(name: string): NodeSeries {
    let entry = this.#nodes.get(name);
    if (entry === undefined) this.#nodes.set(name, (entry = new NodeSeries(this.#table)));
    return entry;
  }

  /** The kubelet's UID of a reported pod; undefined for one that cannot be matched. */
  #uidOf({ uid, namespace, name }: PodSample): string | undefined {
    return uid ?? this.#options.pods.pod(namespace, name)?.kubeletUid;
  }

  /** Takes a pod in that the node reports for the first time; one of the same name under another UID goes, so that they never mix. */
  #newPod(nodeName: string, entry: NodeSeries, sample: PodSample, kubeletUid: string): PodSeries {
    const running = this.#options.pods.pod(sample.namespace, sample.name);
    // The inventory's strings, where it has them: two copies of names and UIDs would be 200 bytes for each pod.
    const identity =
      running?.kubeletUid === kubeletUid ? running : { kubeletUid, namespace: sample.namespace, name: sample.name };
    const namesake = this.#find(identity);
    if (namesake !== undefined) this.removePod(identity);
    const pod = new PodSeries(this.#table, nodeName, identity);
    entry.pods.set(kubeletUid, pod);
    this.#pods.set(this.#pods.has(kubeletUid) ? sharedUidKey(identity) : kubeletUid, pod);
    return pod;
  }

  /** A pod the node no longer mentions is kept while it runs by the API server's word and its windows may be served; a ghost goes at once. */
  #forgetGone(entry: NodeSeries, now: MonotonicMs): void {
    for (const pod of entry.pods.values()) {
      if (pod.reported) continue;
      const isRunning = this.#options.pods.pod(pod.namespace, pod.name)?.kubeletUid === pod.kubeletUid;
      if (!isRunning || !pod.hasFreshWindow(now)) this.#dropPod(entry, pod);
    }
  }

  #dropPod(entry: NodeSeries, pod: PodSeries): void {
    entry.pods.delete(pod.kubeletUid);
    for (const key of [pod.kubeletUid, sharedUidKey(pod)]) if (this.#pods.get(key) === pod) this.#pods.delete(key);
    pod.dispose();
  }

  #context(node: NodeInfo, reading: NodeReading): ReadingContext {
    const { resolution, maxAge } = this.#options;
    const skewed = reading.date !== undefined && Math.abs(reading.date - reading.answeredAtWall) > toleratedSkew;
    return {
      precision: milliseconds(reading.timePrecision),
      readAt: monotonicMs((reading.requestedAt + reading.answeredAt) / 2),
      kubeletNow: epochMs(skewed ? (reading.date ?? reading.answeredAtWall) : reading.answeredAtWall),
      readWithin: readWhenAsked(reading) ? milliseconds((reading.answeredAt - reading.requestedAt) / 2) : undefined,
      mostCpu: node.cpuCapacity === undefined ? undefined : nanocores(node.cpuCapacity * mostOfCapacity),
      resolution,
      maxAge,
    };
  }
}

/** A UID written into the manifest of a static pod is the same on every node that has the manifest. */
function sharedUidKey({ kubeletUid, namespace, name }: PodIdentity): string {
  return `${kubeletUid}/${namespace}/${name}`;
}

/**
 * The running pods of the names in an answer, if its kubelet makes up UIDs of its own, as simulators and virtual kubelets do: it reports running pods by their names, but not
 * one of them by the UID that the API server gave it. Then names are all there is to go by, as with `/metrics/resource`. A single such pod proves nothing: it may be the
 * ghost of one that was replaced under the same name.
 */
function runningByName(
  pods: readonly PodSample[],
  directory: PodDirectory,
): readonly (PodIdentity | undefined)[] | undefined {
  const running: (PodIdentity | undefined)[] = [];
  let strangers = 0;
  for (const { namespace, name, uid } of pods) {
    const known = directory.pod(namespace, name);
    if (known !== undefined && known.kubeletUid === uid) return undefined;
    if (known !== undefined && uid !== undefined) strangers++;
    running.push(known);
  }
  return strangers >= foreignUidsProven ? running : undefined;
}
