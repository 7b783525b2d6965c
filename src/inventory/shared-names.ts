/** More distinct names than clusters have namespaces; what is beyond is merely not shared. */
const maxNames = 20_000;

/** One string for each distinct name, since every parsed object brings its own copy. */
export class SharedNames {
  readonly #names = new Map<string, string>();

  share(name: string): string {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    if (this.#names.size >= maxNames) this.#names.clear();
    this.#names.set(name, name);
    return name;
  }
}
