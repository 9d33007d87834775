/** A heap of cells, lowest key first; of equal keys the cell that comes first in the raster. */
export class CellHeap {
  #keys = new Float64Array(1024);
  #cells = new Int32Array(1024);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  push(key: number, cell: number): void {
    if (this.#count === this.#cells.length) this.#grow();
    const keys = this.#keys;
    const cells = this.#cells;
    let at = this.#count++;
    // Four children each: half as deep as two, and the children lie side by side.
    while (at > 0) {
      const parent = (at - 1) >> 2;
      const above = keys[parent]!;
      if (above < key || (above === key && cells[parent]! < cell)) break;
      keys[at] = above;
      cells[at] = cells[parent]!;
      at = parent;
    }
    keys[at] = key;
    cells[at] = cell;
  }

  /** Take the lowest cell out. The heap must not be empty. */
  pop(): number {
    const keys = this.#keys;
    const cells = this.#cells;
    const lowest = cells[0]!;
    const count = --this.#count;
    const key = keys[count]!;
    const cell = cells[count]!;
    let at = 0;
    for (;;) {
      const first = 4 * at + 1;
      if (first >= count) break;
      const end = first + 4 < count ? first + 4 : count;
      let child = first;
      let below = keys[first]!;
      for (let k = first + 1; k < end; k++) {
        const other = keys[k]!;
        if (other < below || (other === below && cells[k]! < cells[child]!)) {
          child = k;
          below = other;
        }
      }
      if (key < below || (key === below && cell < cells[child]!)) break;
      keys[at] = below;
      cells[at] = cells[child]!;
      at = child;
    }
    keys[at] = key;
    cells[at] = cell;
    return lowest;
  }

  #grow(): void {
    const keys = new Float64Array(2 * this.#count);
    const cells = new Int32Array(2 * this.#count);
    keys.set(this.#keys);
    cells.set(this.#cells);
    this.#keys = keys;
    this.#cells = cells;
  }
}
