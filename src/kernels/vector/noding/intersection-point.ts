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
    t > 1e-250 &&
    t <= 1 &&
    isWithin(relative * rx, 2.7e-17, x, rx) &&
    isWithin(relative * ry, 2.7e-17, y, ry) &&
    Math.abs(rs) + Math.abs(sr) > 1e-250 &&
    Math.abs(qs) + Math.abs(sq) > 1e-250
  ) {
    out[0] = x;
    out[1] = y;
  } else if (!pairPoint(ax, ay, bx, by, cx, cy, dx, dy, out)) exactPoint(ax, ay, bx, by, cx, cy, dx, dy, out);
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

/** Whether an error is within a share of a coordinate. Never where that share could underflow, but for a segment that does not extend. */
function isWithin(error: number, share: number, value: number, extent: number): boolean {
  const size = Math.abs(value);
  return extent === 0 || (size > 1e-270 && Math.abs(error) <= share * size);
}

/** Where {@link cross} and {@link times} leave their result: high part, low part, and for a cross product the size of its terms. */
const pair = new Float64Array(3);

/**
 * In pairs of doubles (106 bits), after the work of Dekker. False when that may not be enough: then the error of a
 * coordinate could be more than a thousandth of a unit in the last place.
 */
function pairPoint(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  cx: number,
  cy: number,
  dx: number,
  dy: number,
  out: Float64Array,
): boolean {
  const rx = bx - ax;
  const ry = by - ay;
  const sx = dx - cx;
  const sy = dy - cy;
  const qx = cx - ax;
  const qy = cy - ay;
  const rxLow = differenceTail(bx, ax, rx);
  const ryLow = differenceTail(by, ay, ry);
  const sxLow = differenceTail(dx, cx, sx);
  const syLow = differenceTail(dy, cy, sy);
  const qxLow = differenceTail(cx, ax, qx);
  const qyLow = differenceTail(cy, ay, qy);
  cross(rx, rxLow, ry, ryLow, sx, sxLow, sy, syLow);
  const high = pair[0]!;
  const low = pair[1]!;
  const size = pair[2]!;
  cross(qx, qxLow, qy, qyLow, sx, sxLow, sy, syLow);
  if (!(size > 1e-200 && pair[2]! > 1e-200)) return false;
  const relative = 4e-31 * (size / Math.abs(high) + pair[2]! / Math.abs(pair[0]!) + 1);
  // Long division, two digits.
  const t = pair[0]! / high;
  const restHigh = pair[0]!;
  const restLow = pair[1]!;
  times(t, 0, high, low);
  const tLow = (restHigh - pair[0]! + (restLow - pair[1]!)) / high;
  times(t, tLow, rx, rxLow);
  const x = plus(ax);
  const xError = Math.abs(pair[0]!) * relative;
  times(t, tLow, ry, ryLow);
  const y = plus(ay);
  const yError = Math.abs(pair[0]!) * relative;
  if (!(t > 1e-200 && t <= 1 && isWithin(xError, 1e-19, x, rx) && isWithin(yError, 1e-19, y, ry)))
    return false;
  out[0] = x;
  out[1] = y;
  return true;
}

/** What rounding took from `d`, the rounded `a - b`. */
function differenceTail(a: number, b: number, d: number): number {
  const v = a - d;
  return a - (d + v) + (v - b);
}

/** `a d - b c`, of pairs. */
function cross(
  a: number,
  aLow: number,
  b: number,
  bLow: number,
  c: number,
  cLow: number,
  d: number,
  dLow: number,
): void {
  times(a, aLow, d, dLow);
  const high = pair[0]!;
  const low = pair[1]!;
  times(b, bLow, c, cLow);
  const otherHigh = pair[0]!;
  const otherLow = pair[1]!;
  const difference = high - otherHigh;
  const rest = differenceTail(high, otherHigh, difference) + (low - otherLow);
  const sum = difference + rest;
  pair[0] = sum;
  pair[1] = rest - (sum - difference);
  pair[2] = Math.abs(high) + Math.abs(otherHigh);
}

/** Product of two pairs. */
function times(a: number, aLow: number, b: number, bLow: number): void {
  const product = a * b;
  const aSplit = 134217729 * a;
  const aTop = aSplit - (aSplit - a);
  const aRest = a - aTop;
  const bSplit = 134217729 * b;
  const bTop = bSplit - (bSplit - b);
  const bRest = b - bTop;
  const tail = aRest * bRest - (product - aTop * bTop - aRest * bTop - aTop * bRest) + (a * bLow + aLow * b);
  const sum = product + tail;
  pair[0] = sum;
  pair[1] = tail - (sum - product);
}

/** `base` plus the pair of the last result, rounded once. */
function plus(base: number): number {
  const sum = base + pair[0]!;
  const v = sum - base;
  return sum + (base - (sum - v) + (pair[0]! - v) + pair[1]!);
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
