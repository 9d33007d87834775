import {
  type GeometryColumn,
  MULTI_POLYGON,
  POINT,
  POLYGON,
  typeDimension,
} from "../../../model/geometry.ts";
import type { Predicate } from "./predicates.ts";
import { side } from "./side.ts";

/** The quick tests cannot tell. */
export const UNKNOWN = -1;
/** 1 yes, 0 no, or {@link UNKNOWN}. */
export type Answer = 1 | 0 | -1;

/** Pairs of edges that are compared one by one; with more an index is better. */
const MANY_PAIRS = 40_000;

/**
 * The common questions, answered on the columns as they are: points in polygons, and whether lines and polygons meet. Leaves to
 * the walk what is rare or needs more care: collections, contact in a boundary where it matters, lines of no length, large
 * geometries, coordinates that are not finite.
 */
export function quickTest(
  predicate: Predicate,
  a: GeometryColumn,
  rowA: number,
  b: GeometryColumn,
  rowB: number,
): Answer {
  const typeA = a.types[rowA]!;
  const typeB = b.types[rowB]!;
  if (typeA === POINT && typeB === POINT) return pointPoint(predicate, a, rowA, b, rowB);
  if (typeA === POINT && (typeB === POLYGON || typeB === MULTI_POLYGON))
    return pointPolygon(predicate, a, rowA, b, rowB, true);
  if (typeB === POINT && (typeA === POLYGON || typeA === MULTI_POLYGON))
    return pointPolygon(predicate, b, rowB, a, rowA, false);
  if (typeDimension(typeA) < 1 || typeDimension(typeB) < 1) return UNKNOWN;
  if (!measureRow(a, rowA, boxA) || !measureRow(b, rowB, boxB)) return UNKNOWN;
  const minX = Math.max(boxA[0]!, boxB[0]!);
  const minY = Math.max(boxA[1]!, boxB[1]!);
  const maxX = Math.min(boxA[2]!, boxB[2]!);
  const maxY = Math.min(boxA[3]!, boxB[3]!);
  if (!(minX <= maxX && minY <= maxY)) {
    // Two empty ones are equal.
    if (predicate === "equals") return UNKNOWN;
    return predicate === "disjoint" ? 1 : 0;
  }
  if (predicate === "intersects") return rowsMeet(a, rowA, b, rowB, minX, minY, maxX, maxY);
  if (predicate === "disjoint") {
    const meet = rowsMeet(a, rowA, b, rowB, minX, minY, maxX, maxY);
    return meet === UNKNOWN ? UNKNOWN : meet === 1 ? 0 : 1;
  }
  return UNKNOWN;
}

/** Answer about a point and an area, the point being at `location` of it (-1 outside, 0 boundary, 1 inside). */
export function pointAnswer(predicate: Predicate, location: number, pointIsA: boolean): Answer {
  switch (predicate) {
    case "intersects":
      return location >= 0 ? 1 : 0;
    case "disjoint":
      return location < 0 ? 1 : 0;
    case "within":
      return pointIsA && location > 0 ? 1 : 0;
    case "coveredBy":
      return pointIsA && location >= 0 ? 1 : 0;
    case "contains":
    case "containsProperly":
      return !pointIsA && location > 0 ? 1 : 0;
    case "covers":
      return !pointIsA && location >= 0 ? 1 : 0;
    case "touches":
      return location === 0 ? 1 : 0;
    default:
      return 0;
  }
}

function pointPoint(
  predicate: Predicate,
  a: GeometryColumn,
  rowA: number,
  b: GeometryColumn,
  rowB: number,
): Answer {
  const partA = a.geometries[rowA]!;
  const partB = b.geometries[rowB]!;
  if (partA === a.geometries[rowA + 1] || partB === b.geometries[rowB + 1]) return UNKNOWN;
  const v = 2 * a.rings[a.parts[partA]!]!;
  const w = 2 * b.rings[b.parts[partB]!]!;
  const x = a.xy[v]!;
  const y = a.xy[v + 1]!;
  const distance = Math.abs(x - b.xy[w]!) + Math.abs(y - b.xy[w + 1]!);
  if (!(distance < Infinity)) return UNKNOWN;
  const same = x === b.xy[w] && y === b.xy[w + 1];
  if (predicate === "touches" || predicate === "crosses" || predicate === "overlaps") return 0;
  return same !== (predicate === "disjoint") ? 1 : 0;
}

