import type { GeometryColumn } from "../../model/geometry.ts";
import { searchBoxes } from "./box-tree.ts";
import { type Cuts, cutSegment, newCuts } from "./cut-segment.ts";
import { side } from "./noding/exact.ts";
import { INSIDE, locate, OUTSIDE, type PreparedRegion, preparePolygonParts } from "./region.ts";

/** How a geometry lies to a region. */
export type Relation =
  /** No point in common. */
  | "outside"
  /** In common: boundary only. */
  | "touching"
  /** All of it, boundary included. */
  | "inside"
  /** Some of the interior inside and some outside, or the region's outline runs through it. */
  | "crossing";

/** What {@link relatePolygon} found, with what an overlay wants to know. */
export interface PolygonRelation {
  relation: Relation;
  /** For `"crossing"`: whether some of the polygon's own outline lies outside the region. */
  leaves: boolean;
}

/**
 * How polygon part `part` lies to a region. Exact: coordinates are compared, never computed, but for the
 * middles of pieces between cuts. Most polygons are settled by one index search and one point.
 */
export function relatePolygon(
  column: GeometryColumn,
  part: number,
  region: PreparedRegion,
  cuts: Cuts = newCuts(),
): PolygonRelation {
  const { parts, rings, xy } = column;
  const start = rings[parts[part]!]!;
  const end = rings[parts[part + 1]!]!;
  if (start === end) return { relation: "outside", leaves: false };
  let minX = Infinity;
  let minY = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  for (let v = start; v < end; v++) {
    minX = Math.min(minX, xy[2 * v]!);
    minY = Math.min(minY, xy[2 * v + 1]!);
    maxX = Math.max(maxX, xy[2 * v]!);
    maxY = Math.max(maxY, xy[2 * v + 1]!);
  }
  const outline = outlineIn(region, minX, minY, maxX, maxY);
  if (outline.length === 0) {
    const inside = locate(region, xy[2 * start]!, xy[2 * start + 1]!) === INSIDE;
    return { relation: inside ? "inside" : "outside", leaves: false };
  }
  let enters = false;
  let leaves = false;
  let met = false;
  for (let r = parts[part]!; r < parts[part + 1]!; r++) {
    let state: number | null = null;
    for (let v = rings[r]!; v + 1 < rings[r + 1]!; v++) {
      cutSegment(region, xy[2 * v]!, xy[2 * v + 1]!, xy[2 * v + 2]!, xy[2 * v + 3]!, state, cuts);
      if (cuts.met) met = true;
      for (let k = 0; k + 1 < cuts.count; k++) {
        state = cuts.state[k]!;
        if (state === INSIDE) enters = true;
        else if (state === OUTSIDE) leaves = true;
      }
      if (enters && leaves) return { relation: "crossing", leaves: true };
    }
  }
  // The outline of the region may still run through the polygon: an island or a hole of it inside, or along it.
  const polygon = preparePolygonParts(column, Int32Array.of(part));
  for (const i of outline) {
    const e = 4 * i;
    const { edges } = region;
    cutSegment(polygon, edges[e]!, edges[e + 1]!, edges[e + 2]!, edges[e + 3]!, null, cuts);
    for (let k = 0; k + 1 < cuts.count; k++) {
      if (cuts.state[k] === INSIDE) return { relation: "crossing", leaves };
    }
  }
  let inside = enters;
  if (!enters && !leaves) {
    const point = interiorPoint(column, part);
    inside = point !== null && locate(region, point[0], point[1]) === INSIDE;
  }
  if (inside) return { relation: "inside", leaves: false };
  return { relation: met ? "touching" : "outside", leaves: false };
}

/** Whether a polygon part has any point in common with a region, boundaries included. */
export function polygonMeets(column: GeometryColumn, part: number, region: PreparedRegion): boolean {
  const { parts, rings, xy } = column;
  const first = parts[part]!;
  if (first === parts[part + 1]!) return false;
  for (let r = first; r < parts[part + 1]!; r++) {
    if (lineMeetsEdges(xy, rings[r]!, rings[r + 1]!, region)) return true;
  }
  // No edges meet: one holds the other, or they are apart.
  if (locate(region, xy[2 * rings[first]!]!, xy[2 * rings[first]! + 1]!) !== OUTSIDE) return true;
  let minX = Infinity;
  let minY = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  for (let v = rings[first]!; v < rings[first + 1]!; v++) {
    minX = Math.min(minX, xy[2 * v]!);
    minY = Math.min(minY, xy[2 * v + 1]!);
    maxX = Math.max(maxX, xy[2 * v]!);
    maxY = Math.max(maxY, xy[2 * v + 1]!);
  }
  let polygon: PreparedRegion | null = null;
  const { bounds } = region;
  for (let k = 0; k < region.polygons; k++) {
    if (
      bounds[4 * k]! < minX ||
      bounds[4 * k + 1]! < minY ||
      bounds[4 * k + 2]! > maxX ||
      bounds[4 * k + 3]! > maxY
    )
      continue;
    polygon ??= preparePolygonParts(column, Int32Array.of(part));
    const v = region.column.rings[region.column.parts[region.parts[k]!]!]!;
    if (locate(polygon, region.column.xy[2 * v]!, region.column.xy[2 * v + 1]!) !== OUTSIDE) return true;
  }
  return false;
}

