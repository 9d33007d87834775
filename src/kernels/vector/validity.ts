import { type GeometryColumn, memberPartsEnd, typeDimension } from "../../model/geometry.ts";
import { side } from "./relate/side.ts";
import { SegmentIndex } from "./segment-index.ts";

/** What can be wrong with a geometry by the OGC simple features rules, in the words of JTS and GEOS. */
export type InvalidReason =
  | "Invalid Coordinate"
  | "Too few points in geometry component"
  | "Ring is not closed"
  | "Self-intersection"
  | "Ring Self-intersection"
  | "Hole lies outside shell"
  | "Holes are nested"
  | "Nested shells"
  | "Interior is disconnected";

/** The first thing found wrong, and where. */
export interface Invalidity {
  readonly reason: InvalidReason;
  readonly x: number;
  readonly y: number;
}

/**
 * Why the geometry of a row is not valid, or `null` when it is. Null and empty geometries are valid. Every
 * decision is an exact orientation test, so nearly touching is never taken for touching.
 *
 * Rules: coordinates are finite; lines have two different points, rings four and the first again as the last; rings
 * touch themselves and each other in single points only and do not cross; holes lie in their shell and not in each
 * other; polygons of one multipolygon do not overlap or share a stretch of boundary; the interior of a polygon is
 * connected. Members of collections are judged one by one.
 *
 * Cost: `n log n` for `n` vertices, by an index over the segments.
 */
export function findInvalid(column: GeometryColumn, row: number): Invalidity | null {
  const { types, geometries, collections } = column;
  const first = geometries[row]!;
  const end = geometries[row + 1]!;
  const memberStart = collections === null ? 0 : collections.rows[row]!;
  const memberEnd = collections === null ? 0 : collections.rows[row + 1]!;
  if (memberStart === memberEnd) return judge(column, typeDimension(types[row]!), first, end);
  for (let k = memberStart; k < memberEnd; k++) {
    const found = judge(
      column,
      typeDimension(collections!.types[k]!),
      collections!.members[k]!,
      memberPartsEnd(column, row, k),
    );
    if (found !== null) return found;
  }
  return null;
}

function judge(column: GeometryColumn, dimension: number, first: number, end: number): Invalidity | null {
  const { parts, rings, xy } = column;
  const stopVertex = rings[parts[end]!]!;
  for (let v = rings[parts[first]!]!; v < stopVertex; v++) {
    if (!Number.isFinite(xy[2 * v]!) || !Number.isFinite(xy[2 * v + 1]!))
      return { reason: "Invalid Coordinate", x: xy[2 * v]!, y: xy[2 * v + 1]! };
  }
  if (dimension <= 0) return null;
  for (let r = parts[first]!; r < parts[end]!; r++) {
    const start = rings[r]!;
    const stop = rings[r + 1]!;
    if (start === stop) continue;
    if (dimension === 2 && (xy[2 * start] !== xy[2 * stop - 2] || xy[2 * start + 1] !== xy[2 * stop - 1]))
      return { reason: "Ring is not closed", x: xy[2 * start]!, y: xy[2 * start + 1]! };
    const enough = dimension === 2 ? 4 : 2;
    let different = 1;
    for (let v = start + 1; v < stop && different < enough; v++)
      if (xy[2 * v] !== xy[2 * v - 2] || xy[2 * v + 1] !== xy[2 * v - 1]) different++;
    if (different < enough)
      return { reason: "Too few points in geometry component", x: xy[2 * start]!, y: xy[2 * start + 1]! };
  }
  if (dimension === 1 || first === end) return null;
  const set = new RingSet(column, first, end);
  return set.findCrossing() ?? set.findMisplaced() ?? set.findDisconnected();
}

/** Bits of what a ray from a point met of a ring. */
const CROSSED = 1;
const SEEN = 2;
const ON_EDGE = 4;

