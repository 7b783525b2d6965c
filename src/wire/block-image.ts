import type { MetricsBlock, MetricsList } from '../metrics-api/list.ts';
import type { Fragment, NodeMetrics, PodMetrics } from '../metrics-api/objects.ts';
import { epochMs, type EpochMs } from '../model/units.ts';
import type { PodUsage } from '../model/window.ts';
import type { Stamp } from './time.ts';

/** The beginning of an item that stays as long as the Node or Pod does; `creationTimestamp` may be stamped already. */
export type ItemMetadata = Pick<Fragment, 'bytes' | 'contentAt' | 'metadataEnd' | 'stampAt'>;

/** One encoding of the items of lists. */
export interface ItemEncoding {
  /** Of each kind one image of a block is kept. */
  readonly kind: 'json' | 'protobuf' | 'table';
  /** Tells it from others of its kind, whose items are other bytes. */
  readonly name: string;
  /** Stands between items; one byte or none. */
  readonly separator: Buffer;
  /** Kept with the object. */
  readonly fragment: (object: NodeMetrics | PodMetrics) => Fragment;
  /** Not kept. @param metadata of the same object, if it is known */
  readonly encode: (object: NodeMetrics | PodMetrics, metadata: ItemMetadata | undefined) => Fragment;
  readonly stampOf: (stamp: Stamp) => Buffer;
}

/** What lists are put together from: one item or more, with separators between. It stays as it is until it is released. */
export interface Chunk {
  readonly bytes: Buffer;
  readonly length: number;
  /** Where the time of the answer is written into a copy; negative where it is in there already, or not at all. */
  readonly stampAt: number;
}

/** Chunks that follow each other. */
export interface Batch {
  readonly chunks: readonly Chunk[];
  /** To be called when they are copied: they will be written over. */
  readonly release: () => void;
}

type Images = { [Kind in ItemEncoding['kind']]?: BlockImage };

/** Microseconds that a list takes before others have their turn, and what blocks and pods take about. */
const stretch = 1000;
const costs = { block: 2, unchanged: 0.1, changed: 2 };

/** The items of a list from the images of its blocks, or each by itself where there are none. */
export function* encodedBatches(list: MetricsList, encoding: ItemEncoding, stamp: Stamp): Generator<Batch> {
  if (list.blocks === undefined) {
    for (const batch of list.batches) yield { chunks: batch.map((item) => encoding.fragment(item)), release() {} };
    return;
  }
  let images: BlockImage[] = [];
  let spent = 0;
  for (const block of list.blocks) {
    const image = imageOf(block, encoding);
    const changes = image.update(block, stamp, list.taken);
    images.push(image);
    spent += costs.block + block.pods.length * costs.unchanged + changes * costs.changed;
    if (spent < stretch) continue;
    yield batchOf(images);
    images = [];
    spent = 0;
  }
  yield batchOf(images);
}

function imageOf(block: MetricsBlock, encoding: ItemEncoding): BlockImage {
  const images = (block.kept ??= {}) as Images;
  const { kind, name } = encoding;
  const image = images[kind];
  return image?.name === name ? image : (images[kind] = new BlockImage(encoding));
}

function batchOf(images: readonly BlockImage[]): Batch {
  const held = images.map((image) => image.hold());
  const release = (): void => {
    for (const chunk of held) chunk.release();
  };
  return { chunks: held.filter(({ length }) => length > 0), release };
}

/** Memory of an image. What readers hold is not written over but left to them. */
interface Storage {
  readonly bytes: Buffer;
  readers: number;
}

/** A place whose item is another than in the image; undefined where there is none any more. */
interface Change {
  readonly place: number;
  readonly usage: PodUsage | undefined;
  readonly item: Fragment | undefined;
}

/** Where images are put together before they replace what they are made of. */
let scratch = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * The items of a block as they stand in a list, stamped. Only what changed is encoded, and most of the rest is not even looked at: a list of 7,000 pods takes a third of
 * the time in which each item is found, copied and stamped by itself, most of which are waits for memory.
 */
