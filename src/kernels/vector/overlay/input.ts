import {
  GEOMETRY_COLLECTION,
  type GeometryColumn,
  memberPartsEnd,
  NULL_GEOMETRY,
  typeDimension,
} from "../../../model/geometry.ts";
import { side } from "../noding/exact.ts";
import type { SegmentStrings } from "../noding/strings.ts";

/** Bit of a tag: the string belongs to the second geometry. */
export const SOURCE_B = 1;
/** Bit of a tag: the string is a ring of an area, with the interior on its left. */
export const AREA = 2;

/** Which dimensions of a geometry take part. */
export const POINTS = 1;
export const LINES = 2;
export const AREAS = 4;

/**
 * Linework of the two geometries of an overlay as segment strings, and their points apart.
 *
 * Rings run with the interior on the left: shells counter-clockwise, holes clockwise, whatever way they came. So every
 * ring adds 1 to the winding number on its left. The tag of a string is `4 * number + AREA + SOURCE_B`, with numbers
 * counted from 0 in order of input.
 *
 * Repeated vertices are dropped, and vertices that are not finite; rings are closed when they are not; rings of fewer
 * than three and lines of fewer than two different vertices have no extent and are dropped.
 */
export class OverlayInput {
  /** Coordinates are multiplied by this: 1 but on a grid of cells that are no power of two. */
  scale = 1;
  /** How many strings are lines. */
  lines = 0;
  /** Dimension of each geometry by its type: -1 none, 0 points, 1 lines, 2 polygons. */
  readonly dimensions: [number, number] = [-1, -1];
  /** Points of each geometry, `[x0, y0, ...]`, in lexicographic order, each once. Set by {@link finish}. */
  readonly points: [Float64Array, Float64Array] = [new Float64Array(0), new Float64Array(0)];
  readonly #found: [number[], number[]] = [[], []];
  #xy = new Float64Array(512);
  #vertices = 0;
  #starts = new Int32Array(32);
  #tags = new Int32Array(32);
  #strings = 0;

  /** Forget everything but the memory. */
  reset(): void {
    this.scale = 1;
    this.lines = 0;
    this.dimensions[0] = -1;
    this.dimensions[1] = -1;
    this.#found[0].length = 0;
    this.#found[1].length = 0;
    this.#vertices = 0;
    this.#strings = 0;
  }

  /** Vertices this holds room for; large ones are better not kept. */
  get capacity(): number {
    return this.#xy.length / 2;
  }

  get strings(): number {
    return this.#strings;
  }