/** Whether a line has any point in common with a region, its boundary included. */
export function lineMeets(xy: Float64Array, start: number, end: number, region: PreparedRegion): boolean {
  if (start === end) return false;
  return (
    locate(region, xy[2 * start]!, xy[2 * start + 1]!) !== OUTSIDE || lineMeetsEdges(xy, start, end, region)
  );
}

function lineMeetsEdges(xy: Float64Array, start: number, end: number, region: PreparedRegion): boolean {
  const { edges, tree, hits } = region;
  for (let v = start; v + 1 < end; v++) {
    const ax = xy[2 * v]!;
    const ay = xy[2 * v + 1]!;
    const bx = xy[2 * v + 2]!;
    const by = xy[2 * v + 3]!;
    const found = searchBoxes(
      tree,
      Math.min(ax, bx),
      Math.min(ay, by),
      Math.max(ax, bx),
      Math.max(ay, by),
      hits,
    );
    for (let k = 0; k < found; k++) {
      const e = 4 * hits.values[k]!;
      if (segmentsMeet(ax, ay, bx, by, edges[e]!, edges[e + 1]!, edges[e + 2]!, edges[e + 3]!)) return true;
    }
  }
  return false;
}

/** Whether two segments whose boxes meet have a point in common. Exact. */
export function segmentsMeet(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  cx: number,
  cy: number,
  dx: number,
  dy: number,
): boolean {
  const c = side(ax, ay, bx, by, cx, cy);
  const d = side(ax, ay, bx, by, dx, dy);
  if ((c > 0 && d > 0) || (c < 0 && d < 0)) return false;
  const a = side(cx, cy, dx, dy, ax, ay);
  const b = side(cx, cy, dx, dy, bx, by);
  // All on one line: the boxes meet, so do the segments.
  return !((a > 0 && b > 0) || (a < 0 && b < 0));
}

/** Edges of the union's outline whose boxes meet the given box. */
function outlineIn(
  region: PreparedRegion,
  minX: number,
  minY: number,
  maxX: number,
  maxY: number,
): Int32Array {
  const found = searchBoxes(region.tree, minX, minY, maxX, maxY, region.hits);
  const edges = new Int32Array(found);
  let n = 0;
  for (let k = 0; k < found; k++) {
    const i = region.hits.values[k]!;
    if (region.inner[i] === 0) edges[n++] = i;
  }
  return edges.subarray(0, n);
}

/**
 * A point strictly inside a polygon part: the middle of the widest stretch along a horizontal line that no vertex
 * lies on, near the middle of the part. `null` for a polygon without area.
 */
export function interiorPoint(column: GeometryColumn, part: number): [x: number, y: number] | null {
  const { parts, rings, xy } = column;
  const start = rings[parts[part]!]!;
  const end = rings[parts[part + 1]!]!;
  let minY = Infinity;
  let maxY = -Infinity;
  for (let v = start; v < end; v++) {
    minY = Math.min(minY, xy[2 * v + 1]!);
    maxY = Math.max(maxY, xy[2 * v + 1]!);
  }
  const middle = (minY + maxY) / 2;
  let below = minY;
  let above = maxY;
  for (let v = start; v < end; v++) {
    const y = xy[2 * v + 1]!;
    if (y <= middle) below = Math.max(below, y);
    else above = Math.min(above, y);
  }
  const y = (below + above) / 2;
  const crossings: number[] = [];
  for (let r = parts[part]!; r < parts[part + 1]!; r++) {
    for (let v = rings[r]!; v + 1 < rings[r + 1]!; v++) {
      const y1 = xy[2 * v + 1]!;
      const y2 = xy[2 * v + 3]!;
      if (y1 <= y === y2 <= y) continue;
      crossings.push(xy[2 * v]! + ((y - y1) / (y2 - y1)) * (xy[2 * v + 2]! - xy[2 * v]!));
    }
  }
  crossings.sort((a, b) => a - b);
  let best: [number, number] | null = null;
  let width = 0;
  for (let k = 0; k + 1 < crossings.length; k += 2) {
    if (crossings[k + 1]! - crossings[k]! > width) {
      width = crossings[k + 1]! - crossings[k]!;
      best = [(crossings[k]! + crossings[k + 1]!) / 2, y];
    }
  }
  return best;
}
