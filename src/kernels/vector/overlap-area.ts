import type { GeometryColumn } from "../../model/geometry.ts";
import type { Surface } from "../raster/cell-area.ts";
import { newHits, searchBoxes } from "./box-tree.ts";
import { side } from "./noding/exact.ts";
import { PreparedPolygons } from "./overlap/prepared.ts";
import { type NearEdges, newNearEdges, type RowShape } from "./overlap/row-shape.ts";
import { UnderEdge } from "./overlap/under-edge.ts";

export { PreparedPolygons } from "./overlap/prepared.ts";
export { UnderEdge } from "./overlap/under-edge.ts";

/** Pairs of edges up to which each is looked at, rather than an index. */
const FEW_PAIRS = 2048;
/** How many times the box of the overlap an edge must be long for its area to be taken from a point near the box. */
const LONG = 4;
/** Areas below this share of what was added up are rounding: shapes that only touch. */
const ROUNDING = 2 ** -50;

const nearA: NearEdges = newNearEdges();
const nearB: NearEdges = newNearEdges();
const hits = newHits();

/**
 * Area that two rows have in common: of the intersection of their polygons, without making it. In the plane in square units of the
 * coordinates; on the sphere or on WGS 84 in square metres, `xy` in degrees, edges straight in them. 0 for rows without polygons;
 * never negative, never throws. Invalid polygons count by the even-odd rule. For one pair; see {@link overlapOf} for many.
 */
export function overlapArea(
  a: GeometryColumn,
  rowA: number,
  b: GeometryColumn,
  rowB: number,
  surface: Surface = "plane",
): number {
  const under = new UnderEdge(surface);
  return overlapOf(new PreparedPolygons(a, under), rowA, new PreparedPolygons(b, under), rowB);
}

/**
 * The same for prepared polygons, which must have been made with the same {@link UnderEdge}.
 *
 * Green's theorem: the area is the sum below the pieces of A's edges that lie in B and of B's edges that lie in A. A piece from
 * one crossing to the next is what lies below its edge up to the second less that up to the first, so that every crossing and
 * every vertex adds on its own and nothing needs to be put in order. Which vertices lie inside follows along the rings from one
 * point each, by counting crossings.
 *
 * Edges that overlap, touch or meet in a vertex need no care: B is taken to stand to the right of where it is by an amount smaller
 * than every number, and up by one much smaller still (Edelsbrunner and Mücke, Simulation of Simplicity, 1990), which changes no area
 * and leaves only crossings. Every decision is the sign of an exact determinant; only the place of a crossing is rounded.
 *
 * Cost: the edges of each near the box of the other, and pairs of such edges whose boxes meet.
 */
export function overlapOf(a: PreparedPolygons, rowA: number, b: PreparedPolygons, rowB: number): number {
  if (!a.has(rowA) || !b.has(rowB)) return 0;
  const p = a.bounds;
  const q = b.bounds;
  const i = 4 * rowA;
  const j = 4 * rowB;
  // Boxes that only touch have no area in common.
  if (p[i]! >= q[j + 2]! || q[j]! >= p[i + 2]! || p[i + 1]! >= q[j + 3]! || q[j + 1]! >= p[i + 3]!) return 0;
  return overlapOfShapes(a.shape(rowA), b.shape(rowB), a.under);
}

function overlapOfShapes(a: RowShape, b: RowShape, under: UnderEdge): number {
  // The marks on the edges of both would be the same ones.
  if (a === b) return a.area(under);
  // A row of lines and points only, or of rings without extent.
  const anyA = firstVertex(a);
  const anyB = firstVertex(b);
  if (anyA < 0 || anyB < 0) return 0;
  // Nothing of the outline of one near the other: it is all inside or all outside.
  if (b.near(a.minX, a.minY, a.maxX, a.maxY, nearB) === 0)
    return b.contains(a.xy[2 * anyA]!, a.xy[2 * anyA + 1]!, true) ? a.area(under) : 0;
  if (a.near(b.minX, b.minY, b.maxX, b.maxY, nearA) === 0)
    return a.contains(b.xy[2 * anyB]!, b.xy[2 * anyB + 1]!, false) ? b.area(under) : 0;
  const pair = PAIR;
  pair.start(a, b, under);
  pair.cross();
  pair.walk(a, nearA, b, true);
  pair.walk(b, nearB, a, false);
  return pair.sum <= ROUNDING * pair.size ? 0 : pair.sum;
}