/** Segments of all rings of some polygons, without repeated points, and where rings touch. */
class RingSet {
  /** `[x1, y1, x2, y2]` each, along the rings. */
  readonly #segments: Float64Array;
  readonly #count: number;
  /** Ring of each segment. */
  readonly #ring: Int32Array;
  readonly #rings: number;
  /** Segments of ring `r` are `#start[r] .. #start[r + 1] - 1`. */
  readonly #start: Int32Array;
  /** Polygon of each ring, and whether the ring is its shell. */
  readonly #polygon: Int32Array;
  readonly #shell: Uint8Array;
  readonly #index: SegmentIndex;
  /** Points where two rings of a polygon touch: `[ring, ring, x, y]`. */
  readonly #touches: [number, number, number, number][] = [];

  constructor({ parts, rings, xy }: GeometryColumn, first: number, end: number) {
    const capacity = rings[parts[end]!]! - rings[parts[first]!]!;
    const ringCapacity = parts[end]! - parts[first]!;
    const segments = new Float64Array(4 * capacity);
    const ring = new Int32Array(capacity);
    const start = new Int32Array(ringCapacity + 1);
    const polygon = new Int32Array(ringCapacity);
    const shell = new Uint8Array(ringCapacity);
    let n = 0;
    let number = 0;
    for (let p = first; p < end; p++) {
      let outer = 1;
      for (let r = parts[p]!; r < parts[p + 1]!; r++) {
        if (rings[r] === rings[r + 1]) continue;
        for (let v = rings[r]! + 1; v < rings[r + 1]!; v++) {
          const x1 = xy[2 * v - 2]!;
          const y1 = xy[2 * v - 1]!;
          const x2 = xy[2 * v]!;
          const y2 = xy[2 * v + 1]!;
          if (x1 === x2 && y1 === y2) continue;
          segments[4 * n] = x1;
          segments[4 * n + 1] = y1;
          segments[4 * n + 2] = x2;
          segments[4 * n + 3] = y2;
          ring[n++] = number;
        }
        polygon[number] = p;
        shell[number] = outer;
        outer = 0;
        start[++number] = n;
      }
    }
    this.#segments = segments;
    this.#count = n;
    this.#ring = ring;
    this.#rings = number;
    this.#start = start;
    this.#polygon = polygon;
    this.#shell = shell;
    this.#index = new SegmentIndex(segments, n);
  }

  /** First pair of segments that crosses, overlaps or touches where it must not. Collects the touches allowed. */
  findCrossing(): Invalidity | null {
    const index = this.#index;
    for (let i = 0; i < this.#count; i++) {
      const found = index.meeting(i);
      const { values } = index;
      for (let k = 0; k < found; k++) {
        const j = values[k]!;
        if (j <= i) continue;
        const wrong = this.#judgePair(i, j);
        if (wrong !== null) return wrong;
      }
    }
    return null;
  }

  #judgePair(i: number, j: number): Invalidity | null {
    const s = this.#segments;
    const a = 4 * i;
    const b = 4 * j;
    const ax = s[a]!;
    const ay = s[a + 1]!;
    const bx = s[a + 2]!;
    const by = s[a + 3]!;
    const cx = s[b]!;
    const cy = s[b + 1]!;
    const dx = s[b + 2]!;
    const dy = s[b + 3]!;
    // Neighbours share a point; unless one runs back along the other, nothing else.
    if (bx === cx && by === cy) {
      if (j === i + 1 && this.#ring[i] === this.#ring[j] && side(ax, ay, bx, by, dx, dy) !== 0) return null;
    } else if (ax === dx && ay === dy && this.#isFirstAndLast(i, j) && side(cx, cy, ax, ay, bx, by) !== 0)
      return null;
    const c = side(ax, ay, bx, by, cx, cy);
    const d = side(ax, ay, bx, by, dx, dy);
    if ((c > 0 && d > 0) || (c < 0 && d < 0)) return null;
    const p = side(cx, cy, dx, dy, ax, ay);
    const q = side(cx, cy, dx, dy, bx, by);
    if ((p > 0 && q > 0) || (p < 0 && q < 0)) return null;
    if (c !== 0 && d !== 0 && p !== 0 && q !== 0) {
      const t = share(ax, ay, bx, by, cx, cy, dx, dy);
      return { reason: "Self-intersection", x: ax + t * (bx - ax), y: ay + t * (by - ay) };
    }
    if (c === 0 && d === 0) {
      const overlap = collinearOverlap(ax, ay, bx, by, cx, cy, dx, dy);
      if (overlap !== null && !overlap.point)
        return { reason: "Self-intersection", x: overlap.x, y: overlap.y };
      if (overlap === null) return null;
      return this.#judgeTouch(i, j, overlap.x, overlap.y);
    }
    // One end lies on the other segment: that is the point they share.
    if (c === 0) return this.#judgeTouch(i, j, cx, cy);
    if (d === 0) return this.#judgeTouch(i, j, dx, dy);
    return p === 0 ? this.#judgeTouch(i, j, ax, ay) : this.#judgeTouch(i, j, bx, by);
  }

  #isFirstAndLast(i: number, j: number): boolean {
    const ring = this.#ring[i]!;
    return i === this.#start[ring] && j === this.#start[ring + 1]! - 1;
  }

