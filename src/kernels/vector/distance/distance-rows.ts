import type { GeometryColumn } from "../../../model/geometry.ts";
import { NearestSet } from "../nearest/nearest-set.ts";
import { type PlanarIndex, planarIndex } from "../nearest/planar-index.ts";
import { PlanarSearch } from "../nearest/planar-search.ts";
import { rowDimensions } from "./dimensions.ts";
import { polygonCovers, polygonLocator } from "./locate.ts";
import { coordinateRange, safeScale, scaledColumn } from "./range.ts";
import { nearestOnSegments, segmentSegmentSquared } from "./segments.ts";

/** Pairs of vertices up to which every segment is held against every other, without an index. */
const DIRECT = 4096;

/** The points of two geometries that are nearest to each other; the same point twice where they meet. */
export interface NearestPoints {
  readonly distance: number;
  /** `[x, y]` on the first geometry. */
  readonly a: readonly [x: number, y: number];
  /** `[x, y]` on the second geometry. */
  readonly b: readonly [x: number, y: number];
}

/**
 * Planar distance of two geometries of any types, in units of the coordinates. Exactly 0 when they have a point in
 * common, polygons with their inside, and only then. `Infinity` when either is null or empty. Vertices that are not
 * finite do not count, nor do the edges at them.
 *
 * Small geometries are compared edge by edge, large ones through an index over the larger: O((n + m) log n). Who
 * compares one with many prepares it: {@link prepareDistance}.
 */
export function distanceRows(a: GeometryColumn, rowA: number, b: GeometryColumn, rowB: number): number {
  return measure(a, rowA, b, rowB, -1, Infinity, null);
}

/**
 * Whether two geometries are no farther apart than `distance`, the distance itself included. False when either is null or
 * empty, and for a negative or NaN distance. Stops at the first pair of edges that is near enough.
 */
export function withinDistance(
  a: GeometryColumn,
  rowA: number,
  b: GeometryColumn,
  rowB: number,
  distance: number,
): boolean {
  if (!(distance >= 0)) return false;
  const found = measure(a, rowA, b, rowB, distance, distance, null);
  return found <= distance && found < Infinity;
}

/** The two nearest points of two geometries; `null` when either is null or empty. On lines and edges, rounded. */
export function nearestPointsRows(
  a: GeometryColumn,
  rowA: number,
  b: GeometryColumn,
  rowB: number,
): NearestPoints | null {
  const witness = new Float64Array(8);
  const distance = measure(a, rowA, b, rowB, -1, Infinity, witness);
  if (distance === Infinity) return null;
  const points = new Float64Array(4);
  nearestOnSegments(
    witness[0]!,
    witness[1]!,
    witness[2]!,
    witness[3]!,
    witness[4]!,
    witness[5]!,
    witness[6]!,
    witness[7]!,
    points,
  );
  return { distance, a: [points[0]!, points[1]!], b: [points[2]!, points[3]!] };
}

/** A geometry made ready for many distances. */
export interface PreparedDistance {
  readonly index: PlanarIndex;
  readonly search: PlanarSearch;
}

/** Index row `row`, O(n log n). */
export function prepareDistance(column: GeometryColumn, row: number): PreparedDistance {
  const index = planarIndex(column, [row]);
  return { index, search: new PlanarSearch(index) };
}

/** {@link distanceRows} of a prepared geometry and a row. */
export function distanceToPrepared(prepared: PreparedDistance, column: GeometryColumn, row: number): number {
  return searched(prepared.search, column, row, -1, Infinity);
}

/** {@link withinDistance} of a prepared geometry and a row. */
export function withinPrepared(
  prepared: PreparedDistance,
  column: GeometryColumn,
  row: number,
  distance: number,
): boolean {
  if (!(distance >= 0)) return false;
  const found = searched(prepared.search, column, row, distance, distance);
  return found <= distance && found < Infinity;
}

/**
 * The distance; or any distance up to `enough` as soon as one is seen; `Infinity` when it is more than `limit`.
 * `witness` gets the two nearest segments.
 */
function measure(
  a: GeometryColumn,
  rowA: number,
  b: GeometryColumn,
  rowB: number,
  enough: number,
  limit: number,
  witness: Float64Array | null,
): number {
  const startA = firstVertex(a, rowA);
  const endA = firstVertex(a, rowA + 1);
  const startB = firstVertex(b, rowB);
  const endB = firstVertex(b, rowB + 1);
  if (startA === endA || startB === endB) return Infinity;
  const scale = safeScale(coordinateRange(a.xy, startA, endA), coordinateRange(b.xy, startB, endB));
  if (scale !== 1) {
    const found = measure(
      scaledColumn(a, scale),
      rowA,
      scaledColumn(b, scale),
      rowB,
      enough * scale,
      limit * scale,
      witness,
    );
    if (witness !== null) for (let i = 0; i < 8; i++) witness[i]! /= scale;
    return found / scale;
  }
  const plain = allFinite(a.xy, startA, endA) && allFinite(b.xy, startB, endB);
  if (plain && gapSquared(a.xy, startA, endA, b.xy, startB, endB) > limit * limit * (1 + 1e-12))
    return Infinity;
  if (plain && (endA - startA) * (endB - startB) <= DIRECT) {
    return Math.sqrt(direct(a, rowA, b, rowB, enough < 0 ? -1 : enough * enough, witness));
  }
  // The larger one is indexed, the smaller one asks.
  const turned = endA - startA > endB - startB;
  const search = new PlanarSearch(turned ? planarIndex(a, [rowA]) : planarIndex(b, [rowB]));
  const found = turned ? searched(search, b, rowB, enough, limit) : searched(search, a, rowA, enough, limit);
  if (witness !== null) {
    witness.set(search.witness);
    if (turned) {
      witness.copyWithin(0, 4);
      witness.set(search.witness.subarray(0, 4), 4);
    }
  }
  return found;
}