function firstVertex({ firstRing, endRing, sides, rings }: RowShape): number {
  for (let r = firstRing; r < endRing; r++) if (sides[r] !== 0) return rings[r]!;
  return -1;
}

/** The sum for two rows, with what its steps share. */
class Pair {
  sum = 0;
  /** Sum of the absolute values. */
  size = 0;
  #a!: RowShape;
  #b!: RowShape;
  #under!: UnderEdge;
  /** Middle of the box of the overlap: coordinates of what is added up are counted from it. */
  #x = 0;
  #y = 0;
  /** The length from which on an edge is long. */
  #long = 0;

  start(a: RowShape, b: RowShape, under: UnderEdge): void {
    const minX = Math.max(a.minX, b.minX);
    const minY = Math.max(a.minY, b.minY);
    const maxX = Math.min(a.maxX, b.maxX);
    const maxY = Math.min(a.maxY, b.maxY);
    this.#a = a;
    this.#b = b;
    this.#under = under;
    this.#x = minX + (maxX - minX) / 2;
    this.#y = minY + (maxY - minY) / 2;
    this.#long = LONG * (maxX - minX + (maxY - minY));
    this.sum = 0;
    this.size = 0;
    under.around(this.#x, this.#y);
  }

  /** Add every crossing, and mark the edges that are crossed an odd number of times. */
  cross(): void {
    const a = this.#a;
    const b = this.#b;
    const many = nearA.count * nearB.count > FEW_PAIRS;
    const treeA = many && nearA.count >= nearB.count ? a.tree() : null;
    const treeB = many && treeA === null ? b.tree() : null;
    if (treeA !== null) {
      for (let k = 0; k < nearB.count; k++) {
        const w = nearB.vertices[k]!;
        const found = searchEdge(treeA, b.xy, w);
        for (let h = 0; h < found; h++) this.#meet(a.start + hits.values[h]!, w);
      }
      return;
    }
    for (let k = 0; k < nearA.count; k++) {
      const v = nearA.vertices[k]!;
      if (treeB !== null) {
        const found = searchEdge(treeB, a.xy, v);
        for (let h = 0; h < found; h++) this.#meet(v, b.start + hits.values[h]!);
      } else this.#meetAll(v);
    }
  }

  /** Edge `v` of A with all of B's that are near. */
  #meetAll(v: number): void {
    const { xy } = this.#a;
    const other = this.#b.xy;
    const ax = xy[2 * v]!;
    const ay = xy[2 * v + 1]!;
    const bx = xy[2 * v + 2]!;
    const by = xy[2 * v + 3]!;
    const minX = ax < bx ? ax : bx;
    const maxX = ax < bx ? bx : ax;
    const minY = ay < by ? ay : by;
    const maxY = ay < by ? by : ay;
    const { count, vertices } = nearB;
    for (let k = 0; k < count; k++) {
      const w = vertices[k]!;
      const cx = other[2 * w]!;
      const dx = other[2 * w + 2]!;
      if ((cx < minX && dx < minX) || (cx > maxX && dx > maxX)) continue;
      const cy = other[2 * w + 1]!;
      const dy = other[2 * w + 3]!;
      if ((cy < minY && dy < minY) || (cy > maxY && dy > maxY)) continue;
      this.#meet(v, w);
    }
  }

  /** Edge `v` of A with edge `w` of B. */
  #meet(v: number, w: number): void {
    const a = this.#a;
    const b = this.#b;
    const ax = a.xy[2 * v]!;
    const ay = a.xy[2 * v + 1]!;
    const bx = a.xy[2 * v + 2]!;
    const by = a.xy[2 * v + 3]!;
    if (ax === bx && ay === by) return;
    const cx = b.xy[2 * w]!;
    const cy = b.xy[2 * w + 1]!;
    const dx = b.xy[2 * w + 2]!;
    const dy = b.xy[2 * w + 3]!;
    // Positive: on the right. On the line: where B's end stands once it is moved.
    const c = side(ax, ay, bx, by, cx, cy);
    const d = side(ax, ay, bx, by, dx, dy);
    const tieA = by > ay || (by === ay && bx < ax);
    const rightC = c > 0 || (c === 0 && tieA);
    const rightD = d > 0 || (d === 0 && tieA);
    if (rightC === rightD) return;
    const from = side(cx, cy, dx, dy, ax, ay);
    const to = side(cx, cy, dx, dy, bx, by);
    const tieB = dy < cy || (dy === cy && dx > cx);
    const rightFrom = from > 0 || (from === 0 && tieB);
    const rightTo = to > 0 || (to === 0 && tieB);
    if (rightFrom === rightTo) return;

