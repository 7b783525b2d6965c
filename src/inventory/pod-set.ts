import type { PodInfo } from '../model/inventory.ts';
import { NamespacePods } from './namespace-pods.ts';

const nothing: readonly PodInfo[] = [];

/** All running pods, by namespace and name. */
export class PodSet {
  readonly #namespaces = new Map<string, NamespacePods>();
  #namespaceNames: readonly string[] | undefined;
  #all: readonly PodInfo[] | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(namespace: string, name: string): PodInfo | undefined {
    return this.#namespaces.get(namespace)?.get(name);
  }

  /** Takes the place of a pod of the same namespace and name, which is returned. */
  put(pod: PodInfo): PodInfo | undefined {
    let pods = this.#namespaces.get(pod.namespace);
    if (pods === undefined) {
      pods = new NamespacePods();
      this.#namespaces.set(pod.namespace, pods);
      this.#namespaceNames = undefined;
    }
    const previous = pods.get(pod.name);
    if (previous === undefined) this.#size++;
    pods.set(pod);
    this.#all = undefined;
    return previous;
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
    this.#all = undefined;
    this.#size--;
    return pod;
  }

  /** By namespace, then name, both in byte order. The array never changes. */
  sorted(namespace?: string): readonly PodInfo[] {
    if (namespace !== undefined) return this.#namespaces.get(namespace)?.sorted() ?? nothing;
    // `concat` makes one array of the right size; `flatMap` grows through a dozen of them.
    return (this.#all ??= nothing.concat(
      ...this.#sortedNamespaces().map((name) => this.#namespaces.get(name)?.sorted() ?? nothing),
    ));
  }

  /** The pods whose label `key` is `value`, in the order of `sorted`; an undefined namespace means all. */
  withLabel(namespace: string | undefined, key: string, value: string): readonly PodInfo[] {
    if (namespace !== undefined) return this.#namespaces.get(namespace)?.withLabel(key, value) ?? nothing;
    return this.#sortedNamespaces().flatMap((name) => this.#namespaces.get(name)?.withLabel(key, value) ?? nothing);
  }

  #sortedNamespaces(): readonly string[] {
    return (this.#namespaceNames ??= [...this.#namespaces.keys()].sort((a, b) => (a < b ? -1 : 1)));
  }
}
