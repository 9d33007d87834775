import type { GeometryColumn } from "../../model/geometry.ts";
import { typeDimension } from "../../model/geometry.ts";
import { type Affine, invertAffine, isAxisAligned } from "../../model/grid.ts";

/**
 * Geometries in the pixel coordinates of one grid (column to the right, row downward, `(0, 0)` the outer
 * corner of the first pixel), cut into edges and sorted so that any window can be scanned without looking at
 * the rest. Made once by {@link prepareShapes}, asked once a tile.
 *
 * One feature is one row of the column. Edges of polygons, segments of lines and points are kept apart,
 * because they burn by different rules.
 */
export interface PreparedShapes {
  /** The rule they were prepared for. */
  readonly rule: PixelRule;
  /** Size of the grid. Edges above and below it were dropped. */
  readonly width: number;
  readonly height: number;
  /** Number of features. */
  readonly count: number;
  /** Per feature `[minCol, minRow, maxCol, maxRow]`; `Infinity, Infinity, -Infinity, -Infinity` when empty. */
  readonly bounds: Float64Array;
  /** Polygon edges, 4 numbers each, `[x1, y1, x2, y2]` with `y1 <= y2`. Feature `f` owns `edgeStart[f] ..`. */
  readonly edges: Float64Array;
  /** +1 when the inside of the polygon lies on the side of larger columns of the edge, -1 when on the other. */
  readonly edgeSigns: Int8Array;
  readonly edgeStart: Int32Array;
  /** Line segments, 4 numbers each, in the direction of the line. */
  readonly segments: Float64Array;
  readonly segmentStart: Int32Array;
  /** Points, 2 numbers each. */
  readonly points: Float64Array;
  readonly pointStart: Int32Array;
  /**
   * Edges of each feature by bands of rows: band `b` of feature `f` is row
   * `bandFirst[f] + b * bandRows[f]` and on, and holds `bandEdges[bandOffsets[bandStart[f] + b] ..]`,
   * numbers of edges.
   */
  readonly bandStart: Int32Array;
  readonly bandFirst: Float64Array;
  readonly bandRows: Float64Array;
  readonly bandOffsets: Int32Array;
  readonly bandEdges: Int32Array;
}

/**
 * Which pixels a shape takes.
 *
 * - `"center"`: polygons take the pixels whose centre they hold; a centre exactly on the boundary belongs to
 *   the polygon on its left (larger columns are outside), and on a horizontal edge to the polygons on both
 *   sides, as in GDAL. Lines take the pixels of Bresenham's line between the pixels of their vertices, points
 *   the pixel they lie in.
 * - `"all-touched"`: every pixel whose open interior the shape meets: for polygons their interior, for lines the
 *   line. Pixels met only along an edge or at a corner are not taken. Exact, where GDAL is not always.
 */
export type PixelRule = "center" | "all-touched";

/**
 * Coordinates of a column in pixels of a grid; length = `xy.length`.
 *
 * Two ways to round, because coordinates that lie on a cell edge or centre in the file's decimals seldom do so in
 * binary. `"center"` multiplies by the inverse transform in GDAL's order of operations, so that ties fall as GDAL's.
 * `"all-touched"` divides, which is rounded once less and keeps edges that follow cell borders on them.
 */
export function toPixels(xy: Float64Array, transform: Affine, rule: PixelRule): Float64Array {
  const out = new Float64Array(xy.length);
  if (!isAxisAligned(transform)) {
    const [ia, ib, ic, id, ie, jf] = invertAffine(transform);
    for (let i = 0; i < xy.length; i += 2) {
      const x = xy[i]!;
      const y = xy[i + 1]!;
      out[i] = ic + ia * x + ib * y;
      out[i + 1] = jf + id * x + ie * y;
    }
    return out;
  }
  const [a, , c, , e, f] = transform;
  if (rule === "center") {
    const ia = 1 / a;
    const ic = -c / a;
    const ie = 1 / e;
    const jf = -f / e;
    for (let i = 0; i < xy.length; i += 2) {
      out[i] = ic + xy[i]! * ia;
      out[i + 1] = jf + xy[i + 1]! * ie;
    }
  } else {
    for (let i = 0; i < xy.length; i += 2) {
      out[i] = (xy[i]! - c) / a;
      out[i + 1] = (xy[i + 1]! - f) / e;
    }
  }
  return out;
}

/**
 * Prepare the geometries of `rows` (default all) for scanning on a grid. Null and empty geometries are
 * features without edges; coordinates that are not finite drop the edges they belong to. Members of
 * collections burn by their own dimension. Rings that are not closed are closed.
 *
 * Time and memory grow with the number of vertices, not with the size of the grid.
 */