    const ox = this.#x;
    const oy = this.#y;
    const px = ax - ox;
    const py = ay - oy;
    const qx = bx - ox;
    const qy = by - oy;
    const rx = cx - ox;
    const ry = cy - oy;
    const sx = dx - ox;
    const sy = dy - oy;
    // The crossing, on the shorter edge: one point for both, so that the pieces that meet there fit.
    let x: number;
    let y: number;
    if (Math.abs(qx - px) + Math.abs(qy - py) <= Math.abs(sx - rx) + Math.abs(sy - ry)) {
      const t = from / (from - to);
      x = t === 1 ? qx : px + t * (qx - px);
      y = t === 1 ? qy : py + t * (qy - py);
    } else {
      const t = c / (c - d);
      x = t === 1 ? sx : rx + t * (sx - rx);
      y = t === 1 ? sy : ry + t * (sy - ry);
    }
    // A's edge leaves B when it goes to the outer side of B's edge; then B's edge enters A.
    const turn = (rightTo ? 1 : -1) * a.sides[a.ringOf(v)]! * b.sides[b.ringOf(w)]!;
    this.#add(turn * this.#below(px, py, qx, qy, x, y));
    this.#add(-turn * this.#below(rx, ry, sx, sy, x, y));
    a.flips[v]! ^= 1;
    b.flips[w]! ^= 1;
  }

  /** Add the vertices of one row that lie in the other, and take the marks off. */
  walk(own: RowShape, { count, vertices }: NearEdges, other: RowShape, otherMoved: boolean): void {
    const { xy, rings, sides, flips } = own;
    const ox = this.#x;
    const oy = this.#y;
    let ring = -1;
    let ringStart = 0;
    let ringEnd = 0;
    let before = -2;
    let inside = false;
    for (let k = 0; k < count; k++) {
      const v = vertices[k]!;
      if (v >= ringEnd) {
        ring = own.ringOf(v);
        ringStart = rings[ring]!;
        ringEnd = rings[ring + 1]!;
        before = -2;
      }
      const ax = xy[2 * v]!;
      const ay = xy[2 * v + 1]!;
      // The edge before is not near: its end, this start, lies out of the box of the other.
      if (v === ringStart) inside = other.contains(ax, ay, otherMoved);
      else if (v !== before + 1) inside = false;
      before = v;
      const after: boolean = inside !== (flips[v] === 1);
      flips[v] = 0;
      if (inside || after) {
        const px = ax - ox;
        const py = ay - oy;
        const qx = xy[2 * v + 2]! - ox;
        const qy = xy[2 * v + 3]! - oy;
        if (after) this.#add(sides[ring]! * this.#below(px, py, qx, qy, qx, qy));
        if (inside && this.#isLong(px, py, qx, qy))
          this.#add(-sides[ring]! * this.#below(px, py, qx, qy, px, py));
      }
      inside = after;
    }
  }

  #add(term: number): void {
    this.sum += term;
    this.size += Math.abs(term);
  }

  #isLong(ax: number, ay: number, bx: number, by: number): boolean {
    return Math.abs(bx - ax) + Math.abs(by - ay) > this.#long;
  }

  /**
   * The area below edge `a b` up to a point of it; counted from `a`, or for an edge that is long beside the overlap from its point
   * nearest to it, as the digits of a small area do not survive next to a large one.
   */
  #below(ax: number, ay: number, bx: number, by: number, x: number, y: number): number {
    if (!this.#isLong(ax, ay, bx, by)) return this.#under.of(ax, ay, x, y);
    const ux = bx - ax;
    const uy = by - ay;
    const t = Math.max(0, Math.min(1, -(ax * ux + ay * uy) / (ux * ux + uy * uy)));
    return this.#under.of(ax + t * ux, ay + t * uy, x, y);
  }
}

const PAIR = new Pair();

function searchEdge(tree: Parameters<typeof searchBoxes>[0], xy: Float64Array, v: number): number {
  const ax = xy[2 * v]!;
  const ay = xy[2 * v + 1]!;
  const bx = xy[2 * v + 2]!;
  const by = xy[2 * v + 3]!;
  return searchBoxes(tree, ax < bx ? ax : bx, ay < by ? ay : by, ax < bx ? bx : ax, ay < by ? by : ay, hits);
}
