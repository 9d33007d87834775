import { nodeOnce } from "./floating.ts";
import { newSnapPoints, snapPoint } from "./snap-points.ts";
import type { NodedStrings, SegmentStrings } from "./strings.ts";
import { findUnnoded } from "./validate.ts";

/** Passes before it is given up: each may bend lines by the tolerance, and so make them meet anew. */
const PASSES = 6;

/**
 * Node lines as `nodeFloating` does, and draw together what is nearer than `tolerance`: vertices and crossings become
 * one point (the first of them), and a segment with a vertex that near is led through it. Repeated until no lines
 * meet but at nodes, some passes at most; `clean` says whether it came to that.
 *
 * Deterministic, and what it does depends on the order of the strings: the first vertex near others stays where
 * it is. Coordinates of the result are those of input vertices or of crossings. Throws RangeError when
 * `tolerance` is not a positive number.
 */
export function nodeSnapping(strings: SegmentStrings, tolerance: number): NodedStrings {
  if (!(tolerance > 0 && tolerance < Infinity)) {
    throw new RangeError(`tolerance is ${tolerance}, expected a positive number`);
  }
  const points = newSnapPoints(tolerance);
  const { starts, tags } = strings;
  const xy = strings.xy.slice();
  const end = starts[tags.length]!;
  for (let v = tags.length === 0 ? end : starts[0]!; v < end; v++) {
    const x = xy[2 * v]! + 0;
    const y = xy[2 * v + 1]! + 0;
    if (!(Number.isFinite(x) && Number.isFinite(y))) continue;
    const k = snapPoint(points, x, y);
    xy[2 * v] = points.xy[2 * k]!;
    xy[2 * v + 1] = points.xy[2 * k + 1]!;
  }
  let noded: SegmentStrings = { xy, starts, tags };
  for (let pass = 0; pass < PASSES; pass++) {
    noded = nodeOnce(noded, points);
    if (findUnnoded(noded) === -1) return { ...noded, clean: true };
  }
  return { ...noded, clean: false };
}