function pointPolygon(
  predicate: Predicate,
  points: GeometryColumn,
  pointRow: number,
  polygons: GeometryColumn,
  row: number,
  pointIsA: boolean,
): Answer {
  const part = points.geometries[pointRow]!;
  if (part === points.geometries[pointRow + 1]) return UNKNOWN;
  const v = points.rings[points.parts[part]!]!;
  const location = locateInRow(polygons, row, points.xy[2 * v]!, points.xy[2 * v + 1]!);
  // On the boundary of what may be no proper polygon, or be boundary only of one part: look closer where it matters.
  if (location === NOWHERE) return UNKNOWN;
  if (location === 0 && predicate !== "intersects" && predicate !== "disjoint") return UNKNOWN;
  return pointAnswer(predicate, location, pointIsA);
}

/** A coordinate is not finite. */
const NOWHERE = 2;

/**
 * Where (x, y) lies to the polygons of a row by the even-odd rule over all their rings: 1 inside, 0 on an edge or vertex, -1
 * outside; 2 when coordinates are not finite. Exact. O(vertices), nothing is allocated.
 */
function locateInRow(column: GeometryColumn, row: number, x: number, y: number): -1 | 0 | 1 | 2 {
  const { geometries, parts, rings, xy } = column;
  const end = parts[geometries[row + 1]!]!;
  let inside = false;
  let check = x - x + (y - y);
  for (let r = parts[geometries[row]!]!; r < end; r++) {
    const from = rings[r]!;
    const to = rings[r + 1]!;
    if (from === to) continue;
    let x1 = xy[2 * to - 2]!;
    let y1 = xy[2 * to - 1]!;
    for (let v = from; v < to; v++) {
      const x2 = xy[2 * v]!;
      const y2 = xy[2 * v + 1]!;
      check += x2 - x2 + (y2 - y2);
      if (!((y1 > y && y2 > y) || (y1 < y && y2 < y) || (x1 < x && x2 < x))) {
        const crosses = y1 > y !== y2 > y;
        if (x1 > x && x2 > x) {
          if (crosses) inside = !inside;
        } else {
          const to = side(x1, y1, x2, y2, x, y);
          if (to === 0) return Number.isFinite(check) ? 0 : NOWHERE;
          if (crosses && to > 0 === y2 > y1) inside = !inside;
        }
      }
      x1 = x2;
      y1 = y2;
    }
  }
  if (check !== 0) return NOWHERE;
  return inside ? 1 : -1;
}

const boxA = new Float64Array(4);
const boxB = new Float64Array(4);

/** Bounds of a row into `box`; false when a coordinate is not finite, or a line or ring has no length. */
function measureRow(column: GeometryColumn, row: number, box: Float64Array): boolean {
  const { geometries, parts, rings, xy } = column;
  let minX = Infinity;
  let minY = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  let sum = 0;
  const first = parts[geometries[row]!]!;
  const end = parts[geometries[row + 1]!]!;
  const to = 2 * rings[end]!;
  for (let v = 2 * rings[first]!; v < to; v += 2) {
    const x = xy[v]!;
    const y = xy[v + 1]!;
    sum += x + y;
    if (x < minX) minX = x;
    if (x > maxX) maxX = x;
    if (y < minY) minY = y;
    if (y > maxY) maxY = y;
  }
  box[0] = minX;
  box[1] = minY;
  box[2] = maxX;
  box[3] = maxY;
  // A sum that overflows is rare enough to be taken for one that does not.
  return Number.isFinite(sum) && !hasDots(column, row);
}

/** Whether a line or ring of the row has no length. */
function hasDots({ geometries, parts, rings, xy }: GeometryColumn, row: number): boolean {
  const end = parts[geometries[row + 1]!]!;
  for (let r = parts[geometries[row]!]!; r < end; r++) {
    const from = rings[r]!;
    const to = rings[r + 1]!;
    const x = xy[2 * from]!;
    const y = xy[2 * from + 1]!;
    let v = from + 1;
    while (v < to && xy[2 * v] === x && xy[2 * v + 1] === y) v++;
    if (v === to && from < to) return true;
  }
  return false;
}

