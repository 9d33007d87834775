import { type Hits, searchBoxes } from "../box-tree.ts";
import { addEdge, coveredAround, type Fan, fromEast, newFan } from "./fan.ts";
import { hasPoint } from "./point-set.ts";
import { LINE, type Shape } from "./shape.ts";
import { side } from "./side.ts";
import { slabOf } from "./slabs.ts";

/** How an edge meets the ray from a point to the right. */
const MISSES = 0;
const CROSSES = 1;
/** The point is on the edge. */
const HOLDS = 2;

/** Edges cross the ray when one end is above it and the other is not, so that the ray runs just above the point. */
function meetRay(edges: Float64Array, e: number, x: number, y: number): number {
  const y1 = edges[4 * e + 1]!;
  const y2 = edges[4 * e + 3]!;
  if ((y1 > y && y2 > y) || (y1 < y && y2 < y)) return MISSES;
  const x1 = edges[4 * e]!;
  const x2 = edges[4 * e + 2]!;
  if (x1 < x && x2 < x) return MISSES;
  const crosses = y1 > y !== y2 > y;
  if (x1 > x && x2 > x) return crosses ? CROSSES : MISSES;
  const to = side(x1, y1, x2, y2, x, y);
  if (to === 0) return HOLDS;
  return crosses && to > 0 === y2 > y1 ? CROSSES : MISSES;
}

/** List the edges that a ray from (x, y) to the right may meet, and others, in {@link found}. */
function rayEdges(shape: Shape, x: number, y: number): void {
  found.values = null;
  found.first = 0;
  found.count = shape.edgeCount;
  if (shape.edgeCount < 16) return;
  const slabs = shape.slabs();
  if (slabs !== null) {
    const k = slabOf(slabs, y);
    found.values = slabs.items;
    found.first = slabs.starts[k]!;
    found.count = slabs.starts[k + 1]! - found.first;
    return;
  }
  const tree = shape.tree(0);
  if (tree !== null) {
    const hits: Hits = shape.hits;
    found.count = searchBoxes(tree, x, y, Infinity, y, hits);
    found.values = hits.values;
  }
}

/** Edges `values[first ..]`, or simply all where `values` is null. */
const found: { count: number; first: number; values: Int32Array | null } = {
  count: 0,
  first: 0,
  values: null,
};

/**
 * Flip `parity[offset + element]` for every edge of a polygon that a ray from (x, y) meets, edges through the point left out.
 * What results is whether each element covers the points just after east around (x, y), counter-clockwise.
 */
export function castRay(shape: Shape, x: number, y: number, parity: Uint8Array, offset: number): void {
  if (!(x >= shape.minX && x <= shape.maxX && y >= shape.minY && y <= shape.maxY)) return;
  const { edges, elementOf } = shape;
  rayEdges(shape, x, y);
  const { values, first, count } = found;
  for (let k = 0; k < count; k++) {
    const e = values === null ? k : values[first + k]!;
    const element = elementOf[e]!;
    if (element !== LINE && meetRay(edges, e, x, y) === CROSSES)
      parity[offset + element] = parity[offset + element]! ^ 1;
  }
}

const fan: Fan = newFan();

/** Bits of {@link Shape.parity} in {@link locate}. */
const ODD = 1;
const ON_EDGE = 2;

/**
 * Where a point lies: 1 in the interior, 0 on the boundary, -1 outside. Polygons count as their union, then lines with the
 * mod-2 rule for their boundary, then points. Exact. Cost: the edges at the height of the point when the shape is
 * kept, else all edges.
 */
export function locate(shape: Shape, x: number, y: number): -1 | 0 | 1 {
  if (!(x >= shape.minX && x <= shape.maxX && y >= shape.minY && y <= shape.maxY)) return -1;
  const { edges, elementOf, parity, elements } = shape;
  rayEdges(shape, x, y);
  const { values, first, count } = found;
  let odd = 0;
  let touched = 0;
  let online = false;
  if (elements === 1 && !shape.crowded) {
    // One polygon: no book-keeping.
    for (let k = 0; k < count; k++) {
      const e = values === null ? k : values[first + k]!;
      const meets = meetRay(edges, e, x, y);
      if (meets === MISSES) continue;
      if (elementOf[e] === LINE) {
        if (meets === HOLDS) online = true;
      } else if (meets === HOLDS) return 0;
      else odd ^= 1;
    }
    if (odd === 1) return 1;
  } else {
    for (let k = 0; k < count; k++) {
      const e = values === null ? k : values[first + k]!;
      const meets = meetRay(edges, e, x, y);
      if (meets === MISSES) continue;
      const element = elementOf[e]!;
      if (element === LINE) {
        if (meets === HOLDS) online = true;
      } else if (meets === CROSSES) parity[element] = parity[element]! ^ ODD;
      else parity[element] = parity[element]! | ON_EDGE;
    }
    for (let element = 0; element < elements; element++) {
      if (parity[element]! >= ON_EDGE) touched++;
      else odd += parity[element]!;
    }
    let covered = false;
    if (odd === 0 && (touched > 1 || (touched === 1 && shape.crowded)))
      covered = allAround(shape, x, y, values, first, count);
    parity.fill(0, 0, elements);
    if (odd > 0 || covered) return 1;
    if (touched > 0) return 0;
  }
  if (online) return hasPoint(shape.boundary(), x, y) ? 0 : 1;
  return shape.pointCount > 0 && hasPoint(shape.sorted(), x, y) ? 1 : -1;
}

/** Whether elements that all have the point on an edge leave no gap around it. */
function allAround(
  shape: Shape,
  x: number,
  y: number,
  values: Int32Array | null,
  first: number,
  count: number,
): boolean {
  const { edges, elementOf, parity, elements } = shape;
  fan.count = 0;
  for (let k = 0; k < count; k++) {
    const e = values === null ? k : values[first + k]!;
    if (elementOf[e] === LINE || meetRay(edges, e, x, y) !== HOLDS) continue;
    addEdge(fan, x, y, edges[4 * e]!, edges[4 * e + 1]!, edges[4 * e + 2]!, edges[4 * e + 3]!, elementOf[e]!);
  }
  const toX = fan.tx[0]!;
  const toY = fan.ty[0]!;
  for (let element = 0; element < elements; element++) parity[element] = parity[element]! & ODD;
  for (let k = 0; k < fan.count; k++) {
    if (fromEast(fan, k, x, y, toX, toY)) parity[fan.owner[k]!] = parity[fan.owner[k]!]! ^ 1;
  }
  let covering = 0;
  for (let element = 0; element < elements; element++) covering += parity[element]!;
  return coveredAround(fan, x, y, toX, toY, 0, elements, parity, covering);
}