export function prepareShapes(
  column: GeometryColumn,
  grid: { readonly width: number; readonly height: number; readonly transform: Affine },
  rule: PixelRule,
  rows?: ArrayLike<number>,
): PreparedShapes {
  const { width, height } = grid;
  const xy = toPixels(column.xy, grid.transform, rule);
  const count = rows === undefined ? column.types.length : rows.length;
  const bounds = new Float64Array(4 * count);
  const edges = new Numbers();
  const signs: number[] = [];
  const segments = new Numbers();
  const points = new Numbers();
  const edgeStart = new Int32Array(count + 1);
  const segmentStart = new Int32Array(count + 1);
  const pointStart = new Int32Array(count + 1);
  for (let f = 0; f < count; f++) {
    const row = rows === undefined ? f : rows[f]!;
    addRow(column, row, xy, height, edges, signs, segments, points);
    edgeStart[f + 1] = edges.length / 4;
    segmentStart[f + 1] = segments.length / 4;
    pointStart[f + 1] = points.length / 2;
    boundsOfRow(column, row, xy, bounds, 4 * f);
  }
  const edgeValues = edges.finish();
  return {
    rule,
    width,
    height,
    count,
    bounds,
    edges: edgeValues,
    edgeSigns: Int8Array.from(signs),
    edgeStart,
    segments: segments.finish(),
    segmentStart,
    points: points.finish(),
    pointStart,
    ...bandIndex(edgeValues, edgeStart, count, height),
  };
}

function addRow(
  column: GeometryColumn,
  row: number,
  xy: Float64Array,
  height: number,
  edges: Numbers,
  signs: number[],
  segments: Numbers,
  points: Numbers,
): void {
  const { types, geometries, parts, rings, collections } = column;
  let dimension = typeDimension(types[row]!);
  let member = collections === null ? 0 : collections.rows[row]!;
  const memberEnd = collections === null ? 0 : collections.rows[row + 1]!;
  for (let p = geometries[row]!; p < geometries[row + 1]!; p++) {
    while (member < memberEnd && collections!.members[member]! <= p)
      dimension = typeDimension(collections!.types[member++]!);
    for (let r = parts[p]!; r < parts[p + 1]!; r++) {
      const start = rings[r]!;
      const end = rings[r + 1]!;
      if (dimension === 0) {
        for (let v = start; v < end; v++) {
          const x = xy[2 * v]!;
          const y = xy[2 * v + 1]!;
          if (Number.isFinite(x) && Number.isFinite(y)) points.push2(x, y);
        }
        continue;
      }
      const inside = dimension === 2 ? insideOf(xy, start, end, r === parts[p]!) : 0;
      for (let v = start + 1; v < end; v++) {
        const x1 = xy[2 * v - 2]!;
        const y1 = xy[2 * v - 1]!;
        const x2 = xy[2 * v]!;
        const y2 = xy[2 * v + 1]!;
        if (dimension === 2) addEdge(edges, signs, x1, y1, x2, y2, height, inside);
        else if (Number.isFinite(x1 + y1 + x2 + y2)) segments.push4(x1, y1, x2, y2);
      }
      if (dimension === 2 && end - start > 2) {
        const x1 = xy[2 * end - 2]!;
        const y1 = xy[2 * end - 1]!;
        const x2 = xy[2 * start]!;
        const y2 = xy[2 * start + 1]!;
        if (x1 !== x2 || y1 !== y2) addEdge(edges, signs, x1, y1, x2, y2, height, inside);
      }
    }
  }
}

function addEdge(
  edges: Numbers,
  signs: number[],
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  height: number,
  inside: number,
): void {
  if (!Number.isFinite(x1 + y1 + x2 + y2)) return;
  if ((y1 < 0 && y2 < 0) || (y1 > height && y2 > height)) return;
  if (y1 <= y2) edges.push4(x1, y1, x2, y2);
  else edges.push4(x2, y2, x1, y1);
  signs.push(y1 <= y2 ? inside : -inside);
}

/** Sign of the edges of a ring that run down the rows: see {@link PreparedShapes.edgeSigns}. */
function insideOf(xy: Float64Array, start: number, end: number, shell: boolean): number {
  const ox = xy[2 * start]!;
  const oy = xy[2 * start + 1]!;
  let twice = 0;
  for (let v = start + 1; v < end - 1; v++) {
    twice += (xy[2 * v]! - ox) * (xy[2 * v + 3]! - oy) - (xy[2 * v + 2]! - ox) * (xy[2 * v + 1]! - oy);
  }
  return twice > 0 === shell ? -1 : 1;
}