/**
 * `intersects` of rows whose bounds are known, for joins: row `rowA` of `a` has bounds `boundsA[4 * rowA] ..`, as `rowBounds` gives
 * them. For lines, polygons and multis of them; {@link UNKNOWN} for anything that `testRows` should be asked for: points,
 * collections, coordinates that are not finite, lines of no length, very many edges near each other. Nothing is allocated.
 */
export function quickIntersects(
  a: GeometryColumn,
  rowA: number,
  boundsA: Float64Array,
  b: GeometryColumn,
  rowB: number,
  boundsB: Float64Array,
): Answer {
  if (typeDimension(a.types[rowA]!) < 1 || typeDimension(b.types[rowB]!) < 1) return UNKNOWN;
  const minX = Math.max(boundsA[4 * rowA]!, boundsB[4 * rowB]!);
  const minY = Math.max(boundsA[4 * rowA + 1]!, boundsB[4 * rowB + 1]!);
  const maxX = Math.min(boundsA[4 * rowA + 2]!, boundsB[4 * rowB + 2]!);
  const maxY = Math.min(boundsA[4 * rowA + 3]!, boundsB[4 * rowB + 3]!);
  if (!(minX <= maxX && minY <= maxY)) return 0;
  if (hasDots(a, rowA) || hasDots(b, rowB)) return UNKNOWN;
  const answer = rowsMeet(a, rowA, b, rowB, minX, minY, maxX, maxY);
  return answer === 0 && !(finite(a, rowA) && finite(b, rowB)) ? UNKNOWN : answer;
}

function finite({ geometries, parts, rings, xy }: GeometryColumn, row: number): boolean {
  let sum = 0;
  const to = 2 * rings[parts[geometries[row + 1]!]!]!;
  for (let v = 2 * rings[parts[geometries[row]!]!]!; v < to; v++) sum += xy[v]!;
  return Number.isFinite(sum);
}

/** Edges of A in the window common to both boxes, `[x1, y1, x2, y2]` each. */
let edges = new Float64Array(256);

/** Whether two rows of lines or polygons have a point in common; both boxes have this window in common. */
function rowsMeet(
  a: GeometryColumn,
  rowA: number,
  b: GeometryColumn,
  rowB: number,
  minX: number,
  minY: number,
  maxX: number,
  maxY: number,
): Answer {
  const verticesA = rowVertices(a, rowA);
  if (4 * verticesA > edges.length) edges = new Float64Array(8 * verticesA);
  const count = collectEdges(a, rowA, minX, minY, maxX, maxY, edges);
  if (count > 0) {
    if (count * rowVertices(b, rowB) > MANY_PAIRS) return UNKNOWN;
    if (edgesMeet(edges, count, b, rowB, minX, minY, maxX, maxY)) return 1;
  }
  // No edges meet: a line or ring of one is wholly inside of the other, or they are apart.
  if (ringInside(a, rowA, b, rowB, minX, minY, maxX, maxY)) return 1;
  if (ringInside(b, rowB, a, rowA, minX, minY, maxX, maxY)) return 1;
  return 0;
}

function rowVertices({ geometries, parts, rings }: GeometryColumn, row: number): number {
  const first = parts[geometries[row]!]!;
  const end = parts[geometries[row + 1]!]!;
  // One more edge for each ring, should it not be closed.
  return rings[end]! - rings[first]! + end - first;
}

