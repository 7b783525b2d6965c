import type { PodBlock, PodInfo } from '../model/inventory.ts';
import { firstBehind, partOf, type Part } from '../model/sorted.ts';
import { PodBlocks } from './pod-blocks.ts';

/** Label keys indexed at a time; selectors of one namespace use few. */
const maxIndexedKeys = 4;
/** After more changes than these between two questions, indexes are made anew when next asked for; and the order, where they are also more than such a share of the pods. */
const maxChangesFollowed = 64;
const maxShareFollowed = 1 / 16;
const nothing: readonly PodInfo[] = [];

/** Label value -> pods in order of name. */
type LabelIndex = Map<string, PodInfo[]>;

/**
 * The pods of one namespace, in an order and with indexes that are made when asked for and follow when pods come and go: to sort and index 15,000 pods anew takes
 * a thousand times as long as to put one in its place. Arrays given out are copies, of as much as was asked for.
 */
export class NamespacePods {
  readonly #pods = new Map<string, PodInfo>();
  #inOrder: PodBlocks | undefined;
  /** By label key; the key used last stands last. */
  readonly #byLabel = new Map<string, LabelIndex>();
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

  /** In byte order of name (names are ASCII), by which a part is named. */
  sorted(part: Part<string>): readonly PodInfo[] {
    return this.#order().part(part);
  }

  /** All of them in order, in blocks. */
  blocks(): readonly PodBlock[] {
    return this.#order().all;
  }

  /** As `sorted`, of the pods whose label `key` is `value`. */
  withLabel(key: string, value: string, part: Part<string>): readonly PodInfo[] {
    this.#changes = 0;
    const index = this.#byLabel.get(key) ?? this.#index(key);
    this.#byLabel.delete(key);
    this.#byLabel.set(key, index);
    if (this.#byLabel.size > maxIndexedKeys) {
      const [oldest] = this.#byLabel.keys();
      if (oldest !== undefined) this.#byLabel.delete(oldest);
    }
    return partOf(index.get(value) ?? nothing, part, isBehind);
  }

  /** Forgets what was kept with blocks. */
  forgetKept(): void {
    for (const block of this.#inOrder?.all ?? []) block.kept = undefined;
  }

  #order(): PodBlocks {
    this.#changes = 0;
    return (this.#inOrder ??= new PodBlocks(this.#pods.values()));
  }

  #index(key: string): LabelIndex {
    const index = new Map<string, PodInfo[]>();
    for (const pod of this.sorted({})) {
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
      this.#byLabel.clear();
      if (this.#changes > this.#pods.size * maxShareFollowed) this.#inOrder = undefined;
    }
    if (pod !== undefined) this.#inOrder?.put(pod);
    else if (previous !== undefined) this.#inOrder?.delete(previous.name);
    for (const [key, index] of this.#byLabel) {
      const [from, to] = [previous?.labels[key], pod?.labels[key]];
      if (from === to) changeUnder(index, from, previous, pod);
      else {
        changeUnder(index, from, previous, undefined);
        changeUnder(index, to, undefined, pod);
      }
    }
  }
}

function isBehind({ name }: PodInfo, other: string): boolean {
  return name > other;
}

function changeUnder(
  index: LabelIndex,
  value: string | undefined,
  previous: PodInfo | undefined,
  pod: PodInfo | undefined,
): void {
  if (value === undefined) return;
  const pods = index.get(value) ?? [];
  change(pods, previous, pod);
  if (pods.length === 0) index.delete(value);
  else index.set(value, pods);
}

/** Puts `pod` in the place of `previous`, which has its name, among sorted pods. */
function change(sorted: PodInfo[], previous: PodInfo | undefined, pod: PodInfo | undefined): void {
  const name = (pod ?? previous)?.name ?? '';
  const at = firstBehind(sorted, (other) => other.name >= name);
  sorted.splice(at, previous === undefined ? 0 : 1, ...(pod === undefined ? [] : [pod]));
}
