import { nearestDouble, wholeNumbers } from "./exact.ts";

/**
 * The point where two segments `a b` and `c d` cross properly (each has its ends strictly on both sides of the other;
 * the caller has made sure with exact predicates), into `out[0]` and `out[1]`.
 *
 * Each coordinate is the double nearest to the true one or its neighbour on the other side of it, lies within the
 * boxes of both segments, and has the same bits for any order of the segments and of their ends. Three steps, each
 * with a bound on its error that tells when the next is needed: doubles (nearly always), pairs of doubles (segments
 * that are nearly parallel), whole numbers of any length (parallel to thirty digits, or a coordinate next to zero).
 * Only the last allocates.
 */
export function intersectionPoint(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  cx: number,
  cy: number,
  dx: number,
  dy: number,
  out: Float64Array,
): void {
  // One order for all: ends from left to right, the segment that starts first first.
  let swap = 0;
  if (bx < ax || (bx === ax && by < ay)) {
    swap = ax;
    ax = bx;
    bx = swap;
    swap = ay;
    ay = by;
    by = swap;
  }
  if (dx < cx || (dx === cx && dy < cy)) {
    swap = cx;
    cx = dx;
    dx = swap;
    swap = cy;
    cy = dy;
    dy = swap;
  }
  if (cx < ax || (cx === ax && cy < ay)) {
    swap = ax;
    ax = cx;
    cx = swap;
    swap = ay;
    ay = cy;
    cy = swap;
    swap = bx;
    bx = dx;
    dx = swap;
    swap = by;
    by = dy;
    dy = swap;
  }
  const rx = bx - ax;
  const ry = by - ay;
  const sx = dx - cx;
  const sy = dy - cy;
  const rs = rx * sy;
  const sr = ry * sx;
  const denominator = rs - sr;
  const denominatorError = (Math.abs(rs) + Math.abs(sr)) / Math.abs(denominator);
  // From the start of a: nearly all errors are in the differences, which are small when c is near a.
  const qx = cx - ax;
  const qy = cy - ay;
  const qs = qx * sy;
  const sq = qy * sx;
  const t = (qs - sq) / denominator;
  const relative = 5e-16 * ((Math.abs(qs) + Math.abs(sq)) / Math.abs(denominator) + t * denominatorError + t);
  const x = ax + t * rx;
  const y = ay + t * ry;
  // A quarter of a unit in the last place at most, before the last addition rounds: never more than one neighbour off.
  if (
    relative * Math.abs(rx) <= 2.7e-17 * Math.abs(x) &&
    relative * Math.abs(ry) <= 2.7e-17 * Math.abs(y) &&
    Math.abs(rs) + Math.abs(sr) > 1e-250
  ) {
    out[0] = x;
    out[1] = y;
  } else exactPoint(ax, ay, bx, by, cx, cy, dx, dy, out);
  // The true point is in both boxes, so this only ever brings the computed one nearer.
  const minX = ax > cx ? ax : cx;
  const maxX = bx < dx ? bx : dx;
  if (out[0]! < minX) out[0] = minX;
  else if (out[0]! > maxX) out[0] = maxX;
  const minY = Math.max(Math.min(ay, by), Math.min(cy, dy));
  const maxY = Math.min(Math.max(ay, by), Math.max(cy, dy));
  if (out[1]! < minY) out[1] = minY;
  else if (out[1]! > maxY) out[1] = maxY;
  // No negative zeros.
  out[0]! += 0;
  out[1]! += 0;
}

/** Correctly rounded, in whole numbers of any length. */
function exactPoint(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  cx: number,
  cy: number,
  dx: number,
  dy: number,
  out: Float64Array,
): void {
  const { values, exponent } = wholeNumbers([ax, ay, bx, by, cx, cy, dx, dy]);
  const x0 = values[0]!;
  const y0 = values[1]!;
  const rx = values[2]! - x0;
  const ry = values[3]! - y0;
  const qx = values[4]! - x0;
  const qy = values[5]! - y0;
  const sx = values[6]! - values[4]!;
  const sy = values[7]! - values[5]!;
  const denominator = rx * sy - ry * sx;
  const numerator = qx * sy - qy * sx;
  if (denominator === 0n) throw new RangeError("the segments are parallel: they cannot cross properly");
  out[0] = nearestDouble(x0 * denominator + numerator * rx, denominator, exponent);
  out[1] = nearestDouble(y0 * denominator + numerator * ry, denominator, exponent);
}