function collectEdges(
  column: GeometryColumn,
  row: number,
  minX: number,
  minY: number,
  maxX: number,
  maxY: number,
  out: Float64Array,
): number {
  const { types, geometries, parts, rings, xy } = column;
  const close = typeDimension(types[row]!) === 2;
  const end = parts[geometries[row + 1]!]!;
  let n = 0;
  for (let r = parts[geometries[row]!]!; r < end; r++) {
    const from = rings[r]!;
    const to = rings[r + 1]!;
    if (from === to) continue;
    // A closed ring begins with an edge of no length here.
    const before = close ? to - 1 : from;
    let x1 = xy[2 * before]!;
    let y1 = xy[2 * before + 1]!;
    for (let v = from; v < to; v++) {
      const x2 = xy[2 * v]!;
      const y2 = xy[2 * v + 1]!;
      if (
        !(
          (x1 < minX && x2 < minX) ||
          (x1 > maxX && x2 > maxX) ||
          (y1 < minY && y2 < minY) ||
          (y1 > maxY && y2 > maxY)
        ) &&
        (x1 !== x2 || y1 !== y2)
      ) {
        out[n] = x1;
        out[n + 1] = y1;
        out[n + 2] = x2;
        out[n + 3] = y2;
        n += 4;
      }
      x1 = x2;
      y1 = y2;
    }
  }
  return n >> 2;
}

/** Whether an edge of a row in the window meets one of the first `count` in `edges`. */
function edgesMeet(
  edges: Float64Array,
  count: number,
  column: GeometryColumn,
  row: number,
  minX: number,
  minY: number,
  maxX: number,
  maxY: number,
): boolean {
  const { types, geometries, parts, rings, xy } = column;
  const close = typeDimension(types[row]!) === 2;
  const end = parts[geometries[row + 1]!]!;
  for (let r = parts[geometries[row]!]!; r < end; r++) {
    const from = rings[r]!;
    const to = rings[r + 1]!;
    if (from === to) continue;
    const before = close ? to - 1 : from;
    let x1 = xy[2 * before]!;
    let y1 = xy[2 * before + 1]!;
    for (let v = from; v < to; v++) {
      const x2 = xy[2 * v]!;
      const y2 = xy[2 * v + 1]!;
      const lowX = x1 < x2 ? x1 : x2;
      const highX = x1 < x2 ? x2 : x1;
      const lowY = y1 < y2 ? y1 : y2;
      const highY = y1 < y2 ? y2 : y1;
      if (
        lowX <= maxX &&
        highX >= minX &&
        lowY <= maxY &&
        highY >= minY &&
        (x1 !== x2 || y1 !== y2) &&
        meetsAny(edges, count, x1, y1, x2, y2, lowX, lowY, highX, highY)
      )
        return true;
      x1 = x2;
      y1 = y2;
    }
  }
  return false;
}

function meetsAny(
  edges: Float64Array,
  count: number,
  ax: number,
  ay: number,
  bx: number,
  by: number,
  minX: number,
  minY: number,
  maxX: number,
  maxY: number,
): boolean {
  for (let j = 0; j < 4 * count; j += 4) {
    const cx = edges[j]!;
    const dx = edges[j + 2]!;
    if ((cx < minX && dx < minX) || (cx > maxX && dx > maxX)) continue;
    const cy = edges[j + 1]!;
    const dy = edges[j + 3]!;
    if ((cy < minY && dy < minY) || (cy > maxY && dy > maxY)) continue;
    const c = side(ax, ay, bx, by, cx, cy);
    const d = side(ax, ay, bx, by, dx, dy);
    if ((c > 0 && d > 0) || (c < 0 && d < 0)) continue;
    const e = side(cx, cy, dx, dy, ax, ay);
    const f = side(cx, cy, dx, dy, bx, by);
    // Boxes that meet make edges on one line meet as well.
    if (!((e > 0 && f > 0) || (e < 0 && f < 0))) return true;
  }
  return false;
}

/** Whether the first vertex of a line or ring of `row` is inside of the polygons of `otherRow`. */
function ringInside(
  column: GeometryColumn,
  row: number,
  other: GeometryColumn,
  otherRow: number,
  minX: number,
  minY: number,
  maxX: number,
  maxY: number,
): boolean {
  if (typeDimension(other.types[otherRow]!) !== 2) return false;
  const { geometries, parts, rings, xy } = column;
  const end = parts[geometries[row + 1]!]!;
  for (let r = parts[geometries[row]!]!; r < end; r++) {
    const v = rings[r]!;
    if (v === rings[r + 1]) continue;
    const x = xy[2 * v]!;
    const y = xy[2 * v + 1]!;
    if (x < minX || x > maxX || y < minY || y > maxY) continue;
    if (locateInRow(other, otherRow, x, y) >= 0) return true;
  }
  return false;
}
