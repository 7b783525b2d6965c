import type { PodInfo } from '../model/inventory.ts';

/** Label keys indexed at a time; selectors of one namespace use few. */
const maxIndexedKeys = 4;
const nothing: readonly PodInfo[] = [];

/** The pods of one namespace, with orders and indexes that are made when asked for. */
export class NamespacePods {
  readonly #pods = new Map<string, PodInfo>();
  #sorted: PodInfo[] | undefined;
  /** Somebody holds `#sorted`, which therefore must not change. */
  #isShared = false;
  /** Label key -> value -> pods in order of name; the key used last stands last. */
  readonly #byLabel = new Map<string, ReadonlyMap<string, readonly PodInfo[]>>();

  get size(): number {
    return this.#pods.size;
  }

  get(name: string): PodInfo | undefined {
    return this.#pods.get(name);
  }

  set(pod: PodInfo): void {
    const isNew = this.#pods.get(pod.name) === undefined;
    this.#pods.set(pod.name, pod);
    this.#splice(pod.name, isNew ? 0 : 1, pod);
  }

  delete(name: string): void {
    if (this.#pods.delete(name)) this.#splice(name, 1);
  }

  values(): IterableIterator<PodInfo> {
    return this.#pods.values();
  }

  /** In byte order of name (names are ASCII). The array never changes. */
  sorted(): readonly PodInfo[] {
    this.#isShared = true;
    return (this.#sorted ??= [...this.#pods.values()].sort((a, b) => (a.name < b.name ? -1 : 1)));
  }

  /** The pods whose label `key` is `value`, in byte order of name. The array never changes. */
  withLabel(key: string, value: string): readonly PodInfo[] {
    const index = this.#byLabel.get(key) ?? this.#index(key);
    this.#byLabel.delete(key);
    this.#byLabel.set(key, index);
    if (this.#byLabel.size > maxIndexedKeys) {
      const [oldest] = this.#byLabel.keys();
      if (oldest !== undefined) this.#byLabel.delete(oldest);
    }
    return index.get(value) ?? nothing;
  }

  #index(key: string): ReadonlyMap<string, readonly PodInfo[]> {
    const index = new Map<string, PodInfo[]>();
    for (const pod of this.sorted()) {
      const value = pod.labels[key];
      if (value === undefined) continue;
      const pods = index.get(value);
      if (pods === undefined) index.set(value, [pod]);
      else pods.push(pod);
    }
    return index;
  }

  /** Keeps the order where pods come and go: to sort 15,000 anew takes 100 times as long as to copy the array. */
  #splice(name: string, removed: number, ...added: PodInfo[]): void {
    this.#byLabel.clear();
    if (this.#sorted === undefined) return;
    if (this.#isShared) this.#sorted = [...this.#sorted];
    this.#isShared = false;
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sorted[middle]?.name ?? '') < name) low = middle + 1;
      else high = middle;
    }
    this.#sorted.splice(low, removed, ...added);
  }
}
