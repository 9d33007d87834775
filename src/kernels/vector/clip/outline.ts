import { type BoxTree, buildBoxTree, type Hits, newHits, searchBoxes } from "../box-tree.ts";
import { segmentsMeet } from "../classify.ts";
import { side } from "../noding/exact.ts";
import { BOUNDARY, locate, type PreparedRegion } from "../region.ts";

/** The closed loops that a region's outline consists of. Several polygons side by side have one loop around all. */
export interface Outline {
  readonly count: number;
  /** First edge of each loop; the others follow by `next`. */
  readonly first: Int32Array;
  /** `[minX, minY, maxX, maxY]` of each loop. */
  readonly bounds: Float64Array;
  /** Loop of each edge of the region; -1 for edges inside. */
  readonly loopOf: Int32Array;
  /** Over the loops, when there are many. */
  readonly tree: BoxTree | null;
  readonly hits: Hits;
  /** What is known of each edge: 0 nothing yet, 1 it is outline for all its length, 2 it is not. */
  readonly trust: Uint8Array;
  /** Scratch. */
  readonly edgeHits: Hits;
}

const INDEX_FROM = 16;

/** Follow the outline once around. O(edges). */
export function outlineOf(region: PreparedRegion): Outline {
  const { edges, inner, next, polygons } = region;
  const count = inner.length;
  const loopOf = new Int32Array(count).fill(-1);
  const first: number[] = [];
  const bounds: number[] = [];
  for (let start = 0; start < count; start++) {
    if (inner[start] === 1 || loopOf[start] !== -1) continue;
    let minX = Infinity;
    let minY = Infinity;
    let maxX = -Infinity;
    let maxY = -Infinity;
    for (let e = start; loopOf[e] === -1; e = next[e]!) {
      loopOf[e] = first.length;
      const x = edges[4 * e]!;
      const y = edges[4 * e + 1]!;
      if (x < minX) minX = x;
      if (x > maxX) maxX = x;
      if (y < minY) minY = y;
      if (y > maxY) maxY = y;
    }
    first.push(start);
    bounds.push(minX, minY, maxX, maxY);
  }
  const boxes = Float64Array.from(bounds);
  return {
    count: first.length,
    first: Int32Array.from(first),
    bounds: boxes,
    loopOf,
    tree: first.length < INDEX_FROM ? null : buildBoxTree(boxes),
    hits: newHits(),
    // The edges of one polygon are its outline; those of several may run inside another one.
    trust: new Uint8Array(count).fill(polygons === 1 ? 1 : 0),
    edgeHits: newHits(),
  };
}

/**
 * Whether an edge is outline of the union for all its length: its start is on the boundary, and no other edge meets
 * it but at its ends. Remembered for each edge.
 */
export function isOutline(region: PreparedRegion, outline: Outline, edge: number): boolean {
  const { trust } = outline;
  if (trust[edge] === 0) trust[edge] = judge(region, outline, edge) ? 1 : 2;
  return trust[edge] === 1;
}

function judge(region: PreparedRegion, { edgeHits }: Outline, edge: number): boolean {
  const { edges, inner, tree } = region;
  if (inner[edge] === 1) return false;
  const ax = edges[4 * edge]!;
  const ay = edges[4 * edge + 1]!;
  const bx = edges[4 * edge + 2]!;
  const by = edges[4 * edge + 3]!;
  if (locate(region, ax, ay) !== BOUNDARY) return false;
  const found = searchBoxes(
    tree,
    Math.min(ax, bx),
    Math.min(ay, by),
    Math.max(ax, bx),
    Math.max(ay, by),
    edgeHits,
  );
  for (let k = 0; k < found; k++) {
    const other = edgeHits.values[k]!;
    if (other === edge) continue;
    const cx = edges[4 * other]!;
    const cy = edges[4 * other + 1]!;
    const dx = edges[4 * other + 2]!;
    const dy = edges[4 * other + 3]!;
    const atA = (cx === ax && cy === ay) || (dx === ax && dy === ay);
    const atB = (cx === bx && cy === by) || (dx === bx && dy === by);
    if (atA || atB) {
      const farX = (cx === ax && cy === ay) || (cx === bx && cy === by) ? dx : cx;
      const farY = (cx === ax && cy === ay) || (cx === bx && cy === by) ? dy : cy;
      const nearX = atA ? ax : bx;
      const nearY = atA ? ay : by;
      const wayX = atA ? bx : ax;
      const wayY = atA ? by : ay;
      if (runsAlong(nearX, nearY, wayX, wayY, farX, farY)) return false;
    } else if (segmentsMeet(ax, ay, bx, by, cx, cy, dx, dy)) return false;
  }
  return true;
}

/** Whether the ways from `o` to `a` and to `b` begin with a common stretch. */
function runsAlong(ox: number, oy: number, ax: number, ay: number, bx: number, by: number): boolean {
  return side(ox, oy, ax, ay, bx, by) === 0 && (ax - ox) * (bx - ox) + (ay - oy) * (by - oy) > 0;
}
