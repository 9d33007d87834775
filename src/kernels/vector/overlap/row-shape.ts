import { type BoxTree, buildBoxTree, type Hits, newHits, searchBoxes } from "../box-tree.ts";
import { side } from "../noding/exact.ts";
import type { UnderEdge } from "./under-edge.ts";

/** Edges from which on a row gets an index when it is searched more than once. */
const INDEX_FROM = 96;

/** Edges found near a box; the first `count` of `vertices`, upward. */
export interface NearEdges {
  count: number;
  vertices: Int32Array;
}

export function newNearEdges(): NearEdges {
  return { count: 0, vertices: new Int32Array(64) };
}

const hits: Hits = newHits();

/**
 * The polygon rings of one row, as {@link overlapOf} reads them. Edge `v` runs from vertex `v` to `v + 1`; those from the last
 * vertex of a ring are none.
 */
export class RowShape {
  readonly xy: Float64Array;
  /** Ring `r` owns vertices `rings[r] .. rings[r + 1] - 1`, the last one equal to the first. */
  readonly rings: Int32Array;
  readonly firstRing: number;
  readonly endRing: number;
  /** Per ring of the column: 1 inside on the left, -1 on the right, 0 not a ring of this polygon. */
  readonly sides: Int8Array;
  /** Scratch, per vertex of the column, all 0 between calls: whether an edge is crossed an odd number of times. */
  readonly flips: Uint8Array;
  readonly minX: number;
  readonly minY: number;
  readonly maxX: number;
  readonly maxY: number;
  /** First vertex and the one after the last. */
  readonly start: number;
  readonly end: number;
  #tree: BoxTree | null = null;
  #searches = 0;
  #area = Number.NaN;

  constructor(
    xy: Float64Array,
    rings: Int32Array,
    firstRing: number,
    endRing: number,
    sides: Int8Array,
    flips: Uint8Array,
    minX: number,
    minY: number,
    maxX: number,
    maxY: number,
  ) {
    this.xy = xy;
    this.rings = rings;
    this.firstRing = firstRing;
    this.endRing = endRing;
    this.sides = sides;
    this.flips = flips;
    this.minX = minX;
    this.minY = minY;
    this.maxX = maxX;
    this.maxY = maxY;
    this.start = rings[firstRing]!;
    this.end = rings[endRing]!;
  }