function searched(
  search: PlanarSearch,
  column: GeometryColumn,
  row: number,
  enough: number,
  limit: number,
): number {
  const set = new NearestSet(1, limit, "first", null, 1);
  if (enough >= 0) set.enough = enough * enough;
  search.forget();
  search.row(column, row, set);
  return search.leastDistance;
}

function firstVertex({ geometries, parts, rings }: GeometryColumn, row: number): number {
  return rings[parts[geometries[row]!]!]!;
}

function allFinite(xy: Float64Array, start: number, end: number): boolean {
  let sum = 0;
  for (let i = 2 * start; i < 2 * end; i++) sum += 0 * xy[i]!;
  return sum === 0;
}

/** Square of the distance of the boxes of two stretches of vertices. */
function gapSquared(
  a: Float64Array,
  startA: number,
  endA: number,
  b: Float64Array,
  startB: number,
  endB: number,
): number {
  let square = 0;
  for (let axis = 0; axis < 2; axis++) {
    let minA = Infinity;
    let maxA = -Infinity;
    let minB = Infinity;
    let maxB = -Infinity;
    for (let i = 2 * startA + axis; i < 2 * endA; i += 2) {
      if (a[i]! < minA) minA = a[i]!;
      if (a[i]! > maxA) maxA = a[i]!;
    }
    for (let i = 2 * startB + axis; i < 2 * endB; i += 2) {
      if (b[i]! < minB) minB = b[i]!;
      if (b[i]! > maxB) maxB = b[i]!;
    }
    const gap = Math.max(0, minB - maxA, minA - maxB);
    square += gap * gap;
  }
  return square;
}

/** Square of the distance, every edge against every edge. All vertices are finite. */
function direct(
  a: GeometryColumn,
  rowA: number,
  b: GeometryColumn,
  rowB: number,
  enough: number,
  witness: Float64Array | null,
): number {
  const inside = commonAnchor(a, rowA, b, rowB) ?? commonAnchor(b, rowB, a, rowA);
  if (inside !== null) {
    if (witness !== null) for (let i = 0; i < 8; i += 2) witness.set(inside, i);
    return 0;
  }
  const endA = a.parts[a.geometries[rowA + 1]!]!;
  const endB = b.parts[b.geometries[rowB + 1]!]!;
  let least = Infinity;
  for (let r = a.parts[a.geometries[rowA]!]!; r < endA; r++) {
    const lastA = a.rings[r + 1]! - 1;
    const firstA = a.rings[r]!;
    // A ring of one vertex, a point, is a segment from it to itself.
    for (let v = firstA; v < lastA || (v === firstA && v === lastA); v++) {
      const w = Math.min(v + 1, lastA);
      const ax = a.xy[2 * v]!;
      const ay = a.xy[2 * v + 1]!;
      const bx = a.xy[2 * w]!;
      const by = a.xy[2 * w + 1]!;
      const minX = Math.min(ax, bx);
      const maxX = Math.max(ax, bx);
      const minY = Math.min(ay, by);
      const maxY = Math.max(ay, by);
      for (let s = b.parts[b.geometries[rowB]!]!; s < endB; s++) {
        const lastB = b.rings[s + 1]! - 1;
        const firstB = b.rings[s]!;
        for (let t = firstB; t < lastB || (t === firstB && t === lastB); t++) {
          const u = Math.min(t + 1, lastB);
          const cx = b.xy[2 * t]!;
          const cy = b.xy[2 * t + 1]!;
          const dx = b.xy[2 * u]!;
          const dy = b.xy[2 * u + 1]!;
          const gapX = Math.max(0, Math.min(cx, dx) - maxX, minX - Math.max(cx, dx));
          const gapY = Math.max(0, Math.min(cy, dy) - maxY, minY - Math.max(cy, dy));
          if (gapX * gapX + gapY * gapY >= least) continue;
          const square = segmentSegmentSquared(ax, ay, bx, by, cx, cy, dx, dy);
          if (!(square < least)) continue;
          least = square;
          if (witness !== null) {
            witness[0] = ax;
            witness[1] = ay;
            witness[2] = bx;
            witness[3] = by;
            witness[4] = cx;
            witness[5] = cy;
            witness[6] = dx;
            witness[7] = dy;
          }
          if (least === 0 || least <= enough) return least;
        }
      }
    }
  }
  return least;
}

/** First vertex of a part of `a` that a polygon of `b` covers, or `null`. */
function commonAnchor(
  a: GeometryColumn,
  rowA: number,
  b: GeometryColumn,
  rowB: number,
): readonly [number, number] | null {
  const dimensions = rowDimensions(b, rowB);
  const first = b.geometries[rowB]!;
  for (let p = 0; p < dimensions.length; p++) {
    if (dimensions[p] !== 2) continue;
    const locator = polygonLocator(b, first + p);
    for (let q = a.geometries[rowA]!; q < a.geometries[rowA + 1]!; q++) {
      const v = a.rings[a.parts[q]!]!;
      if (v === a.rings[a.parts[q + 1]!]!) continue;
      if (polygonCovers(locator, a.xy[2 * v]!, a.xy[2 * v + 1]!)) return [a.xy[2 * v]!, a.xy[2 * v + 1]!];
    }
  }
  return null;
}
