import { type GeometryColumn, memberPartsEnd, rowBounds, typeDimension } from "../../../model/geometry.ts";
import { insideRings, ringsMeet } from "../clip/simple-rings.ts";
import { side } from "../noding/exact.ts";
import { rowBox } from "../overlay/input.ts";
import { findInvalid } from "../validity.ts";
import { resolveEvenOdd } from "./even-odd.ts";
import { RowShape } from "./row-shape.ts";
import type { UnderEdge } from "./under-edge.ts";

/** Rings up to which nesting is found by testing every ring against every other. */
const FEW_RINGS = 24;

const box = new Float64Array(4);

/** Rings of a row without repeated vertices and without the closing one, for {@link ringsMeet}; grown as needed. */
let open: Float64Array = new Float64Array(512);
let starts: Int32Array = new Int32Array(32);

/**
 * The polygons of a column, made ready for {@link overlapOf}. Rows are looked at when they are first used: which side of each ring
 * is inside, later the area and an index of the edges. Polygons in collections count, lines and points do not.
 *
 * A row that breaks the rules for polygons stands for what the even-odd rule makes of its rings. Vertices that are
 * not finite are passed over.
 */
export class PreparedPolygons {
  readonly column: GeometryColumn;
  /** `[minX, minY, maxX, maxY]` of each row; empty (`min > max`) for rows without a polygon. */
  readonly bounds: Float64Array;
  readonly under: UnderEdge;
  /** Invalid rows resolved by the even-odd rule so far. */
  repaired = 0;
  readonly #shapes: (RowShape | undefined)[] = [];
  /** Per row, 1: a coordinate is not finite. */
  readonly #broken: Uint8Array;
  readonly #sides: Int8Array;
  readonly #flips: Uint8Array;

  constructor(column: GeometryColumn, under: UnderEdge) {
    this.column = column;
    this.under = under;
    this.bounds = rowBounds(column);
    this.#sides = new Int8Array(column.rings.length - 1);
    this.#flips = new Uint8Array(column.xy.length / 2);
    const { geometries, parts, rings, xy, types } = column;
    this.#broken = new Uint8Array(types.length);
    for (let row = 0; row < types.length; row++) {
      const type = types[row]!;
      if (type !== 3 && type !== 6 && type !== 7) {
        this.bounds.fill(Infinity, 4 * row, 4 * row + 2);
        this.bounds.fill(-Infinity, 4 * row + 2, 4 * row + 4);
        continue;
      }
      let sum = 0;
      const end = 2 * rings[parts[geometries[row + 1]!]!]!;
      // 0 unless a coordinate is NaN or infinite.
      for (let i = 2 * rings[parts[geometries[row]!]!]!; i < end; i++) sum += xy[i]! - xy[i]!;
      if (sum === 0) continue;
      this.#broken[row] = 1;
      rowBox(column, row, box);
      this.bounds.set(box, 4 * row);
    }
  }

  get rows(): number {
    return this.column.types.length;
  }

  /** Whether a row has a box, and so perhaps an area. */
  has(row: number): boolean {
    return this.bounds[4 * row]! <= this.bounds[4 * row + 2]!;
  }

  /** A row that {@link has} something. */
  shape(row: number): RowShape {
    let shape = this.#shapes[row];
    if (shape === undefined) {
      shape = this.#prepare(row);
      this.#shapes[row] = shape;
    }
    return shape;
  }

  /** Area of a row; 0 when it has none. */
  area(row: number): number {
    return this.has(row) ? this.shape(row).area(this.under) : 0;
  }

  #prepare(row: number): RowShape {
    const { column, bounds } = this;
    const firstRing = column.parts[column.geometries[row]!]!;
    const endRing = column.parts[column.geometries[row + 1]!]!;
    const sides = this.#sides;
    if (this.#broken[row] === 0 && orient(column, row, sides)) {
      return new RowShape(
        column.xy,
        column.rings,
        firstRing,
        endRing,
        sides,
        this.#flips,
        bounds[4 * row]!,
        bounds[4 * row + 1]!,
        bounds[4 * row + 2]!,
        bounds[4 * row + 3]!,
      );
    }
    this.repaired++;
    const { xy, rings } = resolveEvenOdd(column, row);
    const count = rings.length - 1;
    return new RowShape(
      xy,
      rings,
      0,
      count,
      new Int8Array(count).fill(1),
      new Uint8Array(xy.length / 2),
      bounds[4 * row]!,
      bounds[4 * row + 1]!,
      bounds[4 * row + 2]!,
      bounds[4 * row + 3]!,
    );
  }
}

