import Flatbush from "flatbush";

/** Holes are looked for in an index of the shells when there are more pairs than this. */
const MANY_PAIRS = 4096;
/** Edges of a ring are sorted into slabs from this many on, and only for more questions than {@link FEW_POINTS}. */
const MANY_EDGES = 256;
const FEW_POINTS = 4;
/** Most shells and edges that one record may make us look at; real records of any size stay far below. */
export const MAX_STEPS = 1_500_000_000;

/** A record whose rings lie in one another so many times that sorting them out would not end. */
export class TooManyRings extends Error {}

/**
 * Which ring of a polygon record belongs to which: `owner[r]` is the shell of a hole, or `r` itself for a shell.
 *
 * As GDAL does it: clockwise rings are shells. When there is one only, the others are its holes, but for those that
 * lie apart from it altogether, which are polygons of their own (some writers turn all rings but the first around).
 * With several, a hole belongs to the smallest shell that it lies in, and a counter-clockwise ring in none is a polygon
 * of its own; rings without area count as counter-clockwise. A record whose largest ring runs counter-clockwise and
 * whose clockwise rings all lie in counter-clockwise ones was written the wrong way round and is read so (GDAL does not).
 *
 * @param xy      `[x0, y0, x1, y1, ...]`
 * @param starts  Ring `r` has the vertices `starts[r] .. starts[r + 1] - 1`; length at least `count + 1`.
 * Cost: about linear in the vertices for rings that lie beside one another, whatever their number.
 *
 * @param owner   Written; length at least `count`.
 * @throws TooManyRings for a record of tens of thousands of rings within one another
 */
export function organizeRings(xy: Float64Array, starts: Int32Array, count: number, owner: Int32Array): void {
  /** Signed, negative for shells. */
  const areas = new Float64Array(count);
  const boxes = new Float64Array(4 * count);
  let largest = 0;
  for (let r = 0; r < count; r++) {
    areas[r] = measure(xy, starts[r]!, starts[r + 1]!, boxes, 4 * r);
    if (Math.abs(areas[r]!) > Math.abs(areas[largest]!)) largest = r;
  }
  const nesting = new Nesting(xy, starts, count, areas, boxes);
  if (areas[largest]! > 0 && nesting.allWithin(1)) for (let r = 0; r < count; r++) areas[r] = -areas[r]!;
  const shells = nesting.ringsOf(-1);
  if (shells.length === 1) {
    for (let r = 0; r < count; r++) owner[r] = boxesMeet(boxes, shells[0]!, r) ? shells[0]! : r;
    return;
  }
  const find = nesting.finder(shells);
  for (let r = 0; r < count; r++) {
    owner[r] = r;
    if (areas[r]! < 0) continue;
    const shell = nesting.smallestAround(r, find(r));
    if (shell >= 0) owner[r] = shell;
  }
}

/** Answers which ring lies in which, for the rings of one record. */
class Nesting {
  readonly #xy: Float64Array;
  readonly #starts: Int32Array;
  readonly #count: number;
  readonly #areas: Float64Array;
  readonly #boxes: Float64Array;
  /** Points asked about each ring, and its slabs when they were many. */
  readonly #asked: Uint8Array;
  readonly #slabs = new Map<number, EdgeSlabs>();
  #steps = 0;

  constructor(xy: Float64Array, starts: Int32Array, count: number, areas: Float64Array, boxes: Float64Array) {
    this.#xy = xy;
    this.#starts = starts;
    this.#count = count;
    this.#areas = areas;
    this.#boxes = boxes;
    this.#asked = new Uint8Array(count);
  }

