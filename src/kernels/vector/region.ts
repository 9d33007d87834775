import { orient2d } from "robust-predicates";
import { type GeometryColumn, typeDimension } from "../../model/geometry.ts";
import { type BoxTree, buildBoxTree, type Hits, newHits, searchBoxes } from "./box-tree.ts";

/**
 * Polygons that other geometries are tested against, as one set of edges with an index. Several polygons count as
 * their union, which is never computed: each edge knows its polygon, and edges that two polygons share from
 * opposite sides are marked, since no boundary runs there.
 */
export interface PreparedRegion {
  /** 4 numbers each, `[x1, y1, x2, y2]`. Edges of no length are left out. */
  readonly edges: Float64Array;
  /** Polygon of each edge; a polygon is one part of one row. */
  readonly owner: Int32Array;
  /** 1 where the inside lies on both sides of the edge. */
  readonly inner: Uint8Array;
  readonly tree: BoxTree;
  /** Number of polygons. */
  readonly polygons: number;
  /** Part of the column that each polygon is. */
  readonly parts: Int32Array;
  /** `[minX, minY, maxX, maxY]` of each polygon. */
  readonly bounds: Float64Array;
  readonly column: GeometryColumn;
  /** Scratch, so that tests allocate nothing. A region therefore serves one caller at a time. */
  readonly hits: Hits;
  readonly parity: Uint8Array;
  readonly seen: Int32Array;
}

/** Where a point lies. */
export const OUTSIDE = -1;
export const BOUNDARY = 0;
export const INSIDE = 1;

/** Index the polygons of `rows` (default all), members of collections among them. Lines and points are left out. */
export function prepareRegion(column: GeometryColumn, rows?: ArrayLike<number>): PreparedRegion {
  const { types, geometries, collections } = column;
  const parts: number[] = [];
  const count = rows === undefined ? types.length : rows.length;
  for (let k = 0; k < count; k++) {
    const row = rows === undefined ? k : rows[k]!;
    let dimension = typeDimension(types[row]!);
    let member = collections === null ? 0 : collections.rows[row]!;
    const memberEnd = collections === null ? 0 : collections.rows[row + 1]!;
    for (let p = geometries[row]!; p < geometries[row + 1]!; p++) {
      while (member < memberEnd && collections!.members[member]! <= p)
        dimension = typeDimension(collections!.types[member++]!);
      if (dimension === 2) parts.push(p);
    }
  }
  return preparePolygonParts(column, Int32Array.from(parts));
}

/** Index the given parts, which must be polygons. */
export function preparePolygonParts(column: GeometryColumn, parts: Int32Array): PreparedRegion {
  const { parts: firstRing, rings, xy } = column;
  let capacity = 0;
  for (const p of parts) capacity += rings[firstRing[p + 1]!]! - rings[firstRing[p]!]!;
  const edges = new Float64Array(4 * capacity);
  const owner = new Int32Array(capacity);
  /** 1 when the inside is on the left of an edge, 2 on the right. */
  const sides = new Uint8Array(capacity);
  const bounds = new Float64Array(4 * parts.length);
  let n = 0;
  for (let k = 0; k < parts.length; k++) {
    const p = parts[k]!;
    let minX = Infinity;
    let minY = Infinity;
    let maxX = -Infinity;
    let maxY = -Infinity;
    for (let r = firstRing[p]!; r < firstRing[p + 1]!; r++) {
      const start = rings[r]!;
      const end = rings[r + 1]!;
      const side = ringArea(xy, start, end) > 0 === (r === firstRing[p]!) ? 1 : 2;
      for (let v = start; v < end; v++) {
        const x = xy[2 * v]!;
        const y = xy[2 * v + 1]!;
        if (x < minX) minX = x;
        if (x > maxX) maxX = x;
        if (y < minY) minY = y;
        if (y > maxY) maxY = y;
        if (v === start) continue;
        const fromX = xy[2 * v - 2]!;
        const fromY = xy[2 * v - 1]!;
        if (fromX === x && fromY === y) continue;
        edges[4 * n] = fromX;
        edges[4 * n + 1] = fromY;
        edges[4 * n + 2] = x;
        edges[4 * n + 3] = y;
        owner[n] = k;
        sides[n++] = side;
      }
    }
    bounds[4 * k] = minX;
    bounds[4 * k + 1] = minY;
    bounds[4 * k + 2] = maxX;
    bounds[4 * k + 3] = maxY;
  }
  const used = edges.slice(0, 4 * n);
  const boxes = new Float64Array(4 * n);
  for (let e = 0; e < 4 * n; e += 4) {
    boxes[e] = Math.min(used[e]!, used[e + 2]!);
    boxes[e + 1] = Math.min(used[e + 1]!, used[e + 3]!);
    boxes[e + 2] = Math.max(used[e]!, used[e + 2]!);
    boxes[e + 3] = Math.max(used[e + 1]!, used[e + 3]!);
  }
  return {
    edges: used,
    owner: owner.slice(0, n),
    inner: parts.length > 1 ? innerEdges(used, sides) : new Uint8Array(n),
    tree: buildBoxTree(boxes),
    polygons: parts.length,
    parts,
    bounds,
    column,
    hits: newHits(),
    parity: new Uint8Array(parts.length),
    seen: new Int32Array(parts.length),
  };
}

