import type { PodBlock, PodInfo } from '../model/inventory.ts';
import { firstBehind, type Part } from '../model/sorted.ts';

/** Pods of a block when it is made; it may grow to twice as many before it is split. */
const usualSize = 128;

/**
 * The pods of one namespace, in byte order of name (names are ASCII), in blocks. Another block takes the place of one whose pods come, go or change; what was made of the
 * others stays good. To put a pod into its block takes a microsecond, where one array of 15,000 would be moved.
 */
export class PodBlocks {
  readonly #blocks: PodBlock[] = [];

  constructor(pods: Iterable<PodInfo>) {
    const sorted = [...pods].sort((a, b) => (a.name < b.name ? -1 : 1));
    for (let from = 0; from < sorted.length; from += usualSize)
      this.#blocks.push(newBlock(sorted.slice(from, from + usualSize)));
  }

  /** In order; none is empty. To be copied by whoever keeps it. */
  get all(): readonly PodBlock[] {
    return this.#blocks;
  }

  /** Takes the place of a pod of the same name. */
  put(pod: PodInfo): void {
    const at = Math.min(this.#blockOf(pod.name), Math.max(0, this.#blocks.length - 1));
    const pods = this.#blocks[at]?.pods ?? [];
    const place = firstBehind(pods, ({ name }) => name >= pod.name);
    const changed = pods.toSpliced(place, pods[place]?.name === pod.name ? 1 : 0, pod);
    const half = changed.length >>> 1;
    this.#replace(at, 1, changed.length > 2 * usualSize ? [changed.slice(0, half), changed.slice(half)] : [changed]);
  }

  delete(name: string): void {
    const at = this.#blockOf(name);
    const left = this.#blocks[at]?.pods.filter((pod) => pod.name !== name);
    if (left === undefined) return;
    const [before, after] = [this.#blocks[at - 1]?.pods, this.#blocks[at + 1]?.pods];
    const fits = (other: readonly PodInfo[]): boolean => left.length + other.length <= usualSize;
    if (before !== undefined && fits(before)) this.#replace(at - 1, 2, [[...before, ...left]]);
    else if (after !== undefined && fits(after)) this.#replace(at, 2, [[...left, ...after]]);
    else this.#replace(at, 1, left.length === 0 ? [] : [left]);
  }

  /** The part that follows the name `after`, which need not exist. A new array. */
  part({ after, count = Number.POSITIVE_INFINITY }: Part<string>): readonly PodInfo[] {
    const found: PodInfo[] = [];
    let at = after === undefined ? 0 : firstBehind(this.#blocks, ({ pods }) => (pods.at(-1)?.name ?? '') > after);
    for (; at < this.#blocks.length && found.length < count; at++) {
      const pods = this.#blocks[at]?.pods ?? [];
      const from = after === undefined ? 0 : firstBehind(pods, ({ name }) => name > after);
      for (const pod of pods.slice(from, from + count - found.length)) found.push(pod);
    }
    return found;
  }

  #replace(at: number, count: number, pods: readonly (readonly PodInfo[])[]): void {
    const blocks = pods.map(newBlock);
    const gone = this.#blocks.splice(at, count, ...blocks);
    if (gone.length === 1 && blocks[0] !== undefined) blocks[0].kept = gone[0]?.kept;
    // Who reads a list may hold them still, but need not hold what was made of them.
    for (const block of gone) block.kept = undefined;
  }

  /** Where the block is that holds a name, or would. */
  #blockOf(name: string): number {
    return firstBehind(this.#blocks, ({ pods }) => (pods.at(-1)?.name ?? '') >= name);
  }
}

function newBlock(pods: readonly PodInfo[]): PodBlock {
  return { pods, kept: undefined };
}
