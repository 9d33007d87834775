import { orient2d } from "robust-predicates";
import { type GeometryColumn, memberPartsEnd, typeDimension } from "../../model/geometry.ts";
import { buildBoxTree, newHits, searchBoxes } from "./box-tree.ts";
import { interiorPoint } from "./classify.ts";
import { locate, OUTSIDE, preparePolygonParts } from "./region.ts";

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
  for (let r = parts[first]!; r < parts[end]!; r++) {
    for (let v = rings[r]!; v < rings[r + 1]!; v++) {
      if (!Number.isFinite(xy[2 * v]!) || !Number.isFinite(xy[2 * v + 1]!))
        return { reason: "Invalid Coordinate", x: xy[2 * v]!, y: xy[2 * v + 1]! };
    }
  }
  if (dimension === 0) return null;
  for (let r = parts[first]!; r < parts[end]!; r++) {
    const start = rings[r]!;
    const stop = rings[r + 1]!;
    if (start === stop) continue;
    if (dimension === 2 && (xy[2 * start] !== xy[2 * stop - 2] || xy[2 * start + 1] !== xy[2 * stop - 1]))
      return { reason: "Ring is not closed", x: xy[2 * start]!, y: xy[2 * start + 1]! };
    let different = 1;
    for (let v = start + 1; v < stop; v++)
      if (xy[2 * v] !== xy[2 * v - 2] || xy[2 * v + 1] !== xy[2 * v - 1]) different++;
    if (different < (dimension === 2 ? 4 : 2))
      return { reason: "Too few points in geometry component", x: xy[2 * start]!, y: xy[2 * start + 1]! };
  }
  return dimension === 2 ? judgePolygons(column, first, end) : null;
}

function judgePolygons(column: GeometryColumn, first: number, end: number): Invalidity | null {
  const rings = new RingSet(column, first, end);
  const crossing = rings.findCrossing();
  if (crossing !== null) return crossing;
  return (
    findHoleOutside(column, first, end) ??
    findNestedHoles(column, first, end) ??
    findNestedShells(column, first, end) ??
    rings.findDisconnected()
  );
}

/** Segments of all rings of some polygons, without repeated points, and where rings touch. */
class RingSet {
  /** `[x1, y1, x2, y2]` each, along the rings. */
  readonly #segments: Float64Array;
  /** Ring of each segment. */
  readonly #ring: Int32Array;
  /** Segments of ring `r` are `#start[r] .. #start[r + 1] - 1`. */
  readonly #start: number[] = [0];
  /** Polygon of each ring. */
  readonly #polygon: number[] = [];
  /** Points where two rings of a polygon touch: `[ring, ring, x, y]`. */
  readonly #touches: [number, number, number, number][] = [];

  constructor({ parts, rings, xy }: GeometryColumn, first: number, end: number) {
    const segments: number[] = [];
    const ring: number[] = [];
    for (let p = first; p < end; p++) {
      for (let r = parts[p]!; r < parts[p + 1]!; r++) {
        const number = this.#polygon.length;
        this.#polygon.push(p);
        for (let v = rings[r]! + 1; v < rings[r + 1]!; v++) {
          const x1 = xy[2 * v - 2]!;
          const y1 = xy[2 * v - 1]!;
          const x2 = xy[2 * v]!;
          const y2 = xy[2 * v + 1]!;
          if (x1 === x2 && y1 === y2) continue;
          segments.push(x1, y1, x2, y2);
          ring.push(number);
        }
        this.#start.push(ring.length);
      }
    }
    this.#segments = Float64Array.from(segments);
    this.#ring = Int32Array.from(ring);
  }