  /** The area, computed once. */
  area(under: UnderEdge): number {
    if (!Number.isNaN(this.#area)) return this.#area;
    const { xy, rings, sides } = this;
    under.around((this.minX + this.maxX) / 2, (this.minY + this.maxY) / 2);
    const { x, y } = under;
    let area = 0;
    for (let r = this.firstRing; r < this.endRing; r++) {
      if (sides[r] === 0) continue;
      let sum = 0;
      for (let v = rings[r]!; v < rings[r + 1]! - 1; v++)
        sum += under.of(xy[2 * v]! - x, xy[2 * v + 1]! - y, xy[2 * v + 2]! - x, xy[2 * v + 3]! - y);
      area += sides[r]! * sum;
    }
    this.#area = Math.max(0, area);
    return this.#area;
  }

  /** Ring that owns a vertex. */
  ringOf(vertex: number): number {
    const { rings } = this;
    let low = this.firstRing;
    let high = this.endRing - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (vertex < rings[middle + 1]!) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The index over the edges, when there are so many that it pays; `null` otherwise. Item `k` is edge `start + k`. */
  tree(): BoxTree | null {
    if (this.#tree !== null || this.end - this.start < INDEX_FROM) return this.#tree;
    if (this.#searches++ === 0) return null;
    const { xy, rings, sides, start } = this;
    const boxes = new Float64Array(4 * (this.end - start)).fill(Number.NaN);
    for (let r = this.firstRing; r < this.endRing; r++) {
      for (let v = rings[r]!; v < rings[r + 1]!; v++) {
        const at = 4 * (v - start);
        if (sides[r] === 0 || v === rings[r + 1]! - 1) {
          // No edge: at the middle, so that the index is not stretched, and never found.
          boxes[at] = boxes[at + 1] = Infinity;
          boxes[at + 2] = boxes[at + 3] = -Infinity;
          continue;
        }
        boxes[at] = Math.min(xy[2 * v]!, xy[2 * v + 2]!);
        boxes[at + 1] = Math.min(xy[2 * v + 1]!, xy[2 * v + 3]!);
        boxes[at + 2] = Math.max(xy[2 * v]!, xy[2 * v + 2]!);
        boxes[at + 3] = Math.max(xy[2 * v + 1]!, xy[2 * v + 3]!);
      }
    }
    this.#tree = buildBoxTree(boxes);
    return this.#tree;
  }

  /** Put the edges whose boxes meet a box (touching counts) into `out`, upward. */
  near(minX: number, minY: number, maxX: number, maxY: number, out: NearEdges): number {
    const tree = this.tree();
    const { xy, rings, sides, start } = this;
    if (tree !== null) {
      const found = searchBoxes(tree, minX, minY, maxX, maxY, hits);
      if (found > out.vertices.length) out.vertices = new Int32Array(2 * found);
      const { vertices } = out;
      for (let k = 0; k < found; k++) vertices[k] = start + hits.values[k]!;
      vertices.subarray(0, found).sort();
      out.count = found;
      return found;
    }
    if (this.end - start > out.vertices.length) out.vertices = new Int32Array(2 * (this.end - start));
    const { vertices } = out;
    let count = 0;
    for (let r = this.firstRing; r < this.endRing; r++) {
      if (sides[r] === 0) continue;
      const last = rings[r + 1]! - 1;
      let x1 = xy[2 * rings[r]!]!;
      let y1 = xy[2 * rings[r]! + 1]!;
      for (let v = rings[r]!; v < last; v++) {
        const x2 = xy[2 * v + 2]!;
        const y2 = xy[2 * v + 3]!;
        if (
          !(
            (x1 < minX && x2 < minX) ||
            (x1 > maxX && x2 > maxX) ||
            (y1 < minY && y2 < minY) ||
            (y1 > maxY && y2 > maxY)
          )
        )
          vertices[count++] = v;
        x1 = x2;
        y1 = y2;
      }
    }
    out.count = count;
    return count;
  }

  /**
   * Whether a point lies inside, exactly. Points on an edge are moved off it, or the edge off them: `moved` says that these rings
   * are the ones that stand a little to the right and, much less, up.
   */
  contains(x: number, y: number, moved: boolean): boolean {
    const { xy, rings, sides } = this;
    if (x < this.minX || x > this.maxX || y < this.minY || y > this.maxY) return false;
    const tree = this.tree();
    let inside = false;
    if (tree !== null) {
      const found = searchBoxes(tree, x, y, Infinity, y, hits);
      for (let k = 0; k < found; k++) {
        const v = 2 * (this.start + hits.values[k]!);
        if (rayMeets(xy[v]!, xy[v + 1]!, xy[v + 2]!, xy[v + 3]!, x, y, moved)) inside = !inside;
      }
      return inside;
    }
    for (let r = this.firstRing; r < this.endRing; r++) {
      if (sides[r] === 0) continue;
      for (let v = rings[r]!; v < rings[r + 1]! - 1; v++)
        if (rayMeets(xy[2 * v]!, xy[2 * v + 1]!, xy[2 * v + 2]!, xy[2 * v + 3]!, x, y, moved))
          inside = !inside;
    }
    return inside;
  }
}

/** Whether the ray to the right of a point meets an edge, none of them lying on the other once they are moved. */
function rayMeets(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  x: number,
  y: number,
  moved: boolean,
): boolean {
  if (moved ? y1 >= y === y2 >= y : y1 > y === y2 > y) return false;
  if (x1 > x && x2 > x) return true;
  if (x1 < x && x2 < x) return false;
  const right = side(x1, y1, x2, y2, x, y);
  if (right === 0) return moved;
  return right < 0 === y2 > y1;
}
