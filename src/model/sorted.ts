/** A part of what is sorted: at most `count` items, or all, of those behind the key `after`, or from the first. */
export interface Part<Key> {
  readonly after?: Key | undefined;
  readonly count?: number;
}

/** @param isBehind whether an item stands behind a key */
export function partOf<Key, Item>(
  sorted: readonly Item[],
  { after, count = sorted.length }: Part<Key>,
  isBehind: (item: Item, key: Key) => boolean,
): readonly Item[] {
  const from = after === undefined ? 0 : firstBehind(sorted, (item) => isBehind(item, after));
  return sorted.slice(from, from + count);
}

/** Reads what is sorted batch by batch, each when it is asked for: what comes and goes in the meantime is there or not, and no array holds all. */
export function* inBatches<Key, Item extends Key>(
  count: number,
  read: (part: Part<Key>) => readonly Item[],
  from?: Key,
): Generator<readonly Item[]> {
  for (let after = from; ;) {
    const items = read({ after, count });
    yield items;
    if (items.length < count) return;
    after = items.at(-1);
  }
}

/** The first index for which `isBehind` holds, of items sorted so that it then holds for all that follow; their number where it holds for none. */
export function firstBehind<Item>(items: readonly Item[], isBehind: (item: Item) => boolean): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBehind(items[middle] as Item)) high = middle;
    else low = middle + 1;
  }
  return low;
}