  /** Rings whose areas have a sign. */
  ringsOf(sign: 1 | -1): number[] {
    const rings: number[] = [];
    for (let r = 0; r < this.#count; r++) if (sign * this.#areas[r]! > 0) rings.push(r);
    return rings;
  }

  /** Whether all rings of the other sign lie in rings of this one. */
  allWithin(sign: 1 | -1): boolean {
    const find = this.finder(this.ringsOf(sign));
    for (let r = 0; r < this.#count; r++) {
      if (sign * this.#areas[r]! < 0 && this.smallestAround(r, find(r)) < 0) return false;
    }
    return true;
  }

  /** Shells whose boxes may hold that of a ring: all of them, or through an index when there are many. */
  finder(shells: readonly number[]): (ring: number) => readonly number[] {
    const boxes = this.#boxes;
    if (shells.length * (this.#count - shells.length + 1) <= MANY_PAIRS) return () => shells;
    const index = new Flatbush(shells.length);
    for (const shell of shells)
      index.add(boxes[4 * shell]!, boxes[4 * shell + 1]!, boxes[4 * shell + 2]!, boxes[4 * shell + 3]!);
    index.finish();
    return (ring) => {
      // Whatever holds the ring's box holds its lower left corner.
      const x = boxes[4 * ring]!;
      const y = boxes[4 * ring + 1]!;
      return index.search(x, y, x, y).map((i) => shells[i]!);
    };
  }

  /** The shell of the least area that a ring lies in, the last one of several alike; -1 when it lies in none. */
  smallestAround(ring: number, shells: readonly number[]): number {
    // A candidate costs about as much as so many edges.
    this.#spend(32 * shells.length);
    const areas = this.#areas;
    const own = Math.abs(areas[ring]!);
    const around: number[] = [];
    for (const shell of shells)
      if (Math.abs(areas[shell]!) >= own && boxContains(this.#boxes, shell, ring)) around.push(shell);
    // Nearly always the smallest is the one; sorting is for when it is not.
    const smallest = around.reduce((best, shell) => (this.#isSmaller(shell, best) ? shell : best), -1);
    if (smallest < 0 || this.#isInside(ring, smallest)) return smallest;
    around.sort((a, b) => (this.#isSmaller(a, b) ? -1 : 1));
    return around.find((shell) => shell !== smallest && this.#isInside(ring, shell)) ?? -1;
  }

  #isSmaller(shell: number, other: number): boolean {
    if (other < 0) return true;
    const difference = Math.abs(this.#areas[shell]!) - Math.abs(this.#areas[other]!);
    return difference < 0 || (difference === 0 && shell > other);
  }

  /** Whether ring `inner` lies in ring `outer`, told by its first vertex that is not on the outer ring's line. */
  #isInside(inner: number, outer: number): boolean {
    const xy = this.#xy;
    const start = this.#starts[inner]!;
    const end = this.#starts[inner + 1]!;
    for (let v = start; v < end; v++) {
      const side = this.#side(outer, xy[2 * v]!, xy[2 * v + 1]!);
      if (side !== 0) return side > 0;
    }
    // Every vertex touches: the middle of the first edge decides.
    if (end - start < 2) return false;
    const x = (xy[2 * start]! + xy[2 * start + 2]!) / 2;
    const y = (xy[2 * start + 1]! + xy[2 * start + 3]!) / 2;
    return this.#side(outer, x, y) >= 0;
  }

  /** 1 inside the ring, -1 outside, 0 on its line. */
  #side(ring: number, x: number, y: number): number {
    const start = this.#starts[ring]!;
    const end = this.#starts[ring + 1]!;
    if (end - start < MANY_EDGES || this.#asked[ring]! < FEW_POINTS) {
      this.#asked[ring]!++;
      this.#spend(end - start);
      return pointSide(this.#xy, start, end, x, y);
    }
    let slabs = this.#slabs.get(ring);
    if (slabs === undefined) {
      slabs = new EdgeSlabs(this.#xy, start, end, this.#boxes[4 * ring + 1]!, this.#boxes[4 * ring + 3]!);
      this.#slabs.set(ring, slabs);
    }
    this.#spend(slabs.edgesAt(y));
    return slabs.side(x, y);
  }

  #spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > MAX_STEPS)
      throw new TooManyRings(`its ${this.#count} rings lie within one another too often`);
  }
}

/** Edges of a ring by the height they pass, so that a point is compared with those at its height alone. */
class EdgeSlabs {
  readonly #xy: Float64Array;
  readonly #start: number;
  readonly #end: number;
  readonly #minY: number;
  readonly #scale: number;
  readonly #count: number;
  readonly #offsets: Int32Array;
  /** Last vertex of each edge. */
  readonly #edges: Int32Array;

  constructor(xy: Float64Array, start: number, end: number, minY: number, maxY: number) {
    this.#xy = xy;
    this.#start = start;
    this.#end = end;
    this.#minY = minY;
    let count = Math.max(1, (end - start) >> 2);
    let offsets: Int32Array;
    let scale: number;
    for (;;) {
      scale = maxY > minY ? count / (maxY - minY) : 0;
      this.#scale = scale;
      this.#count = count;
      offsets = this.#counts(count);
      // Long edges lie in many slabs: fewer slabs then.
      if (offsets[count]! <= 8 * (end - start) || count === 1) break;
      count = Math.max(1, count >> 2);
    }
    const edges = new Int32Array(offsets[count]!);
    const next = offsets.slice(0, count);
    for (let v = start; v < end; v++) {
      const last = this.#lastSlab(v);
      for (let slab = this.#firstSlab(v); slab <= last; slab++) edges[next[slab]!++] = v;
    }
    this.#offsets = offsets;
    this.#edges = edges;
  }

  edgesAt(y: number): number {
    const slab = this.#slab(y);
    return this.#offsets[slab + 1]! - this.#offsets[slab]!;
  }

  /** As {@link pointSide}. The point must lie between the lowest and the highest vertex. */
  side(x: number, y: number): number {
    const xy = this.#xy;
    const slab = this.#slab(y);
    let inside = false;
    for (let k = this.#offsets[slab]!; k < this.#offsets[slab + 1]!; k++) {
      const v = this.#edges[k]!;
      const before = v === this.#start ? this.#end - 1 : v - 1;
      const crossing = edgeCrossing(xy[2 * before]!, xy[2 * before + 1]!, xy[2 * v]!, xy[2 * v + 1]!, x, y);
      if (crossing === 0) return 0;
      if (crossing > 0) inside = !inside;
    }
    return inside ? 1 : -1;
  }

  #counts(count: number): Int32Array {
    const offsets = new Int32Array(count + 1);
    const limit = 8 * (this.#end - this.#start);
    let total = 0;
    for (let v = this.#start; v < this.#end; v++) {
      const last = this.#lastSlab(v);
      const first = this.#firstSlab(v);
      total += last - first + 1;
      if (total > limit && count > 1) {
        offsets[count] = limit + 1;
        return offsets;
      }
      for (let slab = first; slab <= last; slab++) offsets[slab + 1]!++;
    }
    for (let slab = 0; slab < count; slab++) offsets[slab + 1]! += offsets[slab]!;
    return offsets;
  }

  #firstSlab(v: number): number {
    return this.#slab(Math.min(this.#xy[2 * v + 1]!, this.#yBefore(v)));
  }

  #lastSlab(v: number): number {
    return this.#slab(Math.max(this.#xy[2 * v + 1]!, this.#yBefore(v)));
  }

  #yBefore(v: number): number {
    return this.#xy[2 * (v === this.#start ? this.#end - 1 : v - 1) + 1]!;
  }

  #slab(y: number): number {
    const slab = Math.floor((y - this.#minY) * this.#scale);
    return slab >= 0 ? Math.min(slab, this.#count - 1) : 0;
  }
}

/** Box of a ring into `boxes`; returns its signed area, positive when counter-clockwise. */
function measure(xy: Float64Array, start: number, end: number, boxes: Float64Array, at: number): number {
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
  boxes[at] = minX;
  boxes[at + 1] = minY;
  boxes[at + 2] = maxX;
  boxes[at + 3] = maxY;
  return signedArea(xy, start, end);
}

/**
 * Signed area of vertices `start .. end - 1`, positive when counter-clockwise; the ring may be closed or not. About
 * the first vertex, so that coordinates far from the origin lose no digits.
 */
export function signedArea(xy: Float64Array, start: number, end: number): number {
  const ox = xy[2 * start]!;
  const oy = xy[2 * start + 1]!;
  let twice = 0;
  for (let v = start + 1; v < end - 1; v++) {
    const ax = xy[2 * v]! - ox;
    const ay = xy[2 * v + 1]! - oy;
    const bx = xy[2 * v + 2]! - ox;
    const by = xy[2 * v + 3]! - oy;
    twice += ax * by - ay * bx;
  }
  return twice / 2;
}

function boxContains(boxes: Float64Array, outer: number, inner: number): boolean {
  const o = 4 * outer;
  const i = 4 * inner;
  return (
    boxes[o]! <= boxes[i]! &&
    boxes[o + 1]! <= boxes[i + 1]! &&
    boxes[o + 2]! >= boxes[i + 2]! &&
    boxes[o + 3]! >= boxes[i + 3]!
  );
}

function boxesMeet(boxes: Float64Array, a: number, b: number): boolean {
  const i = 4 * a;
  const j = 4 * b;
  return (
    boxes[i]! <= boxes[j + 2]! &&
    boxes[i + 2]! >= boxes[j]! &&
    boxes[i + 1]! <= boxes[j + 3]! &&
    boxes[i + 3]! >= boxes[j + 1]!
  );
}

/** 1 inside the ring, -1 outside, 0 on its line. Even-odd rule. */
function pointSide(xy: Float64Array, start: number, end: number, x: number, y: number): number {
  let inside = false;
  let ax = xy[2 * end - 2]!;
  let ay = xy[2 * end - 1]!;
  for (let v = start; v < end; v++) {
    const bx = xy[2 * v]!;
    const by = xy[2 * v + 1]!;
    const crossing = edgeCrossing(ax, ay, bx, by, x, y);
    if (crossing === 0) return 0;
    if (crossing > 0) inside = !inside;
    ax = bx;
    ay = by;
  }
  return inside ? 1 : -1;
}

/** 1 when the ray from a point to the right passes the edge, -1 when not, 0 when the point is on the edge. */
function edgeCrossing(ax: number, ay: number, bx: number, by: number, x: number, y: number): number {
  if (ay > y !== by > y) {
    const cross = (bx - ax) * (y - ay) - (x - ax) * (by - ay);
    if (cross === 0) return 0;
    return cross > 0 === by > ay ? 1 : -1;
  }
  if (y === ay && y === by && (x - ax) * (x - bx) <= 0) return 0;
  return x === bx && y === by ? 0 : -1;
}