/**
 * Where a point lies: {@link INSIDE} the union of the polygons, on its {@link BOUNDARY}, or {@link OUTSIDE}.
 * Exact. Parts of one polygon follow the even-odd rule. Cost: the edges that a ray to the right meets.
 */
export function locate(region: PreparedRegion, x: number, y: number): -1 | 0 | 1 {
  const { edges, owner, inner, tree, hits, parity, seen } = region;
  const count = searchBoxes(tree, x, y, Infinity, y, hits);
  const { values } = hits;
  let touched = 0;
  let inside = false;
  let outline = false;
  for (let k = 0; k < count; k++) {
    const i = values[k]!;
    const x1 = edges[4 * i]!;
    const y1 = edges[4 * i + 1]!;
    const x2 = edges[4 * i + 2]!;
    const y2 = edges[4 * i + 3]!;
    let flip = y1 <= y !== y2 <= y ? CROSSED : 0;
    let on = 0;
    if (x1 <= x || x2 <= x) {
      const side = orient2d(x1, y1, x2, y2, x, y);
      if (side === 0) {
        // On the line and, by the search, not beyond the box: on the edge.
        on = ON_EDGE;
        flip = 0;
        // Both sides of an inner edge are inside; where only such edges meet, all around is.
        if (inner[i] === 0) outline = true;
        else if (!(x === x1 && y === y1) && !(x === x2 && y === y2)) inside = true;
        // A ray to the right meets an edge upward when the point is on its left, one downward when on its right.
      } else if (flip !== 0 && side > 0 === y2 > y1) flip = 0;
    }
    if (flip + on === 0) continue;
    const polygon = owner[i]!;
    if (parity[polygon] === 0) {
      parity[polygon] = SEEN;
      seen[touched++] = polygon;
    }
    parity[polygon] = (parity[polygon]! | on) ^ flip;
  }
  let boundary = false;
  for (let k = 0; k < touched; k++) {
    const state = parity[seen[k]!]!;
    parity[seen[k]!] = 0;
    // The parity of a polygon whose own edge holds the point means nothing.
    if ((state & ON_EDGE) !== 0) boundary = true;
    else if ((state & CROSSED) !== 0) inside = true;
  }
  if (inside || (boundary && !outline)) return INSIDE;
  return boundary ? BOUNDARY : OUTSIDE;
}

/** Bits of {@link PreparedRegion.parity}. */
const CROSSED = 1;
const SEEN = 2;
const ON_EDGE = 4;

/** Twice the signed area of a ring, positive when counter-clockwise. */
export function ringArea(xy: Float64Array, start: number, end: number): number {
  const ox = xy[2 * start]!;
  const oy = xy[2 * start + 1]!;
  let twice = 0;
  for (let v = start + 1; v < end - 1; v++) {
    twice += (xy[2 * v]! - ox) * (xy[2 * v + 3]! - oy) - (xy[2 * v + 2]! - ox) * (xy[2 * v + 1]! - oy);
  }
  return twice;
}

/** Marks edges that occur with the inside on their left and again with it on their right. */
function innerEdges(edges: Float64Array, sides: Uint8Array): Uint8Array {
  const count = edges.length / 4;
  const inner = new Uint8Array(count);
  let size = 16;
  while (size < 2 * count) size *= 2;
  const table = new Int32Array(size).fill(-1);
  /** First edge with the same ends, and the sides seen there. */
  const first = new Int32Array(count);
  const both = new Uint8Array(count);
  const ends = new Float64Array(4);
  const bits = new Int32Array(ends.buffer);
  for (let i = 0; i < count; i++) {
    const forward = inOrder(edges, i);
    // Adding 0 turns -0 into 0, whose bits differ though they are equal.
    ends[0] = edges[4 * i + (forward ? 0 : 2)]! + 0;
    ends[1] = edges[4 * i + (forward ? 1 : 3)]! + 0;
    ends[2] = edges[4 * i + (forward ? 2 : 0)]! + 0;
    ends[3] = edges[4 * i + (forward ? 3 : 1)]! + 0;
    let hash = 0;
    for (let k = 0; k < 8; k++) {
      hash = Math.imul(hash ^ bits[k]!, 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    let slot = hash & (size - 1);
    while (table[slot] !== -1 && !sameEnds(edges, table[slot]!, i)) slot = (slot + 1) & (size - 1);
    if (table[slot] === -1) table[slot] = i;
    const same = table[slot]!;
    first[i] = same;
    both[same]! |= forward ? sides[i]! : 3 - sides[i]!;
  }
  for (let i = 0; i < count; i++) inner[i] = both[first[i]!] === 3 ? 1 : 0;
  return inner;
}

function inOrder(edges: Float64Array, i: number): boolean {
  const x1 = edges[4 * i]!;
  const x2 = edges[4 * i + 2]!;
  return x1 < x2 || (x1 === x2 && edges[4 * i + 1]! < edges[4 * i + 3]!);
}

function sameEnds(edges: Float64Array, i: number, j: number): boolean {
  const a = 4 * i;
  const b = 4 * j;
  return (
    (edges[a] === edges[b] &&
      edges[a + 1] === edges[b + 1] &&
      edges[a + 2] === edges[b + 2] &&
      edges[a + 3] === edges[b + 3]) ||
    (edges[a] === edges[b + 2] &&
      edges[a + 1] === edges[b + 3] &&
      edges[a + 2] === edges[b] &&
      edges[a + 3] === edges[b + 1])
  );
}