/**
 * Which side of each polygon ring of a row is inside, into `sides`; `false` when the row breaks the rules and the rings do not
 * say. Rings without extent and those of lines and points get 0.
 */
function orient(column: GeometryColumn, row: number, sides: Int8Array): boolean {
  const { parts, rings, xy, geometries, types, collections } = column;
  const firstRing = parts[geometries[row]!]!;
  const endRing = parts[geometries[row + 1]!]!;
  const vertices = rings[endRing]! - rings[firstRing]!;
  if (2 * vertices > open.length) open = new Float64Array(4 * vertices);
  if (endRing - firstRing + 1 > starts.length) starts = new Int32Array(2 * (endRing - firstRing + 1));
  let count = 0;
  let used = 0;
  let member = collections === null ? 0 : collections.rows[row]!;
  const memberEnd = collections === null ? 0 : collections.rows[row + 1]!;
  let dimension = typeDimension(types[row]!);
  let members = 0;
  starts[0] = 0;
  for (let p = geometries[row]!; p < geometries[row + 1]!; p++) {
    while (member < memberEnd && p >= collections!.members[member]!) {
      dimension = typeDimension(collections!.types[member]!);
      if (dimension === 2 && p < memberPartsEnd(column, row, member)) members++;
      member++;
    }
    for (let r = parts[p]!; r < parts[p + 1]!; r++) {
      sides[r] = 0;
      const start = rings[r]!;
      const last = rings[r + 1]! - 1;
      if (dimension !== 2 || last < start) continue;
      if (xy[2 * start] !== xy[2 * last] || xy[2 * start + 1] !== xy[2 * last + 1]) return false;
      const from = count;
      for (let v = start; v < last; v++) {
        const x = xy[2 * v]!;
        const y = xy[2 * v + 1]!;
        if (x === xy[2 * v + 2] && y === xy[2 * v + 3]) continue;
        open[2 * count] = x;
        open[2 * count++ + 1] = y;
      }
      if (count - from < 3) {
        count = from;
        continue;
      }
      sides[r] = direction(open, from, count) * (r === parts[p]! ? 1 : -1);
      starts[++used] = count;
    }
  }
  if (used === 0) return true;
  if (used <= FEW_RINGS && !ringsMeet(open, starts, 0, used)) {
    if (used === 1) {
      // Whatever its role, one simple ring encloses its area.
      for (let r = firstRing; r < endRing; r++) if (sides[r] !== 0) sides[r] = direction(open, 0, count);
      return true;
    }
    // Rings that do not meet: the even-odd rule goes by how many others a ring lies in.
    for (let r = firstRing, k = 0; r < endRing; r++) {
      if (sides[r] === 0) continue;
      const x = open[2 * starts[k]!]!;
      const y = open[2 * starts[k]! + 1]!;
      const within = insideRings(open, starts, 0, k, x, y) !== insideRings(open, starts, k + 1, used, x, y);
      sides[r] = direction(open, starts[k]!, starts[k + 1]!) * (within ? -1 : 1);
      k++;
    }
    return true;
  }
  return members <= 1 && findInvalid(column, row) === null;
}

/** 1 when an open ring runs against the clock, -1 with it; exact for simple rings: the turn at the vertex most to the left. */
function direction(xy: Float64Array, start: number, end: number): -1 | 1 {
  let low = start;
  for (let v = start + 1; v < end; v++) {
    if (xy[2 * v]! < xy[2 * low]! || (xy[2 * v] === xy[2 * low] && xy[2 * v + 1]! < xy[2 * low + 1]!))
      low = v;
  }
  const a = low === start ? end - 1 : low - 1;
  const b = low === end - 1 ? start : low + 1;
  const right = side(xy[2 * a]!, xy[2 * a + 1]!, xy[2 * low]!, xy[2 * low + 1]!, xy[2 * b]!, xy[2 * b + 1]!);
  return right > 0 ? -1 : 1;
}
