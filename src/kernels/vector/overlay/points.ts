import { type BoxTree, buildBoxTree, type Hits, newHits, searchBoxes } from "../box-tree.ts";
import { side } from "../noding/exact.ts";
import type { SegmentStrings } from "../noding/strings.ts";
import { AREA, SOURCE_B } from "./input.ts";
import { type FillRule, isInside, type OverlayOperation } from "./select.ts";

/** Above this many segments times points an index is built. */
const BRUTE = 20_000;

/** Where points lie in the linework of one geometry. Exact. */
export class PointLocator {
  /** Lowest and highest winding number met. */
  lowest = 0;
  highest = 0;
  readonly #xy: Float64Array;
  readonly #rule: FillRule;
  /** First vertex of each segment of the geometry; bit-complemented for segments of lines. */
  readonly #segments: Int32Array;
  readonly #tree: BoxTree | null = null;
  readonly #hits: Hits = newHits();

  constructor(strings: SegmentStrings, source: 0 | 1, rule: FillRule, points: number) {
    const { xy, starts, tags } = strings;
    this.#xy = xy;
    this.#rule = rule;
    let count = 0;
    for (let s = 0; s < tags.length; s++)
      if ((tags[s]! & SOURCE_B) === source) count += Math.max(0, starts[s + 1]! - starts[s]! - 1);
    const segments = new Int32Array(count);
    let n = 0;
    for (let s = 0; s < tags.length; s++) {
      if ((tags[s]! & SOURCE_B) !== source) continue;
      for (let v = starts[s]!; v + 1 < starts[s + 1]!; v++) segments[n++] = (tags[s]! & AREA) !== 0 ? v : ~v;
    }
    this.#segments = segments;
    if (count * points <= BRUTE) return;
    const boxes = new Float64Array(4 * count);
    for (let k = 0; k < count; k++) {
      const v = segments[k]! < 0 ? ~segments[k]! : segments[k]!;
      boxes[4 * k] = Math.min(xy[2 * v]!, xy[2 * v + 2]!);
      boxes[4 * k + 1] = Math.min(xy[2 * v + 1]!, xy[2 * v + 3]!);
      boxes[4 * k + 2] = Math.max(xy[2 * v]!, xy[2 * v + 2]!);
      boxes[4 * k + 3] = Math.max(xy[2 * v + 1]!, xy[2 * v + 3]!);
    }
    this.#tree = buildBoxTree(boxes);
  }

  /** Whether a line or an area of the geometry covers a point; borders belong to areas. */
  covers(x: number, y: number): boolean {
    const xy = this.#xy;
    const tree = this.#tree;
    const found =
      tree === null
        ? this.#segments.length
        : searchBoxes(tree, Number.NEGATIVE_INFINITY, y, x, y, this.#hits);
    let winding = 0;
    for (let k = 0; k < found; k++) {
      const segment = this.#segments[tree === null ? k : this.#hits.values[k]!]!;
      const v = segment < 0 ? ~segment : segment;
      const ax = xy[2 * v]!;
      const ay = xy[2 * v + 1]!;
      const bx = xy[2 * v + 2]!;
      const by = xy[2 * v + 3]!;
      if ((ay > y && by > y) || (ay < y && by < y) || (ax > x && bx > x)) continue;
      const s = side(ax, ay, bx, by, x, y);
      if (s === 0) {
        if ((ax <= x || bx <= x) && (ax >= x || bx >= x)) return true;
        continue;
      }
      if (segment < 0) continue;
      // A ray to the left crosses segments that the point is on the right of when they run upward.
      if (ay <= y && y < by) {
        if (s > 0) winding--;
      } else if (by <= y && y < ay && s < 0) winding++;
    }
    if (winding < this.lowest) this.lowest = winding;
    if (winding > this.highest) this.highest = winding;
    return isInside(this.#rule, winding);
  }
}

/**
 * Which points of two geometries are in the result. Points that linework of their own geometry covers are not points of
 * it; points that are in larger parts of the result are no points of the result.
 *
 * @param a  Points of A, each once, in order; `b` those of B.
 * @param inA  Linework of A; `null` when it has none. `inB` likewise.
 */
export function selectPoints(
  operation: OverlayOperation,
  a: Float64Array,
  b: Float64Array,
  inA: PointLocator | null,
  inB: PointLocator | null,
  out: number[],
): void {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    let order = 0;
    if (i >= a.length) order = 1;
    else if (j >= b.length) order = -1;
    else order = a[i]! - b[j]! || a[i + 1]! - b[j + 1]!;
    const x = order <= 0 ? a[i]! : b[j]!;
    const y = order <= 0 ? a[i + 1]! : b[j + 1]!;
    const coveredA = inA?.covers(x, y) ?? false;
    const coveredB = inB?.covers(x, y) ?? false;
    const pointA = order <= 0 && !coveredA;
    const pointB = order >= 0 && !coveredB;
    let taken = false;
    if (operation === "intersection") taken = (pointA && (pointB || coveredB)) || (pointB && coveredA);
    else if (operation === "union") taken = (pointA && !coveredB) || (pointB && !coveredA);
    else if (operation === "difference") taken = pointA && !coveredB && !pointB;
    else taken = (pointA && !coveredB && !pointB) || (pointB && !coveredA && !pointA);
    if (taken) out.push(x, y);
    if (order <= 0) i += 2;
    if (order >= 0) j += 2;
  }
}
