import type { GeometryBuilder } from "../../model/geometry-builder.ts";
import type { Affine } from "../../model/grid.ts";
import { growInts } from "./polygonize-pool.ts";

/**
 * Takes the rings of one polygon in pixel coordinates, with the polygon on their right hand as the eye sees it, splits those
 * that come back to a vertex, and writes shell and holes.
 *
 * A ring touches itself only where two pixels of the polygon meet at a corner, always from outside: the parts between two
 * visits never cross, so each closes a ring of its own as soon as a vertex comes again.
 */
export class RingSplitter {
  /** Columns and rows of the vertices of finished rings. */
  #done = new Int32Array(256);
  #doneCount = 0;
  /** First vertex of each finished ring. */
  #starts = new Int32Array(16);
  #rings = 0;
  #shell = -1;
  /** Vertices of the ring under way. */
  #open = new Int32Array(256);
  #openCount = 0;
  /** Where in `#open` a vertex is that may come again; by its place on the raster. */
  readonly #seen = new Map<number, number>();
  readonly #stride: number;

  /** @param stride  More than the largest column of a vertex. */
  constructor(stride: number) {
    this.#stride = stride;
  }

  /** Begin a polygon. */
  start(): void {
    this.#doneCount = 0;
    this.#rings = 0;
    this.#shell = -1;
  }

  /** Next vertex of a ring. `x` is twice the column, plus 1 where the ring may come back. */
  vertex(x: number, y: number): void {
    const col = x >> 1;
    if ((x & 1) === 1) {
      const place = y * this.#stride + col;
      const at = this.#seen.get(place);
      if (at !== undefined) {
        this.#finishFrom(at);
        if (this.#seen.size > 1) this.#forget(at + 1);
        this.#openCount = at + 1;
        return;
      }
      this.#seen.set(place, this.#openCount);
    }
    if (2 * this.#openCount === this.#open.length) this.#open = growInts(this.#open);
    this.#open[2 * this.#openCount] = col;
    this.#open[2 * this.#openCount++ + 1] = y;
  }

  closeRing(): void {
    this.#finishFrom(0);
    this.#openCount = 0;
    this.#seen.clear();
  }

  /** What was visited since position `at` is a ring; that vertex stays open. */
  #finishFrom(at: number): void {
    const open = this.#open;
    const count = this.#openCount - at;
    while (2 * (this.#doneCount + count) > this.#done.length) this.#done = growInts(this.#done);
    if (this.#rings + 1 >= this.#starts.length) this.#starts = growInts(this.#starts);
    let first = at;
    let twice = 0;
    for (let v = at; v < this.#openCount; v++) {
      const next = v + 1 < this.#openCount ? v + 1 : at;
      twice += open[2 * v]! * open[2 * next + 1]! - open[2 * next]! * open[2 * v + 1]!;
      const row = open[2 * v + 1]! - open[2 * first + 1]!;
      if (row < 0 || (row === 0 && open[2 * v]! < open[2 * first]!)) first = v;
    }
    if (twice > 0) this.#shell = this.#rings;
    const done = this.#done;
    let to = 2 * this.#doneCount;
    for (let v = first; v < this.#openCount; v++) {
      done[to++] = open[2 * v]!;
      done[to++] = open[2 * v + 1]!;
    }
    for (let v = at; v < first; v++) {
      done[to++] = open[2 * v]!;
      done[to++] = open[2 * v + 1]!;
    }
    this.#starts[this.#rings++] = this.#doneCount;
    this.#doneCount += count;
    this.#starts[this.#rings] = this.#doneCount;
  }

  #forget(first: number): void {
    for (let v = first; v < this.#openCount; v++) {
      this.#seen.delete(this.#open[2 * v + 1]! * this.#stride + this.#open[2 * v]!);
    }
  }

  /** Shell first, counter-clockwise in the CRS, then the holes; every ring starts at its topmost, then leftmost vertex. */
  write(builder: GeometryBuilder, transform: Affine): void {
    const [a, b, , d, e] = transform;
    const turn = a * e - b * d < 0;
    this.#writeRing(this.#shell, builder, transform, turn);
    for (let r = 0; r < this.#rings; r++) {
      if (r !== this.#shell) this.#writeRing(r, builder, transform, turn);
    }
  }

  #writeRing(r: number, builder: GeometryBuilder, [a, b, c, d, e, f]: Affine, turn: boolean): void {
    const start = this.#starts[r]!;
    const count = this.#starts[r + 1]! - start;
    builder.ring();
    for (let k = 0; k <= count; k++) {
      const v = 2 * (start + (k % count === 0 ? 0 : turn ? count - k : k));
      const col = this.#done[v]!;
      const row = this.#done[v + 1]!;
      builder.vertex(a * col + b * row + c, d * col + e * row + f);
    }
  }
}