export class BlockImage {
  readonly #encoding: ItemEncoding;
  #storage: Storage = { bytes: Buffer.alloc(0), readers: 0 };
  /** The Pod in each place. */
  #pods: readonly object[] = [];
  /** Of each place, what is in the image: usage, and its revision. */
  #usages: (PodUsage | undefined)[] = [];
  #revisions = new Int32Array(0);
  #timestamps = new Float64Array(0);
  /** Behind the item in each place and its separator. What is not served takes nothing. */
  #ends = new Uint32Array(0);
  /** As of fragments. */
  #contentAt = new Uint32Array(0);
  #metadataEnds = new Uint32Array(0);
  #stampAt = new Int32Array(0);
  #stamped = '';

  constructor(encoding: ItemEncoding) {
    this.#encoding = encoding;
  }

  /** Of its encoding. */
  get name(): string {
    return this.#encoding.name;
  }

  /**
   * Makes it tell of the present.
   *
   * @param taken hears the timestamp of each item in it
   * @returns how many items were encoded or went
   */
  update(block: MetricsBlock, stamp: Stamp, taken: ((timestamp: EpochMs) => void) | undefined): number {
    if (block.pods !== this.#pods) this.#align(block.pods);
    const changes = this.#changes(block);
    if (changes.length > 0) this.#rewrite(changes);
    if (changes.length > 0 || this.#stamped !== stamp.text) this.#stamp(stamp);
    if (taken !== undefined)
      for (let place = 0; place < this.#ends.length; place++)
        if (this.#usages[place] !== undefined) taken(epochMs(this.#timestamps[place] ?? Number.NaN));
    return changes.length;
  }

  /** The whole image, which stays as it is until it is released. */
  hold(): Chunk & { readonly release: () => void } {
    const storage = this.#storage;
    storage.readers++;
    const length = Math.max(0, this.#end - this.#encoding.separator.length);
    return { bytes: storage.bytes.subarray(0, length), length, stampAt: -1, release: () => void storage.readers-- };
  }

  get #end(): number {
    return this.#endOf(this.#ends.length - 1);
  }

  /**
   * Makes room for other Pods, between those in the beginning and at the end that are the same: what there is of these stays, as when one of 200 is replaced. With 150,000
   * pods, of which 25 a second are, new images would be 2 MB a second, and V8 would mark its 160 MB every half a minute.
   */
  #align(pods: readonly object[]): void {
    const old = this.#pods;
    const most = Math.min(old.length, pods.length);
    let head = 0;
    while (head < most && old[head] === pods[head]) head++;
    let tail = 0;
    while (tail < most - head && old[old.length - 1 - tail] === pods[pods.length - 1 - tail]) tail++;
    const begin = this.#endOf(head - 1);
    const gap = this.#endOf(old.length - 1 - tail) - begin;
    const end = this.#end;

    const moved = { head, tail, size: pods.length };
    const others = pods.slice(head, pods.length - tail).map(() => undefined);
    this.#usages.splice(head, old.length - tail - head, ...others);
    this.#revisions = aligned(this.#revisions, new Int32Array(pods.length), moved);
    this.#timestamps = aligned(this.#timestamps, new Float64Array(pods.length), moved);
    this.#ends = aligned(this.#ends, new Uint32Array(pods.length), moved);
    this.#contentAt = aligned(this.#contentAt, new Uint32Array(pods.length), moved);
    this.#metadataEnds = aligned(this.#metadataEnds, new Uint32Array(pods.length), moved);
    this.#stampAt = aligned(this.#stampAt, new Int32Array(pods.length), moved);
    this.#ends.fill(begin, head, pods.length - tail);
    for (let place = pods.length - tail; place < pods.length; place++)
      this.#ends[place] = (this.#ends[place] ?? 0) - gap;
    this.#pods = pods;
    if (gap > 0) this.#writable().copyWithin(begin, begin + gap, end);
  }

  /** The image, to be changed in place: readers keep the one that they hold. */
  #writable(): Buffer {
    if (this.#storage.readers > 0) this.#storage = { bytes: Buffer.from(this.#storage.bytes), readers: 0 };
    return this.#storage.bytes;
  }

  /** Where the item in a place ends; that before the first is at the beginning. */
  #endOf(place: number): number {
    return place < 0 ? 0 : (this.#ends[place] ?? 0);
  }

  /** Finds what is another than in the image, and encodes it. */
  #changes(block: MetricsBlock): readonly Change[] {
    const changes: Change[] = [];
    const now = block.now();
    for (let place = 0; place < this.#ends.length; place++) {
      const usage = block.usage(place, now);
      const last = this.#usages[place];
      if (usage === last && (usage === undefined || usage.revision === this.#revisions[place])) continue;
      const metadata = last === undefined ? undefined : this.#metadata(place);
      const item = usage && this.#encoding.encode(block.object(place, usage), metadata);
      changes.push({ place, usage, item });
    }
    return changes;
  }

  #metadata(place: number): ItemMetadata {
    const start = this.#endOf(place - 1);
    return {
      bytes: this.#storage.bytes.subarray(start, this.#ends[place]),
      contentAt: this.#contentAt[place] ?? 0,
      metadataEnd: this.#metadataEnds[place] ?? 0,
      stampAt: this.#stampAt[place] ?? 0,
    };
  }

  /** Puts the changes, which are in order of place, between what stays. */
  #rewrite(changes: readonly Change[]): void {
    const { separator } = this.#encoding;
    const ends = this.#ends;
    const { bytes: old, readers } = this.#storage;
    let length = this.#end;
    for (const { place, item } of changes)
      length +=
        (item === undefined ? 0 : item.length + separator.length) - (this.#endOf(place) - this.#endOf(place - 1));
    const fits = readers === 0 && length <= old.length;
    const target = fits ? scratchOf(length) : Buffer.allocUnsafeSlow(length + (length >>> 4));

    let [from, at, next] = [0, 0, 0];
    /** What stays, from `from` up to the item in a place; `next` is the first place in it. */
    const keep = (upTo: number, end: number): void => {
      if (end > from) target.set(old.subarray(from, end), at);
      const shift = at - from;
      for (; next < upTo; next++) ends[next] = (ends[next] ?? 0) + shift;
      at += end - from;
    };
    for (const { place, usage, item } of changes) {
      keep(place, place === next ? from : this.#endOf(place - 1));
      from = this.#endOf(place);
      if (item !== undefined) {
        target.set(item.bytes, at);
        target.set(separator, at + item.length);
        at += item.length + separator.length;
        this.#contentAt[place] = item.contentAt;
        this.#metadataEnds[place] = item.metadataEnd;
        this.#stampAt[place] = item.stampAt;
      }
      this.#usages[place] = usage;
      this.#revisions[place] = usage?.revision ?? 0;
      this.#timestamps[place] = usage?.timestamp ?? 0;
      ends[place] = at;
      next = place + 1;
    }
    keep(ends.length, next === ends.length ? from : this.#end);
    if (fits) old.set(target.subarray(0, length));
    else this.#storage = { bytes: target, readers: 0 };
  }

  #stamp(stamp: Stamp): void {
    const bytes = this.#encoding.stampOf(stamp);
    const image = this.#writable();
    let start = 0;
    for (let place = 0; place < this.#ends.length; place++) {
      const end = this.#ends[place] ?? 0;
      const stampAt = this.#stampAt[place] ?? -1;
      if (end > start && stampAt >= 0) image.set(bytes, start + stampAt);
      start = end;
    }
    this.#stamped = stamp.text;
  }
}

/** Fills `to` with the head and the tail of `from`. */
function aligned<Numbers extends Int32Array | Uint32Array | Float64Array>(
  from: Numbers,
  to: Numbers,
  { head, tail, size }: { readonly head: number; readonly tail: number; readonly size: number },
): Numbers {
  to.set(from.subarray(0, head));
  to.set(from.subarray(from.length - tail), size - tail);
  return to;
}

function scratchOf(length: number): Buffer {
  if (scratch.length < length) scratch = Buffer.allocUnsafeSlow(2 * length);
  return scratch;
}
