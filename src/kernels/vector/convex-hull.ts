import { type GeometryColumn, LINE_STRING, POINT, POLYGON } from "../../model/geometry.ts";
import type { GeometryBuilder } from "../../model/geometry-builder.ts";
import { side } from "./relate/side.ts";

/**
 * Append the convex hull of a row: the smallest convex polygon around its vertices, counter-clockwise from the leftmost
 * (lowest) one, without points in the middle of its sides. A line of two points when all vertices lie on one line, a
 * point when they are one; a polygon without parts for an empty row and a null geometry for a null one. Vertices that
 * are not finite are left out. Exact; monotone chain (Andrew 1979), `n log n`.
 */
export function convexHullRow(column: GeometryColumn, row: number, builder: GeometryBuilder): void {
  const { types, geometries, parts, rings, xy } = column;
  if (types[row] === 0) {
    builder.null();
    return;
  }
  const start = rings[parts[geometries[row]!]!]!;
  const end = rings[parts[geometries[row + 1]!]!]!;
  const order = hullOrder(xy, start, end);
  const count = order.length;
  if (count === 0) {
    builder.begin(POLYGON);
    builder.end();
    return;
  }
  builder.begin(count === 1 ? POINT : count === 2 ? LINE_STRING : POLYGON);
  builder.part();
  for (const v of order) builder.vertex(xy[2 * v]!, xy[2 * v + 1]!);
  if (count > 2) builder.vertex(xy[2 * order[0]!]!, xy[2 * order[0]! + 1]!);
  builder.end();
}

/** Vertices of the hull of vertices `start .. end - 1`, in its order. */
function hullOrder(xy: Float64Array, start: number, end: number): Int32Array {
  const sorted = new Int32Array(end - start);
  let n = 0;
  for (let v = start; v < end; v++)
    if (Number.isFinite(xy[2 * v]!) && Number.isFinite(xy[2 * v + 1]!)) sorted[n++] = v;
  const points = sorted.subarray(0, n);
  points.sort((a, b) => xy[2 * a]! - xy[2 * b]! || xy[2 * a + 1]! - xy[2 * b + 1]! || a - b);
  // Equal points lie side by side.
  let different = 0;
  for (let k = 0; k < n; k++) {
    const v = points[k]!;
    const w = different === 0 ? -1 : points[different - 1]!;
    if (w >= 0 && xy[2 * v] === xy[2 * w] && xy[2 * v + 1] === xy[2 * w + 1]) continue;
    points[different++] = v;
  }
  if (different < 3) return points.slice(0, different);
  const hull = new Int32Array(2 * different);
  let size = 0;
  for (let k = 0; k < different; k++) {
    while (size >= 2 && !turnsLeft(xy, hull[size - 2]!, hull[size - 1]!, points[k]!)) size--;
    hull[size++] = points[k]!;
  }
  const lower = size + 1;
  for (let k = different - 2; k >= 0; k--) {
    while (size >= lower && !turnsLeft(xy, hull[size - 2]!, hull[size - 1]!, points[k]!)) size--;
    hull[size++] = points[k]!;
  }
  return hull.slice(0, size - 1);
}

function turnsLeft(xy: Float64Array, a: number, b: number, c: number): boolean {
  return side(xy[2 * a]!, xy[2 * a + 1]!, xy[2 * b]!, xy[2 * b + 1]!, xy[2 * c]!, xy[2 * c + 1]!) > 0;
}