  /** Segments `i` and `j` meet in the single point `(x, y)`. */
  #judgeTouch(i: number, j: number, x: number, y: number): Invalidity | null {
    const ringI = this.#ring[i]!;
    const ringJ = this.#ring[j]!;
    if (ringI === ringJ) {
      const first = this.#start[ringI]!;
      const last = this.#start[ringI + 1]! - 1;
      if (j === i + 1 || (i === first && j === last)) return null;
      return { reason: "Ring Self-intersection", x, y };
    }
    if (this.#cross(i, j, x, y)) return { reason: "Self-intersection", x, y };
    if (this.#polygon[ringI] === this.#polygon[ringJ]) this.#touches.push([ringI, ringJ, x, y]);
    return null;
  }

  /** Whether the rings of two segments cross at a point that they share. */
  #cross(i: number, j: number, x: number, y: number): boolean {
    const s = this.#segments;
    const before = 4 * this.#before(i, x, y);
    const after = 4 * this.#after(i, x, y) + 2;
    const from = 4 * this.#before(j, x, y);
    const to = 4 * this.#after(j, x, y) + 2;
    const first = between(x, y, s[before]!, s[before + 1]!, s[after]!, s[after + 1]!, s[from]!, s[from + 1]!);
    const second = between(x, y, s[before]!, s[before + 1]!, s[after]!, s[after + 1]!, s[to]!, s[to + 1]!);
    // An arm along the other ring is an overlap and found as such by the pair it belongs to.
    return first !== 0 && second !== 0 && first !== second;
  }

