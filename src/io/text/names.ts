/** Gives out names once: a name that is taken gets `_2`, `_3` and so on. Fast also when many are alike. */
export class UniqueNames {
  readonly #used = new Set<string>();
  readonly #last = new Map<string, number>();

  take(wanted: string): string {
    let name = wanted;
    let n = this.#last.get(wanted) ?? 1;
    while (this.#used.has(name)) name = `${wanted}_${++n}`;
    this.#last.set(wanted, n);
    this.#used.add(name);
    return name;
  }
}
