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