  /** First pair of segments that crosses, overlaps or touches where it must not. Collects the touches allowed. */
  findCrossing(): Invalidity | null {
    const s = this.#segments;
    const count = this.#ring.length;
    const boxes = new Float64Array(4 * count);
    for (let e = 0; e < 4 * count; e += 4) {
      boxes[e] = Math.min(s[e]!, s[e + 2]!);
      boxes[e + 1] = Math.min(s[e + 1]!, s[e + 3]!);
      boxes[e + 2] = Math.max(s[e]!, s[e + 2]!);
      boxes[e + 3] = Math.max(s[e + 1]!, s[e + 3]!);
    }
    const tree = buildBoxTree(boxes);
    const hits = newHits();
    for (let i = 0; i < count; i++) {
      const e = 4 * i;
      const found = searchBoxes(tree, boxes[e]!, boxes[e + 1]!, boxes[e + 2]!, boxes[e + 3]!, hits);
      for (let k = 0; k < found; k++) {
        const j = hits.values[k]!;
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
    const c = orient2d(ax, ay, bx, by, cx, cy);
    const d = orient2d(ax, ay, bx, by, dx, dy);
    if ((c > 0 && d > 0) || (c < 0 && d < 0)) return null;
    const p = orient2d(cx, cy, dx, dy, ax, ay);
    const q = orient2d(cx, cy, dx, dy, bx, by);
    if ((p > 0 && q > 0) || (p < 0 && q < 0)) return null;
    if (c !== 0 && d !== 0 && p !== 0 && q !== 0) {
      const t = p / (p - q);
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
    const [a0x, a0y, a1x, a1y] = this.#arms(i, x, y);
    const [b0x, b0y, b1x, b1y] = this.#arms(j, x, y);
    const first = between(x, y, a0x, a0y, a1x, a1y, b0x, b0y);
    const second = between(x, y, a0x, a0y, a1x, a1y, b1x, b1y);
    // An arm along the other ring is an overlap and found as such by the pair it belongs to.
    return first !== 0 && second !== 0 && first !== second;
  }

  /** Where the ring of a segment comes from and goes to at a point of it. */
  #arms(i: number, x: number, y: number): [number, number, number, number] {
    const s = this.#segments;
    const ring = this.#ring[i]!;
    const first = this.#start[ring]!;
    const last = this.#start[ring + 1]! - 1;
    let before = i;
    let after = i;
    if (s[4 * i] === x && s[4 * i + 1] === y) before = i === first ? last : i - 1;
    else if (s[4 * i + 2] === x && s[4 * i + 3] === y) after = i === last ? first : i + 1;
    return [s[4 * before]!, s[4 * before + 1]!, s[4 * after + 2]!, s[4 * after + 3]!];
  }

  /**
   * Rings of a polygon and the points where they touch as a graph: a circle in it fences off a piece of
   * the interior.
   */
  findDisconnected(): Invalidity | null {
    const nodes = new Map<string, number>();
    const parent: number[] = this.#polygon.map((_, k) => k);
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

/** What two segments on one line share: `null`, a point or more. */
function collinearOverlap(
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
  // Signs as of a turn to the left in a system with y upward.
  const fan = -orient2d(x, y, a0x, a0y, a1x, a1y);
  const first = -orient2d(x, y, a0x, a0y, px, py);
  const second = -orient2d(x, y, px, py, a1x, a1y);
  if (fan > 0) return first > 0 && second > 0 ? 1 : -1;
  if (fan < 0) return first >= 0 || second >= 0 ? 1 : -1;
  // A straight fan, or one of no width (a spike, found elsewhere).
  return first > 0 ? 1 : -1;
}

function sameDirection(x: number, y: number, ax: number, ay: number, px: number, py: number): boolean {
  if (orient2d(x, y, ax, ay, px, py) !== 0) return false;
  return Math.sign(ax - x) === Math.sign(px - x) && Math.sign(ay - y) === Math.sign(py - y);
}

function findHoleOutside(column: GeometryColumn, first: number, end: number): Invalidity | null {
  const { parts, rings, xy } = column;
  for (let p = first; p < end; p++) {
    if (parts[p + 1]! - parts[p]! < 2) continue;
    const shell = preparePolygonParts(ringColumn(column, parts[p]!), Int32Array.of(0));
    for (let r = parts[p]! + 1; r < parts[p + 1]!; r++) {
      if (rings[r] === rings[r + 1]) continue;
      if (!ringInside(column, r, shell))
        return { reason: "Hole lies outside shell", x: xy[2 * rings[r]!]!, y: xy[2 * rings[r]! + 1]! };
    }
  }
  return null;
}

function findNestedHoles(column: GeometryColumn, first: number, end: number): Invalidity | null {
  const { parts, rings, xy } = column;
  for (let p = first; p < end; p++) {
    const holes: number[] = [];
    for (let r = parts[p]! + 1; r < parts[p + 1]!; r++) if (rings[r] !== rings[r + 1]) holes.push(r);
    if (holes.length < 2) continue;
    for (const [inner, outer] of boxPairs(column, holes)) {
      const hole = preparePolygonParts(ringColumn(column, outer), Int32Array.of(0));
      if (ringInside(column, inner, hole))
        return { reason: "Holes are nested", x: xy[2 * rings[inner]!]!, y: xy[2 * rings[inner]! + 1]! };
    }
  }
  return null;
}

function findNestedShells(column: GeometryColumn, first: number, end: number): Invalidity | null {
  const { parts, rings, xy } = column;
  const shells: number[] = [];
  const polygonOf = new Map<number, number>();
  for (let p = first; p < end; p++) {
    if (parts[p] === parts[p + 1] || rings[parts[p]!] === rings[parts[p]! + 1]) continue;
    shells.push(parts[p]!);
    polygonOf.set(parts[p]!, p);
  }
  if (shells.length < 2) return null;
  for (const [inner, outer] of boxPairs(column, shells)) {
    const polygon = preparePolygonParts(column, Int32Array.of(polygonOf.get(outer)!));
    if (ringInside(column, inner, polygon))
      return { reason: "Nested shells", x: xy[2 * rings[inner]!]!, y: xy[2 * rings[inner]! + 1]! };
  }
  return null;
}

/** Pairs of rings of which the first's box lies in the second's. */
function* boxPairs(column: GeometryColumn, ringNumbers: readonly number[]): Generator<[number, number]> {
  const { rings, xy } = column;
  const boxes = new Float64Array(4 * ringNumbers.length);
  for (const [k, r] of ringNumbers.entries()) {
    let minX = Infinity;
    let minY = Infinity;
    let maxX = -Infinity;
    let maxY = -Infinity;
    for (let v = rings[r]!; v < rings[r + 1]!; v++) {
      minX = Math.min(minX, xy[2 * v]!);
      minY = Math.min(minY, xy[2 * v + 1]!);
      maxX = Math.max(maxX, xy[2 * v]!);
      maxY = Math.max(maxY, xy[2 * v + 1]!);
    }
    boxes.set([minX, minY, maxX, maxY], 4 * k);
  }
  const tree = buildBoxTree(boxes);
  const hits = newHits();
  for (let k = 0; k < ringNumbers.length; k++) {
    const found = searchBoxes(
      tree,
      boxes[4 * k]!,
      boxes[4 * k + 1]!,
      boxes[4 * k + 2]!,
      boxes[4 * k + 3]!,
      hits,
    );
    for (const other of hits.values.slice(0, found)) {
      if (
        other !== k &&
        boxes[4 * other]! <= boxes[4 * k]! &&
        boxes[4 * other + 1]! <= boxes[4 * k + 1]! &&
        boxes[4 * other + 2]! >= boxes[4 * k + 2]! &&
        boxes[4 * other + 3]! >= boxes[4 * k + 3]!
      )
        yield [ringNumbers[k]!, ringNumbers[other]!];
    }
  }
}

/** Whether a ring that crosses no edge of a polygon lies inside it. */
function ringInside(
  column: GeometryColumn,
  ring: number,
  polygon: ReturnType<typeof preparePolygonParts>,
): boolean {
  const { rings, xy } = column;
  for (let v = rings[ring]!; v < rings[ring + 1]!; v++) {
    const place = locate(polygon, xy[2 * v]!, xy[2 * v + 1]!);
    if (place !== 0) return place !== OUTSIDE;
  }
  // Every vertex is on the boundary. Edges do not cross it, so the middle of one that leaves it tells.
  for (let v = rings[ring]!; v + 1 < rings[ring + 1]!; v++) {
    const place = locate(polygon, (xy[2 * v]! + xy[2 * v + 2]!) / 2, (xy[2 * v + 1]! + xy[2 * v + 3]!) / 2);
    if (place !== 0) return place !== OUTSIDE;
  }
  const point = interiorPoint(ringColumn(column, ring), 0);
  return point !== null && locate(polygon, point[0], point[1]) !== OUTSIDE;
}

/** A column of one polygon whose shell is the given ring. Shares the coordinates. */
function ringColumn({ rings, xy }: GeometryColumn, ring: number): GeometryColumn {
  return {
    types: Uint8Array.of(3),
    geometries: Int32Array.of(0, 1),
    parts: Int32Array.of(0, 1),
    rings: Int32Array.of(rings[ring]!, rings[ring + 1]!),
    xy,
    z: null,
    m: null,
    collections: null,
  };
}
