import type { GeometryColumn } from "../../../model/geometry.ts";
import type { GeometryBuilder } from "../../../model/geometry-builder.ts";
import { insideRings, ringOf, ringsMeet } from "./simple-rings.ts";

/**
 * Rings in flat arrays that keep their size when emptied. Ring `r` owns vertices `starts[r] .. starts[r + 1] - 1`; the first
 * vertex is not repeated at its end.
 */
export class RingSet {
  /** Finished rings. */
  count = 0;
  xy: Float64Array = new Float64Array(256);
  /** Vertex of a column that each vertex is, -1 for new ones. */
  from: Int32Array = new Int32Array(128);
  starts: Int32Array = new Int32Array(9);
  #vertices = 0;
  /** Of the polygons that {@link arrange} made: their rings in order, each shell before its holes. */
  #order: number[] = [];
  #shell = new Uint8Array(8);
  #begin = new Int32Array(8);
  /** Number of polygons. */
  polygons = 0;

  clear(): void {
    this.count = 0;
    this.#vertices = 0;
    this.polygons = 0;
    this.#order.length = 0;
  }

  /** Drop rings from `count` on, and what is not closed; they must not have been arranged. */
  truncate(count: number): void {
    this.count = count;
    this.#vertices = this.starts[count]!;
  }

  /** Make room for vertices. */
  reserve(vertices: number): void {
    const wanted = this.#vertices + vertices;
    if (wanted <= this.from.length) return;
    const size = Math.max(wanted, 2 * this.from.length);
    const xy = new Float64Array(2 * size);
    xy.set(this.xy);
    this.xy = xy;
    const from = new Int32Array(size);
    from.set(this.from);
    this.from = from;
  }

