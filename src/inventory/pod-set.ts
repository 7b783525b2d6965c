import type { ObjectKey, PodBlock, PodInfo } from '../model/inventory.ts';
import { firstBehind, type Part } from '../model/sorted.ts';
import { NamespacePods } from './namespace-pods.ts';

const nothing: readonly PodInfo[] = [];
const everything: Part<ObjectKey> = {};

/** All running pods, by namespace and name. */
export class PodSet {
  readonly #namespaces = new Map<string, NamespacePods>();
  #namespaceNames: readonly string[] | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  sizeOf(namespace: string): number {
    return this.#namespaces.get(namespace)?.size ?? 0;
  }

  get(namespace: string, name: string): PodInfo | undefined {
    return this.#namespaces.get(namespace)?.get(name);
  }

  /** Takes the place of a pod of the same namespace and name. */
  put(pod: PodInfo): void {
    let pods = this.#namespaces.get(pod.namespace);
    if (pods === undefined) {
      pods = new NamespacePods();
      this.#namespaces.set(pod.namespace, pods);
      this.#namespaceNames = undefined;
    }
    if (pods.get(pod.name) === undefined) this.#size++;
    pods.set(pod);
  }

  /** The pod that was there, if any. */
  delete(namespace: string, name: string): PodInfo | undefined {
    const pods = this.#namespaces.get(namespace);
    const pod = pods?.get(name);
    if (pods === undefined || pod === undefined) return undefined;
    pods.delete(name);
    if (pods.size === 0) {
      this.#namespaces.delete(namespace);
      this.#namespaceNames = undefined;
    }
    this.#size--;
    return pod;
  }

  /** By namespace, then name, both in byte order; of one namespace, when it is given. A new array. */
  sorted(namespace: string | undefined, part: Part<ObjectKey> = everything): readonly PodInfo[] {
    if (namespace !== undefined) return this.#of(namespace, part, (pods, names) => pods.sorted(names));
    const { after, count = this.#size } = part;
    const names = this.#sortedNamespaces();
    let at = after === undefined ? 0 : firstBehind(names, (name) => name >= (after.namespace ?? ''));
    const pods: PodInfo[] = [];
    for (; at < names.length && pods.length < count; at++)
      for (const pod of this.sorted(names[at], { after, count: count - pods.length })) pods.push(pod);
    return pods;
  }

  /** The pods in the order of `sorted`, in blocks; those of each namespace as they are when its turn comes. */
  *blocks(namespace: string | undefined): Generator<PodBlock> {
    for (const name of namespace === undefined ? this.#sortedNamespaces() : [namespace])
      yield* this.#namespaces.get(name)?.blocks().slice() ?? [];
  }

  /** Forgets what was kept with blocks. */
  forgetKept(): void {
    for (const pods of this.#namespaces.values()) pods.forgetKept();
  }

  /** The pods of a namespace whose label `key` is `value`, in the order of `sorted`. A new array. */
  withLabel(namespace: string, key: string, value: string, part = everything): readonly PodInfo[] {
    return this.#of(namespace, part, (pods, names) => pods.withLabel(key, value, names));
  }

  /** What `read` finds of a part in a namespace, where pods go by their names. */
  #of(
    namespace: string,
    { after, ...rest }: Part<ObjectKey>,
    read: (pods: NamespacePods, names: Part<string>) => readonly PodInfo[],
  ): readonly PodInfo[] {
    const pods = this.#namespaces.get(namespace);
    if (pods === undefined || (after !== undefined && namespace < (after.namespace ?? ''))) return nothing;
    return read(pods, { ...rest, after: after?.namespace === namespace ? after.name : undefined });
  }

  #sortedNamespaces(): readonly string[] {
    return (this.#namespaceNames ??= [...this.#namespaces.keys()].sort((a, b) => (a < b ? -1 : 1)));
  }
}