function boundsOfRow(
  column: GeometryColumn,
  row: number,
  xy: Float64Array,
  out: Float64Array,
  at: number,
): void {
  const { geometries, parts, rings } = column;
  let minX = Infinity;
  let minY = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  const end = rings[parts[geometries[row + 1]!]!]!;
  for (let v = rings[parts[geometries[row]!]!]!; v < end; v++) {
    const x = xy[2 * v]!;
    const y = xy[2 * v + 1]!;
    if (x < minX) minX = x;
    if (x > maxX) maxX = x;
    if (y < minY) minY = y;
    if (y > maxY) maxY = y;
  }
  out[at] = minX;
  out[at + 1] = minY;
  out[at + 2] = maxX;
  out[at + 3] = maxY;
}

type Bands = Pick<PreparedShapes, "bandStart" | "bandFirst" | "bandRows" | "bandOffsets" | "bandEdges">;

/**
 * Bands are as high as makes about 16 edges each, but never so low that an edge would be listed in more than
 * four of them on average: a comb of tall teeth must not need the square of its edges.
 */
function bandIndex(edges: Float64Array, edgeStart: Int32Array, count: number, height: number): Bands {
  const bandStart = new Int32Array(count + 1);
  const bandFirst = new Float64Array(count);
  const bandRows = new Float64Array(count).fill(1);
  for (let f = 0; f < count; f++) {
    let first = Infinity;
    let last = -Infinity;
    let heights = 0;
    const n = edgeStart[f + 1]! - edgeStart[f]!;
    for (let e = edgeStart[f]!; e < edgeStart[f + 1]!; e++) {
      const top = clampRow(edges[4 * e + 1]!, height);
      const bottom = clampRow(edges[4 * e + 3]!, height);
      if (top < first) first = top;
      if (bottom > last) last = bottom;
      heights += bottom - top;
    }
    let bands = 0;
    if (n > 0) {
      const span = last - first + 1;
      const rows = Math.max(1, Math.ceil((16 * span) / n), Math.ceil(heights / (3 * n)));
      bandFirst[f] = first;
      bandRows[f] = rows;
      bands = Math.ceil(span / rows);
    }
    bandStart[f + 1] = bandStart[f]! + bands;
  }
  const bandOffsets = new Int32Array(bandStart[count]! + 1);
  for (let f = 0; f < count; f++) {
    for (let e = edgeStart[f]!; e < edgeStart[f + 1]!; e++) {
      const last = bandOf(edges[4 * e + 3]!, f);
      for (let b = bandOf(edges[4 * e + 1]!, f); b <= last; b++) bandOffsets[b + 1]!++;
    }
  }
  for (let b = 1; b < bandOffsets.length; b++) bandOffsets[b]! += bandOffsets[b - 1]!;
  const bandEdges = new Int32Array(bandOffsets.at(-1)!);
  const next = bandOffsets.slice();
  for (let f = 0; f < count; f++) {
    for (let e = edgeStart[f]!; e < edgeStart[f + 1]!; e++) {
      const last = bandOf(edges[4 * e + 3]!, f);
      for (let b = bandOf(edges[4 * e + 1]!, f); b <= last; b++) bandEdges[next[b]!++] = e;
    }
  }
  return { bandStart, bandFirst, bandRows, bandOffsets, bandEdges };

  function bandOf(y: number, f: number): number {
    return bandStart[f]! + Math.floor((clampRow(y, height) - bandFirst[f]!) / bandRows[f]!);
  }
}

/** Row that holds `y`, cut to the grid. */
function clampRow(y: number, height: number): number {
  return Math.min(Math.max(Math.floor(y), 0), Math.max(height - 1, 0));
}

/** A growing list of numbers. */
class Numbers {
  #values = new Float64Array(256);
  length = 0;

  push2(a: number, b: number): void {
    if (this.length + 2 > this.#values.length) this.#grow();
    this.#values[this.length++] = a;
    this.#values[this.length++] = b;
  }

  push4(a: number, b: number, c: number, d: number): void {
    if (this.length + 4 > this.#values.length) this.#grow();
    const values = this.#values;
    const at = this.length;
    values[at] = a;
    values[at + 1] = b;
    values[at + 2] = c;
    values[at + 3] = d;
    this.length = at + 4;
  }

  finish(): Float64Array {
    return this.#values.slice(0, this.length);
  }

  #grow(): void {
    const grown = new Float64Array(2 * this.#values.length);
    grown.set(this.#values);
    this.#values = grown;
  }
}