  add(x: number, y: number, from: number): void {
    if (this.#vertices === this.from.length) this.reserve(1);
    const at = this.#vertices++;
    this.xy[2 * at] = x;
    this.xy[2 * at + 1] = y;
    this.from[at] = from;
  }

  /** Add a vertex unless the last of the open ring is there already. */
  addNew(x: number, y: number, from: number): void {
    const last = this.#vertices - 1;
    if (last < this.starts[this.count]! || this.xy[2 * last] !== x || this.xy[2 * last + 1] !== y) {
      this.add(x, y, from);
    } else if (this.from[last] === -1) this.from[last] = from;
  }

  /**
   * End a ring. Repeated vertices must have been left out, except that the last may be the first again.
   *
   * @returns false when it has fewer than three vertices
   */
  close(): boolean {
    const start = this.starts[this.count]!;
    const { xy } = this;
    while (this.#vertices - start > 1) {
      const last = 2 * this.#vertices - 2;
      if (xy[last] !== xy[2 * start] || xy[last + 1] !== xy[2 * start + 1]) break;
      this.#vertices--;
    }
    if (this.#vertices - start < 3) return false;
    this.count++;
    if (this.count === this.starts.length) {
      const starts = new Int32Array(2 * this.count);
      starts.set(this.starts);
      this.starts = starts;
      const shell = new Uint8Array(2 * this.count);
      shell.set(this.#shell);
      this.#shell = shell;
      const begin = new Int32Array(2 * this.count);
      begin.set(this.#begin);
      this.#begin = begin;
    }
    this.starts[this.count] = this.#vertices;
    return true;
  }

  /** Ring that a vertex belongs to. */
  ringOf(vertex: number): number {
    return this.count === 1 ? 0 : ringOf(this.starts, 0, this.count, vertex);
  }

  /**
   * Make polygons of the rings from `first` on, whose inside is on their left: counter-clockwise ones are shells,
   * clockwise ones holes of the shell around them. Each ring begins with its lowest vertex (by x, then y), and polygons
   * and holes are in the order of those.
   *
   * @returns false when the rings meet, have no area or do not nest: such rings are no valid polygons
   */
  arrange(first: number): boolean {
    const { xy, starts, count } = this;
    if (first === count) return true;
    if (ringsMeet(xy, starts, first, count)) return false;
    let shells = 0;
    for (let ring = first; ring < count; ring++) {
      const start = starts[ring]!;
      const end = starts[ring + 1]!;
      let lowest = start;
      let twice = 0;
      const ox = xy[2 * start]!;
      const oy = xy[2 * start + 1]!;
      for (let v = start + 1; v < end; v++) {
        const x = xy[2 * v]!;
        const y = xy[2 * v + 1]!;
        if (x < xy[2 * lowest]! || (x === xy[2 * lowest]! && y < xy[2 * lowest + 1]!)) lowest = v;
        twice += (xy[2 * v - 2]! - ox) * (y - oy) - (x - ox) * (xy[2 * v - 1]! - oy);
      }
      if (!(twice > 0 || twice < 0)) return false;
      this.#begin[ring] = lowest;
      this.#shell[ring] = twice > 0 ? 1 : 0;
      if (twice > 0) shells++;
    }
    if (shells === 0) return false;
    const rings = Array.from({ length: count - first }, (_, k) => first + k);
    if (rings.length === 1) {
      this.#order.push(first);
      this.polygons++;
      return true;
    }
    const owner = this.#nest(first, shells);
    if (owner === null) return false;
    rings.sort(
      (a, b) =>
        this.#compare(owner[a - first]!, owner[b - first]!) ||
        this.#shell[b]! - this.#shell[a]! ||
        this.#compare(a, b),
    );
    this.#order.push(...rings);
    this.polygons += shells;
    return true;
  }

  /** Shell of each ring from `first` on; `null` when one has none, or a shell lies in another. */
  #nest(first: number, shells: number): Int32Array | null {
    const { xy, starts, count } = this;
    const owner = new Int32Array(count - first);
    let only = first;
    while (this.#shell[only] === 0) only++;
    for (let ring = first; ring < count; ring++) {
      const x = xy[2 * starts[ring]!]!;
      const y = xy[2 * starts[ring]! + 1]!;
      if (this.#shell[ring] === 1) {
        owner[ring - first] = ring;
        // Inside the others together only if inside one of them and none of its holes.
        if (shells > 1 && this.#insideOthers(first, ring, x, y)) return null;
        continue;
      }
      let around = -1;
      if (shells === 1) around = insideRings(xy, starts, only, only + 1, x, y) ? only : -1;
      else {
        // The innermost, which is the one of which no vertex is outside another that the hole is in.
        for (let shell = first; shell < count; shell++) {
          if (this.#shell[shell] === 0 || !insideRings(xy, starts, shell, shell + 1, x, y)) continue;
          const s = 2 * starts[shell]!;
          if (around === -1 || insideRings(xy, starts, around, around + 1, xy[s]!, xy[s + 1]!))
            around = shell;
        }
      }
      if (around === -1) return null;
      owner[ring - first] = around;
    }
    return owner;
  }

  #insideOthers(first: number, ring: number, x: number, y: number): boolean {
    const { xy, starts, count } = this;
    return insideRings(xy, starts, first, ring, x, y) !== insideRings(xy, starts, ring + 1, count, x, y);
  }

  /** Order of two rings by the vertices they begin with. */
  #compare(a: number, b: number): number {
    const i = 2 * this.#begin[a]!;
    const j = 2 * this.#begin[b]!;
    return this.xy[i]! - this.xy[j]! || this.xy[i + 1]! - this.xy[j + 1]!;
  }

  /**
   * Write the polygons as parts of the row that is open. Vertices that come from polygon part `part` of `column`
   * get its height and measure; new ones those of the nearest point on its outline, interpolated along the edge.
   *
   * @returns number of parts written
   */
  write(column: GeometryColumn, part: number, builder: GeometryBuilder): number {
    const { xy, from, starts } = this;
    const { z, m } = column;
    for (const ring of this.#order) {
      if (this.#shell[ring] === 1) builder.part();
      builder.ring();
      const start = starts[ring]!;
      const end = starts[ring + 1]!;
      const begin = this.#begin[ring]!;
      if (z === null && m === null) {
        builder.vertices2d(xy, begin, end - begin);
        builder.vertices2d(xy, start, begin - start);
        builder.vertices2d(xy, begin, 1);
        continue;
      }
      for (let k = 0; k <= end - start; k++) {
        const at = begin + k;
        const v = k === end - start ? begin : at < end ? at : at - (end - start);
        const x = xy[2 * v]!;
        const y = xy[2 * v + 1]!;
        const known = from[v]!;
        if (known !== -1) builder.vertex(x, y, z?.[known], m?.[known]);
        else writeBetween(column, part, x, y, builder);
      }
    }
    return this.polygons;
  }
}

/** Write a vertex with the height and measure of the nearest point on a part's outline. O(vertices of the part). */
export function writeBetween(
  column: GeometryColumn,
  part: number,
  x: number,
  y: number,
  builder: GeometryBuilder,
): void {
  const { parts, rings, xy, z, m } = column;
  let best = Infinity;
  let vertex = rings[parts[part]!]!;
  let along = 0;
  for (let r = parts[part]!; r < parts[part + 1]!; r++) {
    for (let v = rings[r]!; v + 1 < rings[r + 1]!; v++) {
      const dx = xy[2 * v + 2]! - xy[2 * v]!;
      const dy = xy[2 * v + 3]! - xy[2 * v + 1]!;
      const length = dx * dx + dy * dy;
      const t =
        length === 0
          ? 0
          : Math.min(1, Math.max(0, ((x - xy[2 * v]!) * dx + (y - xy[2 * v + 1]!) * dy) / length));
      const off = (xy[2 * v]! + t * dx - x) ** 2 + (xy[2 * v + 1]! + t * dy - y) ** 2;
      if (off < best) {
        best = off;
        vertex = v;
        along = t;
      }
    }
  }
  builder.vertex(x, y, between(z, vertex, along), between(m, vertex, along));
}

/** Value at `t` between vertex `v` and the next. */
export function between(values: Float64Array | null, v: number, t: number): number {
  if (values === null) return Number.NaN;
  if (t === 0) return values[v]!;
  if (t === 1) return values[v + 1]!;
  return values[v]! + t * (values[v + 1]! - values[v]!);
}