  /**
   * Add a row to a source.
   *
   * @param which  What dimensions to take, of {@link POINTS}, {@link LINES}, {@link AREAS}.
   * @param box  Rings and lines whose box does not meet this one are left out; `null` for none.
   */
  add(column: GeometryColumn, row: number, source: 0 | 1, which: number, box: Float64Array | null): void {
    const type = column.types[row]!;
    if (type === NULL_GEOMETRY) return;
    if (type !== GEOMETRY_COLLECTION) {
      this.#addParts(
        column,
        typeDimension(type),
        column.geometries[row]!,
        column.geometries[row + 1]!,
        source,
        which,
        box,
      );
      return;
    }
    const collections = column.collections!;
    for (let k = collections.rows[row]!; k < collections.rows[row + 1]!; k++) {
      this.#addParts(
        column,
        typeDimension(collections.types[k]!),
        collections.members[k]!,
        memberPartsEnd(column, row, k),
        source,
        which,
        box,
      );
    }
  }

  #addParts(
    column: GeometryColumn,
    dimension: number,
    first: number,
    end: number,
    source: 0 | 1,
    which: number,
    box: Float64Array | null,
  ): void {
    if ((which & (1 << dimension)) === 0) return;
    if (dimension > this.dimensions[source]) this.dimensions[source] = dimension;
    const { parts, rings } = column;
    for (let p = first; p < end; p++) {
      const firstRing = parts[p]!;
      for (let r = firstRing; r < parts[p + 1]!; r++) {
        if (dimension === 0) this.#addPoints(column, rings[r]!, rings[r + 1]!, source);
        else if (dimension === 1) this.#addLine(column, rings[r]!, rings[r + 1]!, source, box);
        else this.addRing(column.xy, rings[r]!, rings[r + 1]!, source, r === firstRing ? 1 : -1, box);
      }
    }
  }

  #addPoints({ xy }: GeometryColumn, start: number, end: number, source: 0 | 1): void {
    const found = this.#found[source];
    for (let v = start; v < end; v++) {
      const x = xy[2 * v]! * this.scale + 0;
      const y = xy[2 * v + 1]! * this.scale + 0;
      if (Number.isFinite(x) && Number.isFinite(y)) found.push(x, y);
    }
  }

  #addLine(
    { xy }: GeometryColumn,
    start: number,
    end: number,
    source: 0 | 1,
    box: Float64Array | null,
  ): void {
    const first = this.#vertices;
    const last = this.#copy(xy, start, end, box);
    if (last - first < 2) return;
    this.lines++;
    this.#close(last, source);
  }

  /**
   * Add one ring.
   *
   * @param direction  1: make it run counter-clockwise; -1: clockwise; 0: as it runs.
   */
  addRing(
    xy: Float64Array,
    start: number,
    end: number,
    source: 0 | 1,
    direction: -1 | 0 | 1,
    box: Float64Array | null,
  ): void {
    const first = this.#vertices;
    let last = this.#copy(xy, start, end, box);
    const out = this.#xy;
    while (
      last - first > 1 &&
      out[2 * first] === out[2 * last - 2] &&
      out[2 * first + 1] === out[2 * last - 1]
    )
      last--;
    if (last - first < 3) return;
    if (direction !== 0 && ringDirection(out, first, last) !== direction) reverse(out, first, last);
    out[2 * last] = out[2 * first]!;
    out[2 * last + 1] = out[2 * first + 1]!;
    this.#close(last + 1, source + AREA);
  }

  /** Copy vertices behind the last string; returns where they end. Leaves room for one more. */
  #copy(xy: Float64Array, start: number, end: number, box: Float64Array | null): number {
    const need = 2 * (this.#vertices + end - start + 1);
    if (need > this.#xy.length) {
      const grown = new Float64Array(2 * need);
      grown.set(this.#xy.subarray(0, 2 * this.#vertices));
      this.#xy = grown;
    }
    const out = this.#xy;
    const scale = this.scale;
    let n = 2 * this.#vertices;
    let lastX = Number.NaN;
    let lastY = Number.NaN;
    let minX = Infinity;
    let minY = Infinity;
    let maxX = -Infinity;
    let maxY = -Infinity;
    for (let v = 2 * start; v < 2 * end; v += 2) {
      // Adding 0 makes -0 the same as 0, so that coordinates are equal when their bits are.
      const x = xy[v]! * scale + 0;
      const y = xy[v + 1]! * scale + 0;
      if (x === lastX && y === lastY) continue;
      if (!(x - x === 0 && y - y === 0)) continue;
      out[n++] = x;
      out[n++] = y;
      lastX = x;
      lastY = y;
      if (x < minX) minX = x;
      if (x > maxX) maxX = x;
      if (y < minY) minY = y;
      if (y > maxY) maxY = y;
    }
    if (box !== null && (minX > box[2]! || maxX < box[0]! || minY > box[3]! || maxY < box[1]!))
      return this.#vertices;
    return n / 2;
  }

  #close(last: number, bits: number): void {
    if (this.#strings + 1 === this.#starts.length) {
      const starts = new Int32Array(2 * this.#starts.length);
      starts.set(this.#starts);
      this.#starts = starts;
      const tags = new Int32Array(2 * this.#tags.length);
      tags.set(this.#tags);
      this.#tags = tags;
    }
    this.#tags[this.#strings] = 4 * this.#strings + bits;
    this.#strings++;
    this.#starts[this.#strings] = last;
    this.#vertices = last;
  }

  /** Put the points in order. Call after the last row. */
  finish(): void {
    for (let s = 0; s < 2; s++)
      this.points[s] = this.#found[s]!.length === 0 ? NO_POINTS : uniquePoints(this.#found[s]!);
  }

  /** The linework, in arrays that stay valid when this is reset. */
  segmentStrings(): SegmentStrings {
    return {
      xy: this.#xy.slice(0, 2 * this.#vertices),
      starts: this.#starts.slice(0, this.#strings + 1),
      tags: this.#tags.slice(0, this.#strings),
    };
  }
}

const NO_POINTS = new Float64Array(0);

/** Points in lexicographic order, each once. */
export function uniquePoints(points: ArrayLike<number>): Float64Array {
  const count = points.length / 2;
  const order = new Array<number>(count);
  for (let i = 0; i < count; i++) order[i] = i;
  order.sort((i, j) => points[2 * i]! - points[2 * j]! || points[2 * i + 1]! - points[2 * j + 1]!);
  const out = new Float64Array(2 * count);
  let n = 0;
  for (const i of order) {
    const x = points[2 * i]!;
    const y = points[2 * i + 1]!;
    if (n > 0 && out[n - 2] === x && out[n - 1] === y) continue;
    out[n++] = x;
    out[n++] = y;
  }
  return out.subarray(0, n);
}

/**
 * 1 when an open ring (the first vertex not repeated) runs counter-clockwise, -1 when clockwise. Exact for simple
 * rings: the turn at the smallest vertex. Rings with a spike there are judged by their area.
 */
export function ringDirection(xy: Float64Array, first: number, end: number): -1 | 1 {
  let low = first;
  for (let v = first + 1; v < end; v++) {
    if (xy[2 * v]! < xy[2 * low]! || (xy[2 * v] === xy[2 * low] && xy[2 * v + 1]! < xy[2 * low + 1]!))
      low = v;
  }
  const before = low === first ? end - 1 : low - 1;
  const after = low === end - 1 ? first : low + 1;
  // Negative: a turn to the left.
  const turn = side(
    xy[2 * before]!,
    xy[2 * before + 1]!,
    xy[2 * low]!,
    xy[2 * low + 1]!,
    xy[2 * after]!,
    xy[2 * after + 1]!,
  );
  if (turn !== 0) return turn < 0 ? 1 : -1;
  const x0 = xy[2 * first]!;
  const y0 = xy[2 * first + 1]!;
  let area = 0;
  for (let v = first + 1; v + 1 < end; v++) {
    area += (xy[2 * v]! - x0) * (xy[2 * v + 3]! - y0) - (xy[2 * v + 2]! - x0) * (xy[2 * v + 1]! - y0);
  }
  return area < 0 ? -1 : 1;
}

function reverse(xy: Float64Array, first: number, end: number): void {
  for (let i = first, j = end - 1; i < j; i++, j--) {
    const x = xy[2 * i]!;
    const y = xy[2 * i + 1]!;
    xy[2 * i] = xy[2 * j]!;
    xy[2 * i + 1] = xy[2 * j + 1]!;
    xy[2 * j] = x;
    xy[2 * j + 1] = y;
  }
}

/** Dimension of a row by its type and members: -1 for null and for collections of nothing. */
export function rowDimension(column: GeometryColumn, row: number): number {
  const type = column.types[row]!;
  if (type !== GEOMETRY_COLLECTION) return typeDimension(type);
  const collections = column.collections!;
  let dimension = -1;
  for (let k = collections.rows[row]!; k < collections.rows[row + 1]!; k++)
    dimension = Math.max(dimension, typeDimension(collections.types[k]!));
  return dimension;
}

/** Box of the finite vertices of a row into `out`; `Infinity .. -Infinity` when it has none. */
export function rowBox(column: GeometryColumn, row: number, out: Float64Array): void {
  const { geometries, parts, rings, xy } = column;
  let minX = Infinity;
  let minY = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  const end = 2 * rings[parts[geometries[row + 1]!]!]!;
  for (let v = 2 * rings[parts[geometries[row]!]!]!; v < end; v += 2) {
    const x = xy[v]!;
    const y = xy[v + 1]!;
    if (!(x - x === 0 && y - y === 0)) continue;
    if (x < minX) minX = x;
    if (x > maxX) maxX = x;
    if (y < minY) minY = y;
    if (y > maxY) maxY = y;
  }
  out[0] = minX;
  out[1] = minY;
  out[2] = maxX;
  out[3] = maxY;
}
