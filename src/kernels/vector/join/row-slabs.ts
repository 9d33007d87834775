import type { GeometryColumn } from "../../../model/geometry.ts";
import { BOUNDARY, crossing, type EdgeChunks, INSIDE, ON_EDGE, OUTSIDE } from "./edge-chunks.ts";

/**
 * The edges of one row's polygons by level strips of equal height: a point looks only at the edges of its own strip.
 * For polygons that many points are tested against.
 */
export interface RowSlabs {
  readonly xy: Float64Array;
  readonly minY: number;
  /** Strips per unit of y. */
  readonly scale: number;
  /** First edge of each strip; length = strips + 1. */
  readonly starts: Int32Array;
  /** First vertex of each edge; the next vertex of the column is its other end. */
  readonly edges: Int32Array;
  /** Polygon of each edge when the row has several, counted from 0; `null` when it has one. */
  readonly polygons: Uint16Array | null;
  /** State of each polygon during a test; all zero between tests. */
  readonly states: Uint8Array;
}

/** Strips at the most: more give nothing once a strip holds a handful of edges. */
const MAX_STRIPS = 16384;
/** Polygons of a row at the most, as they are numbered in 16 bits. */
const MAX_POLYGONS = 65535;

/**
 * Strips of a row, or `null` when the row is not worth one or too rich in parts (then {@link EdgeChunks} serve).
 * O(edges), and edges that span several strips stand in each.
 */
export function rowSlabs({ column, dimensions }: EdgeChunks, row: number): RowSlabs | null {
  const { geometries, parts, rings, xy } = column;
  let minY = Infinity;
  let maxY = -Infinity;
  let count = 0;
  let polygonCount = 0;
  for (let p = geometries[row]!; p < geometries[row + 1]!; p++) {
    if (dimensions[p] !== 2) continue;
    polygonCount++;
    for (let v = rings[parts[p]!]!; v < rings[parts[p + 1]!]!; v++) {
      const y = xy[2 * v + 1]!;
      if (y < minY) minY = y;
      if (y > maxY) maxY = y;
      count++;
    }
  }
  const strips = Math.min(MAX_STRIPS, Math.max(1, count));
  const scale = strips / (maxY - minY);
  if (polygonCount === 0 || polygonCount > MAX_POLYGONS || !Number.isFinite(scale) || scale === 0)
    return null;
  const starts = new Int32Array(strips + 1);
  forEdges(column, dimensions, row, (v) => {
    const y1 = xy[2 * v + 1]!;
    const y2 = xy[2 * v + 3]!;
    const first = stripOf(y1 < y2 ? y1 : y2, minY, scale, strips);
    const last = stripOf(y1 < y2 ? y2 : y1, minY, scale, strips);
    for (let s = first; s <= last; s++) starts[s]!++;
  });
  let total = 0;
  for (let s = 0; s <= strips; s++) {
    const here = starts[s]!;
    starts[s] = total;
    total += here;
  }
  const edges = new Int32Array(total);
  const polygons = polygonCount > 1 ? new Uint16Array(total) : null;
  forEdges(column, dimensions, row, (v, polygon) => {
    const y1 = xy[2 * v + 1]!;
    const y2 = xy[2 * v + 3]!;
    const first = stripOf(y1 < y2 ? y1 : y2, minY, scale, strips);
    const last = stripOf(y1 < y2 ? y2 : y1, minY, scale, strips);
    for (let s = first; s <= last; s++) {
      if (polygons !== null) polygons[starts[s]!] = polygon;
      edges[starts[s]!++] = v;
    }
  });
  starts.copyWithin(1, 0, strips);
  starts[0] = 0;
  return { xy, minY, scale, starts, edges, polygons, states: new Uint8Array(polygonCount) };
}

function forEdges(
  { geometries, parts, rings }: GeometryColumn,
  dimensions: Uint8Array,
  row: number,
  visit: (vertex: number, polygon: number) => void,
): void {
  let polygon = 0;
  for (let p = geometries[row]!; p < geometries[row + 1]!; p++) {
    if (dimensions[p] !== 2) continue;
    for (let r = parts[p]!; r < parts[p + 1]!; r++)
      for (let v = rings[r]!; v < rings[r + 1]! - 1; v++) visit(v, polygon);
    polygon++;
  }
}

/** Grows with y, so that the strips of an edge's ends bound those of all its points. NaN is in the first. */
function stripOf(y: number, minY: number, scale: number, strips: number): number {
  const strip = ((y - minY) * scale) | 0;
  return strip >= strips ? strips - 1 : strip < 0 ? 0 : strip;
}

/** As `locateInRow` of edge chunks says, and as exact. The cost is the edges of one strip. */
export function locateInSlabs(slabs: RowSlabs, x: number, y: number): -1 | 0 | 1 {
  const { xy, minY, scale, starts, edges, polygons } = slabs;
  const strip = stripOf(y, minY, scale, starts.length - 1);
  const end = starts[strip + 1]!;
  if (polygons !== null) return locateAmong(slabs, starts[strip]!, end, x, y);
  let inside = false;
  for (let k = starts[strip]!; k < end; k++) {
    const v = 2 * edges[k]!;
    const crossed = crossing(xy[v]!, xy[v + 1]!, xy[v + 2]!, xy[v + 3]!, x, y);
    if (crossed === ON_EDGE) return BOUNDARY;
    if (crossed === 1) inside = !inside;
  }
  return inside ? INSIDE : OUTSIDE;
}

function locateAmong(slabs: RowSlabs, start: number, end: number, x: number, y: number): -1 | 0 | 1 {
  const { xy, edges, polygons, states } = slabs;
  for (let k = start; k < end; k++) {
    const v = 2 * edges[k]!;
    const crossed = crossing(xy[v]!, xy[v + 1]!, xy[v + 2]!, xy[v + 3]!, x, y);
    if (crossed === ON_EDGE) states[polygons![k]!]! |= 2;
    else if (crossed === 1) states[polygons![k]!]! ^= 1;
  }
  let found: -1 | 0 | 1 = OUTSIDE;
  for (let k = start; k < end; k++) {
    const polygon = polygons![k]!;
    const state = states[polygon]!;
    states[polygon] = 0;
    // The parity of a polygon whose own edge holds the point means nothing.
    if ((state & 2) !== 0) {
      if (found === OUTSIDE) found = BOUNDARY;
    } else if (state === 1) found = INSIDE;
  }
  return found;
}

/** As `holdsHalfOpen` of edge chunks says, and as exact. */
export function slabsHoldHalfOpen(slabs: RowSlabs, x: number, y: number): boolean {
  const { xy, minY, scale, starts, edges, polygons, states } = slabs;
  const strip = stripOf(y, minY, scale, starts.length - 1);
  const end = starts[strip + 1]!;
  let inside = false;
  for (let k = starts[strip]!; k < end; k++) {
    const v = 2 * edges[k]!;
    // A point on an edge lies, once moved, to the right of it: the ray does not cross.
    if (crossing(xy[v]!, xy[v + 1]!, xy[v + 2]!, xy[v + 3]!, x, y) !== 1) continue;
    if (polygons === null) inside = !inside;
    else states[polygons[k]!]! ^= 1;
  }
  if (polygons === null) return inside;
  for (let k = starts[strip]!; k < end; k++) {
    if (states[polygons[k]!] === 1) inside = true;
    states[polygons[k]!] = 0;
  }
  return inside;
}
