import type { NodeInfo, ObjectKey, PodBlock, PodInfo } from '../model/inventory.ts';
import type { Part } from '../model/sorted.ts';
import { silentLogger, type Logger } from '../telemetry/log.ts';
import { Listeners, type InventoryListener } from './listeners.ts';
import { sameNode } from './nodes.ts';
import { PodSet } from './pod-set.ts';
import { samePod } from './pods.ts';

/** Where changes of one kind of object come in; the shape of a list-watch's sink. */
interface Sink<T> {
  replace(objects: readonly T[]): void;
  upsert(object: T): void;
  remove(object: T): void;
}

/** The nodes and running pods that the API server says exist. Arrays handed out never change; ask again after a change. */
export class Inventory {
  readonly #nodes = new Map<string, NodeInfo>();
  readonly #pods = new PodSet();
  readonly #listeners: Listeners;
  #sortedNodes: readonly NodeInfo[] | undefined;
  #nodesSynced = false;
  #podsSynced = false;

  constructor(logger: Logger = silentLogger) {
    this.#listeners = new Listeners(logger);
  }

  /** Takes nodes in; made by `watchInventory`, or by hand in tests. */
  readonly nodeSink: Sink<NodeInfo> = {
    replace: (nodes) => {
      const names = new Set(nodes.map(({ name }) => name));
      for (const node of this.#nodes.values()) if (!names.has(node.name)) this.nodeSink.remove(node);
      for (const node of nodes) this.nodeSink.upsert(node);
      this.#markSynced(() => (this.#nodesSynced = true));
    },
    upsert: (node) => {
      const previous = this.#nodes.get(node.name);
      if (previous !== undefined && sameNode(previous, node)) return;
      this.#nodes.set(node.name, node);
      this.#sortedNodes = undefined;
      if (previous === undefined) this.#listeners.tell((listener) => listener.nodeAdded?.(node));
      else this.#listeners.tell((listener) => listener.nodeChanged?.(node));
    },
    remove: ({ name }) => {
      const node = this.#nodes.get(name);
      if (node === undefined) return;
      this.#nodes.delete(name);
      this.#sortedNodes = undefined;
      this.#listeners.tell((listener) => listener.nodeRemoved?.(node));
    },
  };

  /** Takes running pods in. */
  readonly podSink: Sink<PodInfo> = {
    replace: (pods) => {
      const uids = new Set(pods.map(({ uid }) => uid));
      for (const pod of this.pods()) if (!uids.has(pod.uid)) this.podSink.remove(pod);
      for (const pod of pods) this.podSink.upsert(pod);
      this.#markSynced(() => (this.#podsSynced = true));
    },
    upsert: (pod) => {
      const { namespace, name } = pod;
      const previous = this.#pods.get(namespace, name);
      if (previous !== undefined && samePod(previous, pod)) return;
      if (previous !== undefined && previous.uid !== pod.uid) this.podSink.remove(previous);
      this.#pods.put(pod);
      if (previous?.uid !== pod.uid) this.#listeners.tell((listener) => listener.podAdded?.(pod, this.#podsSynced));
    },
    remove: ({ namespace, name }) => {
      const pod = this.#pods.delete(namespace, name);
      if (pod !== undefined) this.#listeners.tell((listener) => listener.podRemoved?.(pod));
    },
  };

  /** Both have been listed at least once. */
  get synced(): boolean {
    return this.#nodesSynced && this.#podsSynced;
  }

  get nodesSynced(): boolean {
    return this.#nodesSynced;
  }

  get podsSynced(): boolean {
    return this.#podsSynced;
  }

  get nodeCount(): number {
    return this.#nodes.size;
  }

  get podCount(): number {
    return this.#pods.size;
  }

  podCountOf(namespace: string): number {
    return this.#pods.sizeOf(namespace);
  }

  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name);
  }

  /** In byte order of name. */
  nodes(): readonly NodeInfo[] {
    return (this.#sortedNodes ??= [...this.#nodes.values()].sort((a, b) => (a.name < b.name ? -1 : 1)));
  }

  pod(namespace: string, name: string): PodInfo | undefined {
    return this.#pods.get(namespace, name);
  }

  /** Pods, of one namespace when it is given: by namespace, then name, in byte order. A new array each time: large clusters are read part by part. */
  pods(namespace?: string, part?: Part<ObjectKey>): readonly PodInfo[] {
    return this.#pods.sorted(namespace, part);
  }

  /** As `pods`, in blocks that stay the same as long as their pods do; those of each namespace as they are when its turn comes. */
  podBlocks(namespace?: string): Iterable<PodBlock> {
    return this.#pods.blocks(namespace);
  }

  /** Forgets what was kept with blocks. */
  forgetKept(): void {
    this.#pods.forgetKept();
  }

  /** The pods of a namespace whose label `key` is `value`; as `pods`. */
  podsWithLabel(namespace: string, key: string, value: string, part?: Part<ObjectKey>): readonly PodInfo[] {
    return this.#pods.withLabel(namespace, key, value, part);
  }

  /** Hears of every change from now on. Returns how to stop it. */
  subscribe(listener: InventoryListener): () => void {
    return this.#listeners.add(listener);
  }

  #markSynced(mark: () => void): void {
    const before = this.synced;
    mark();
    if (!before && this.synced) this.#listeners.tell((listener) => listener.synced?.());
  }
}
