import type { PodInfo } from '../model/inventory.ts';
import { firstBehind } from '../model/sorted.ts';

/** Label keys indexed at a time; selectors of one namespace use few. */
const maxIndexedKeys = 4;
/** After more changes than these between two questions, orders and indexes are made anew when next asked for. */
const maxChangesFollowed = 64;
const nothing: readonly PodInfo[] = [];

/** Label value -> pods in order of name. */
type LabelIndex = Map<string, PodInfo[]>;

/**
 * The pods of one namespace, with orders and indexes that are made when asked for and follow when pods come and go: to sort and index 15,000 pods anew takes a
 * hundred times as long as to copy an array of them.
 */
export class NamespacePods {
  readonly #pods = new Map<string, PodInfo>();
  #sorted: PodInfo[] | undefined;
  /** By label key; the key used last stands last. */
  readonly #byLabel = new Map<string, LabelIndex>();
  /** Arrays that somebody may hold, which therefore stay as they are. */
  readonly #givenOut = new WeakSet<readonly PodInfo[]>();
  /** Since the last question. */
  #changes = 0;

  get size(): number {
    return this.#pods.size;
  }

  get(name: string): PodInfo | undefined {
    return this.#pods.get(name);
  }

  set(pod: PodInfo): void {
    const previous = this.#pods.get(pod.name);
    this.#pods.set(pod.name, pod);
    this.#follow(previous, pod);
  }

  delete(name: string): void {
    const previous = this.#pods.get(name);
    if (this.#pods.delete(name)) this.#follow(previous, undefined);
  }

  /** In byte order of name (names are ASCII). The array never changes. */
  sorted(): readonly PodInfo[] {
    this.#sorted ??= [...this.#pods.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    return this.#giveOut(this.#sorted);
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
    const pods = index.get(value);
    return pods === undefined ? nothing : this.#giveOut(pods);
  }

  #giveOut(pods: PodInfo[]): readonly PodInfo[] {
    this.#changes = 0;
    this.#givenOut.add(pods);
    return pods;
  }

  #index(key: string): LabelIndex {
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

  /** @param previous the pod of that name before the change, `pod` after it */
  #follow(previous: PodInfo | undefined, pod: PodInfo | undefined): void {
    if (++this.#changes > maxChangesFollowed) {
      this.#sorted = undefined;
      this.#byLabel.clear();
    }
    if (this.#sorted !== undefined) this.#sorted = this.#changed(this.#sorted, previous, pod);
    for (const [key, index] of this.#byLabel) {
      const [from, to] = [previous?.labels[key], pod?.labels[key]];
      if (from === to) this.#change(index, from, previous, pod);
      else {
        this.#change(index, from, previous, undefined);
        this.#change(index, to, undefined, pod);
      }
    }
  }

  #change(index: LabelIndex, value: string | undefined, previous: PodInfo | undefined, pod: PodInfo | undefined): void {
    if (value === undefined) return;
    const pods = this.#changed(index.get(value) ?? [], previous, pod);
    if (pods.length === 0) index.delete(value);
    else index.set(value, pods);
  }

  /** Sorted pods in which `pod` has taken the place of `previous`, which has its name. */
  #changed(sorted: PodInfo[], previous: PodInfo | undefined, pod: PodInfo | undefined): PodInfo[] {
    const pods = this.#givenOut.has(sorted) ? [...sorted] : sorted;
    const name = (pod ?? previous)?.name ?? '';
    const at = firstBehind(pods, (other) => other.name >= name);
    pods.splice(at, previous === undefined ? 0 : 1, ...(pod === undefined ? [] : [pod]));
    return pods;
  }
}