  /** Segment along which the ring of segment `i` comes to a point of that segment. */
  #before(i: number, x: number, y: number): number {
    const s = this.#segments;
    if (s[4 * i] !== x || s[4 * i + 1] !== y) return i;
    const ring = this.#ring[i]!;
    return i === this.#start[ring] ? this.#start[ring + 1]! - 1 : i - 1;
  }

  /** Segment along which the ring of segment `i` goes on from a point of that segment. */
  #after(i: number, x: number, y: number): number {
    const s = this.#segments;
    if (s[4 * i + 2] !== x || s[4 * i + 3] !== y) return i;
    const ring = this.#ring[i]!;
    return i === this.#start[ring + 1]! - 1 ? this.#start[ring]! : i + 1;
  }

  /**
   * A hole outside its shell or in another hole, or a shell in another polygon; for rings that do not cross. One ray
   * for each ring tells all rings that it lies in.
   */
  findMisplaced(): Invalidity | null {
    const rings = this.#rings;
    if (rings < 2) return null;
    let nestedHole = -1;
    let nestedShell = -1;
    const state = new Uint8Array(rings);
    const edge = new Int32Array(rings);
    const around = new Int32Array(rings);
    for (let r = 0; r < rings; r++) {
      const count = this.#around(r, state, edge, around);
      const polygon = this.#polygon[r]!;
      if (this.#shell[r] === 1) {
        if (nestedShell < 0 && this.#inPolygon(polygon, around, count)) nestedShell = r;
        continue;
      }
      let inside = false;
      for (let k = 0; k < count; k++) {
        const other = around[k]!;
        if (this.#polygon[other] !== polygon) continue;
        if (this.#shell[other] === 1) inside = true;
        else if (nestedHole < 0) nestedHole = r;
      }
      if (!inside) return this.#at(r, "Hole lies outside shell");
    }
    if (nestedHole >= 0) return this.#at(nestedHole, "Holes are nested");
    return nestedShell >= 0 ? this.#at(nestedShell, "Nested shells") : null;
  }

  #at(ring: number, reason: InvalidReason): Invalidity {
    const e = 4 * this.#start[ring]!;
    return { reason, x: this.#segments[e]!, y: this.#segments[e + 1]! };
  }

  /** Whether the rings around a shell hold it in another polygon: in the shell of one and in no hole of that. */
  #inPolygon(polygon: number, around: Int32Array, count: number): boolean {
    for (let k = 0; k < count; k++) {
      const outer = around[k]!;
      const other = this.#polygon[outer]!;
      if (this.#shell[outer] === 0 || other === polygon) continue;
      let inHole = false;
      for (let m = 0; m < count; m++)
        if (this.#shell[around[m]!] === 0 && this.#polygon[around[m]!] === other) inHole = true;
      if (!inHole) return true;
    }
    return false;
  }

  /** Rings that ring `r` lies in, into `around`; how many. `state` is all 0 before and after. */
  #around(r: number, state: Uint8Array, edge: Int32Array, around: Int32Array): number {
    const s = this.#segments;
    const own = 4 * this.#start[r]!;
    const x = s[own]!;
    const y = s[own + 1]!;
    const index = this.#index;
    const found = index.inBox(x, y, Infinity, y);
    const { values } = index;
    let touched = 0;
    for (let k = 0; k < found; k++) {
      const i = values[k]!;
      const ring = this.#ring[i]!;
      if (ring === r) continue;
      const x1 = s[4 * i]!;
      const y1 = s[4 * i + 1]!;
      const x2 = s[4 * i + 2]!;
      const y2 = s[4 * i + 3]!;
      let flip = y1 <= y !== y2 <= y ? CROSSED : 0;
      let on = 0;
      if (x1 <= x || x2 <= x) {
        const left = side(x1, y1, x2, y2, x, y);
        if (left === 0) {
          // On the line and, by the search, not beyond the box: on the edge.
          on = ON_EDGE;
          edge[ring] = i;
          flip = 0;
        } else if (flip !== 0 && left < 0 === y2 > y1) flip = 0;
      }
      if (flip + on === 0) continue;
      if (state[ring] === 0) {
        state[ring] = SEEN;
        around[touched++] = ring;
      }
      state[ring] = (state[ring]! | on) ^ flip;
    }
    let count = 0;
    for (let k = 0; k < touched; k++) {
      const ring = around[k]!;
      const met = state[ring]!;
      state[ring] = 0;
      const inside = (met & ON_EDGE) !== 0 ? this.#goesInside(r, edge[ring]!, x, y) : (met & CROSSED) !== 0;
      if (inside) around[count++] = ring;
    }
    return count;
  }

  /** Whether ring `r`, which starts on segment `i` of another ring and does not cross that, lies inside it. */
  #goesInside(r: number, i: number, x: number, y: number): boolean {
    const s = this.#segments;
    const before = 4 * this.#before(i, x, y);
    const after = 4 * this.#after(i, x, y) + 2;
    const next = 4 * this.#start[r]! + 2;
    const last = 4 * (this.#start[r + 1]! - 1);
    // The left side of a ring is the fan counter-clockwise from where it goes to where it came from.
    let left = between(x, y, s[after]!, s[after + 1]!, s[before]!, s[before + 1]!, s[next]!, s[next + 1]!);
    if (left === 0)
      left = between(x, y, s[after]!, s[after + 1]!, s[before]!, s[before + 1]!, s[last]!, s[last + 1]!);
    return left > 0 === this.#counterClockwise(this.#ring[i]!);
  }

  /** Which way a ring turns that does not cross itself: the corner at its leftmost point tells, exactly. */
  #counterClockwise(ring: number): boolean {
    const s = this.#segments;
    const first = this.#start[ring]!;
    const end = this.#start[ring + 1]!;
    let at = first;
    for (let i = first + 1; i < end; i++) {
      const x = s[4 * i]!;
      const least = s[4 * at]!;
      if (x < least || (x === least && s[4 * i + 1]! < s[4 * at + 1]!)) at = i;
    }
    const from = 4 * (at === first ? end - 1 : at - 1);
    return side(s[from]!, s[from + 1]!, s[4 * at]!, s[4 * at + 1]!, s[4 * at + 2]!, s[4 * at + 3]!) > 0;
  }

  /**
   * Rings of a polygon and the points where they touch as a graph: a circle in it fences off a piece of
   * the interior.
   */
  findDisconnected(): Invalidity | null {
    if (this.#touches.length === 0) return null;
    const nodes = new Map<string, number>();
    const parent: number[] = Array.from({ length: this.#rings }, (_, k) => k);
    const joined = new Set<string>();
    const root = (k: number): number => {
      let top = k;
      while (parent[top] !== top) top = parent[top]!;
      parent[k] = top;
      return top;
    };
    for (const [a, b, x, y] of this.#touches) {
      const key = `${this.#polygon[a]} ${x} ${y}`;
      let node = nodes.get(key);
      if (node === undefined) {
        node = parent.length;
        parent.push(node);
        nodes.set(key, node);
      }
      for (const ring of [a, b]) {
        const edge = `${ring} ${node}`;
        if (joined.has(edge)) continue;
        joined.add(edge);
        const top = root(ring);
        const other = root(node);
        if (top === other) return { reason: "Interior is disconnected", x, y };
        parent[top] = other;
      }
    }
    return null;
  }
}

/** How far along segment ab, from 0 to 1, it crosses segment cd; rounded. */
export function share(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  cx: number,
  cy: number,
  dx: number,
  dy: number,
): number {
  const along = (dx - cx) * (by - ay) - (dy - cy) * (bx - ax);
  const t = ((dx - cx) * (cy - ay) - (dy - cy) * (cx - ax)) / along;
  return t >= 0 && t <= 1 ? t : 0.5;
}

/** What two segments on one line share: `null`, a point or more. */
export function collinearOverlap(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  cx: number,
  cy: number,
  dx: number,
  dy: number,
): { x: number; y: number; point: boolean } | null {
  const alongX = Math.abs(bx - ax) >= Math.abs(by - ay);
  const [a, b, c, d] = alongX ? [ax, bx, cx, dx] : [ay, by, cy, dy];
  const from = Math.max(Math.min(a, b), Math.min(c, d));
  const to = Math.min(Math.max(a, b), Math.max(c, d));
  if (from > to) return null;
  // `from` is the coordinate of one of the ends: the same point of it.
  const [x, y] = from === a ? [ax, ay] : from === b ? [bx, by] : from === c ? [cx, cy] : [dx, dy];
  return { x, y, point: from === to };
}

/**
 * Side of point `p` in the fan at `(x, y)` from arm `a0` counter-clockwise to arm `a1`: 1 inside the fan, -1 outside,
 * 0 on an arm. Exact: turns are orientation tests.
 */
function between(
  x: number,
  y: number,
  a0x: number,
  a0y: number,
  a1x: number,
  a1y: number,
  px: number,
  py: number,
): -1 | 0 | 1 {
  if (sameDirection(x, y, a0x, a0y, px, py) || sameDirection(x, y, a1x, a1y, px, py)) return 0;
  const fan = side(x, y, a0x, a0y, a1x, a1y);
  const first = side(x, y, a0x, a0y, px, py);
  const second = side(x, y, px, py, a1x, a1y);
  if (fan > 0) return first > 0 && second > 0 ? 1 : -1;
  if (fan < 0) return first >= 0 || second >= 0 ? 1 : -1;
  // A straight fan, or one of no width (a spike, found elsewhere).
  return first > 0 ? 1 : -1;
}

function sameDirection(x: number, y: number, ax: number, ay: number, px: number, py: number): boolean {
  if (side(x, y, ax, ay, px, py) !== 0) return false;
  return Math.sign(ax - x) === Math.sign(px - x) && Math.sign(ay - y) === Math.sign(py - y);
}
