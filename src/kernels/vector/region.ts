import { type GeometryColumn, typeDimension } from "../../model/geometry.ts";
import { type BoxTree, buildBoxTree, type Hits, hilbertOrder, newHits, searchBoxes } from "./box-tree.ts";
import { cellAt, drawRegion, type RegionGrid } from "./clip/grid.ts";
import { side } from "./noding/exact.ts";

/**
 * Polygons that other geometries are tested against, as one set of edges with an index. Several polygons count as
 * their union, which is never computed: each edge knows its polygon, and edges that two polygons share from
 * opposite sides are marked, since no boundary runs there.
 */
export interface PreparedRegion {
  /**
   * 4 numbers each, `[x1, y1, x2, y2]`, with the inside on the left, ring after ring. Edges of no length are left
   * out, rings that are not closed are closed.
   */
  readonly edges: Float64Array;
  /** Polygon of each edge; a polygon is one part of one row. */
  readonly owner: Int32Array;
  /** 1 where the inside lies on both sides of the edge. */
  readonly inner: Uint8Array;
  /** Edge with which the outline goes on where an edge ends; of no meaning for edges that are no outline. */
  readonly next: Int32Array;
  /**
   * True when edges coincide otherwise than in pairs from opposite sides: polygons lie upon each other, and `next`
   * is not to be trusted.
   */
  readonly tangled: boolean;
  readonly tree: BoxTree;
  /** Number of polygons. */
  readonly polygons: number;
  /** Part of the column that each polygon is. */
  readonly parts: Int32Array;
  /** `[minX, minY, maxX, maxY]` of each polygon. */
  readonly bounds: Float64Array;
  readonly column: GeometryColumn;
  /** Drawn when asked for by {@link gridOf}, and used by {@link locate} from then on. */
  grid: RegionGrid | null;
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

/** Polygons from which on they are sorted before their edges are laid out, so that the index has tight boxes. */
const SORT_FROM = 32;

/** Index the given parts, which must be polygons. O(edges). */
export function preparePolygonParts(column: GeometryColumn, parts: Int32Array): PreparedRegion {
  const { parts: firstRing, rings, xy } = column;
  const bounds = new Float64Array(4 * parts.length);
  let capacity = 0;
  for (let k = 0; k < parts.length; k++) {
    const start = rings[firstRing[parts[k]!]!]!;
    const end = rings[firstRing[parts[k]! + 1]!]!;
    // One more for each ring that is not closed.
    capacity += end - start + (firstRing[parts[k]! + 1]! - firstRing[parts[k]!]!);
    let minX = Infinity;
    let minY = Infinity;
    let maxX = -Infinity;
    let maxY = -Infinity;
    for (let v = start; v < end; v++) {
      const x = xy[2 * v]!;
      const y = xy[2 * v + 1]!;
      if (x < minX) minX = x;
      if (x > maxX) maxX = x;
      if (y < minY) minY = y;
      if (y > maxY) maxY = y;
    }
    bounds[4 * k] = minX;
    bounds[4 * k + 1] = minY;
    bounds[4 * k + 2] = maxX;
    bounds[4 * k + 3] = maxY;
  }
  const edges = new Float64Array(4 * capacity);
  const owner = new Int32Array(capacity);
  const next = new Int32Array(capacity);
  const order = parts.length < SORT_FROM ? null : hilbertOrder(bounds);
  let n = 0;
  for (let j = 0; j < parts.length; j++) {
    const k = order === null ? j : order[j]!;
    const p = parts[k]!;
    for (let r = firstRing[p]!; r < firstRing[p + 1]!; r++) {
      const start = rings[r]!;
      const end = rings[r + 1]!;
      if (start === end) continue;
      const first = n;
      const step = ringArea(xy, start, end) > 0 === (r === firstRing[p]!) ? 1 : -1;
      let v = step === 1 ? start : end - 1;
      const beginX = xy[2 * v]!;
      const beginY = xy[2 * v + 1]!;
      let x = beginX;
      let y = beginY;
      // One round more, back to the start, for a ring that is not closed.
      for (let i = end - start; i > 0; i--) {
        v += step;
        const toX = i > 1 ? xy[2 * v]! : beginX;
        const toY = i > 1 ? xy[2 * v + 1]! : beginY;
        if (toX === x && toY === y) continue;
        edges[4 * n] = x;
        edges[4 * n + 1] = y;
        edges[4 * n + 2] = toX;
        edges[4 * n + 3] = toY;
        owner[n] = k;
        next[n] = n + 1;
        n++;
        x = toX;
        y = toY;
      }
      if (n > first) next[n - 1] = first;
    }
  }
  const used = edges.slice(0, 4 * n);
  const boxes = new Float64Array(4 * n);
  for (let e = 0; e < 4 * n; e += 4) {
    const x1 = used[e]!;
    const y1 = used[e + 1]!;
    const x2 = used[e + 2]!;
    const y2 = used[e + 3]!;
    boxes[e] = x1 < x2 ? x1 : x2;
    boxes[e + 1] = y1 < y2 ? y1 : y2;
    boxes[e + 2] = x1 < x2 ? x2 : x1;
    boxes[e + 3] = y1 < y2 ? y2 : y1;
  }
  const outline = new Int32Array(next.buffer, 0, n);
  const inner = new Uint8Array(n);
  const tangled = parts.length > 1 && joinSharedEdges(used, inner, outline);
  return {
    edges: used,
    owner: owner.slice(0, n),
    inner,
    next: outline,
    tangled,
    tree: buildBoxTree(boxes, true),
    polygons: parts.length,
    parts,
    bounds,
    column,
    grid: null,
    hits: newHits(),
    parity: new Uint8Array(parts.length),
    seen: new Int32Array(parts.length),
  };
}

/** The region drawn on a grid; the first call draws it. Worth while when many features are tested against it. */
export function gridOf(region: PreparedRegion): RegionGrid {
  region.grid ??= drawRegion(region);
  return region.grid;
}

/**
 * Where a point lies: {@link INSIDE} the union of the polygons, on its {@link BOUNDARY}, or {@link OUTSIDE}.
 * Exact. Parts of one polygon follow the even-odd rule. Cost: the edges that a ray to the right meets.
 */
export function locate(region: PreparedRegion, x: number, y: number): -1 | 0 | 1 {
  const { grid } = region;
  if (grid === null) return locateByRay(region, x, y);
  const { cols, states } = grid;
  const col = cellAt(x, grid.minX, grid.scaleX, cols);
  const row = cellAt(y, grid.minY, grid.scaleY, grid.rows) * cols;
  if (states[row + col] !== 0) return states[row + col] as -1 | 1;
  if (region.polygons > 1) return locateByRay(region, x, y);
  // To the nearest cell in the row of which all is known; one of the two ends of the grid is, unless it is one cell.
  for (let to = col + 1; to < cols; to++) {
    if (states[row + to] === 0) continue;
    const farX = grid.minX + (to + 0.5) / grid.scaleX;
    return locateFrom(region, x, y, farX, states[row + to] as -1 | 1);
  }
  return locateByRay(region, x, y);
}

/** Where a point lies when it is known where one to the right of it, not on the boundary, does. For one polygon. */
function locateFrom(region: PreparedRegion, x: number, y: number, farX: number, far: -1 | 1): -1 | 0 | 1 {
  const { edges, tree, hits } = region;
  const count = searchBoxes(tree, x, y, farX, y, hits);
  const { values } = hits;
  let state: -1 | 1 = far;
  for (let k = 0; k < count; k++) {
    const e = 4 * values[k]!;
    const x1 = edges[e]!;
    const y1 = edges[e + 1]!;
    const x2 = edges[e + 2]!;
    const y2 = edges[e + 3]!;
    if (x1 <= x || x2 <= x) {
      const turn = side(x1, y1, x2, y2, x, y);
      if (turn === 0) return BOUNDARY;
      if (y1 <= y === y2 <= y || turn > 0 === y2 > y1) continue;
    } else if (y1 <= y === y2 <= y) continue;
    // To the right of the point; beyond the far one it does not count.
    if ((x1 > farX || x2 > farX) && side(x1, y1, x2, y2, farX, y) > 0 !== y2 > y1) continue;
    state = state === INSIDE ? OUTSIDE : INSIDE;
  }
  return state;
}

function locateByRay(region: PreparedRegion, x: number, y: number): -1 | 0 | 1 {
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
      const turn = side(x1, y1, x2, y2, x, y);
      if (turn === 0) {
        // On the line and, by the search, not beyond the box: on the edge.
        on = ON_EDGE;
        flip = 0;
        // Both sides of an inner edge are inside; where only such edges meet, all around is.
        if (inner[i] === 0) outline = true;
        else if (!(x === x1 && y === y1) && !(x === x2 && y === y2)) inside = true;
        // A ray to the right meets an edge upward when the point is on its left, one downward when on its right.
      } else if (flip !== 0 && turn > 0 === y2 > y1) flip = 0;
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

/**
 * Marks edges that occur once in each direction, so with the inside on both sides, and leads the outline past them:
 * it goes on with the edge after the twin of the first shared one, and so on around the corner.
 *
 * @returns true when edges occur more often, or twice in one direction.
 */
function joinSharedEdges(edges: Float64Array, inner: Uint8Array, next: Int32Array): boolean {
  const count = inner.length;
  let size = 16;
  while (size < 2 * count) size *= 2;
  const table = new Int32Array(size).fill(-1);
  /** Another edge with the same ends, the last one seen for the first of them; -1 for none. */
  const twin = new Int32Array(count).fill(-1);
  /** First edge with the same ends, and the directions seen. */
  const first = new Int32Array(count);
  const both = new Uint8Array(count);
  const ends = new Float64Array(4);
  const bits = new Int32Array(ends.buffer);
  let tangled = false;
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
    const same = table[slot] === -1 ? i : table[slot]!;
    table[slot] = same;
    first[i] = same;
    const direction = forward ? 1 : 2;
    if (both[same] !== 0) {
      if ((both[same]! & direction) !== 0) tangled = true;
      twin[i] = same;
      twin[same] = i;
    }
    both[same]! |= direction;
  }
  for (let i = 0; i < count; i++) inner[i] = both[first[i]!] === 3 ? 1 : 0;
  if (tangled) return true;
  const after = next.slice();
  for (let i = 0; i < count; i++) {
    if (inner[i] === 1) continue;
    let to = after[i]!;
    // No more turns than edges, whatever the rings are like.
    for (let turns = 0; inner[to] === 1; turns++) {
      if (turns > count) return true;
      to = after[twin[to]!]!;
    }
    next[i] = to;
  }
  return false;
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
