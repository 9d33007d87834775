import { orient2d } from "robust-predicates";

/** Splits a double into two halves of 26 bits (Dekker). */
const SPLITTER = 134217729;

/** Below this share of its two products a difference of products is computed again in double length. */
const CANCELLED = 1e-3;

/**
 * Square of the distance of a point to a segment. Exactly 0 when, and only when, the point lies on the segment; else
 * good to a few units in the last place, also for points very near a long segment. A segment of one point is a point.
 */
export function pointSegmentSquared(
  px: number,
  py: number,
  ax: number,
  ay: number,
  bx: number,
  by: number,
): number {
  const dx = bx - ax;
  const dy = by - ay;
  const ex = px - ax;
  const ey = py - ay;
  if (!(ex * dx + ey * dy > 0)) return squareOf(ex, ey);
  const fx = px - bx;
  const fy = py - by;
  if (!(fx * dx + fy * dy < 0)) return squareOf(fx, fy);
  let cross = ex * dy - ey * dx;
  if (Math.abs(cross) <= CANCELLED * (Math.abs(ex * dy) + Math.abs(ey * dx))) {
    cross = exactCross(px, py, ax, ay, bx, by);
  }
  if (cross === 0) return 0;
  // Divided first: the square of a large cross product would overflow where the distance does not.
  const height = cross / Math.sqrt(dx * dx + dy * dy);
  return squareOf(height === 0 ? Number.MIN_VALUE : height, 0);
}

/** `x * x + y * y`, above 0 unless both are 0: a square that vanishes becomes the least number. */
export function squareOf(x: number, y: number): number {
  const square = x * x + y * y;
  return square === 0 && (x !== 0 || y !== 0) ? Number.MIN_VALUE : square;
}

/**
 * Twice the area of triangle `a`, `p`, `b`, in double length: the sign and zero are exact, the value good to rounding.
 */
function exactCross(px: number, py: number, ax: number, ay: number, bx: number, by: number): number {
  const sign = orient2d(ax, ay, bx, by, px, py);
  if (sign === 0) return 0;
  const left = product(difference(px, ax), difference(by, ay));
  const right = product(difference(py, ay), difference(bx, ax));
  const [hi, lo] = difference(left[0], right[0]);
  const cross = hi + (lo + (left[1] - right[1]));
  return cross === 0 ? sign : cross;
}

/** `a - b` as a double and what it rounds off (Knuth). */
function difference(a: number, b: number): readonly [number, number] {
  const hi = a - b;
  const virtual = a - hi;
  return [hi, a - (hi + virtual) + (virtual - b)];
}

/** Product of two numbers of double length. */
function product(a: readonly [number, number], b: readonly [number, number]): readonly [number, number] {
  const hi = a[0] * b[0];
  const ca = SPLITTER * a[0];
  const cb = SPLITTER * b[0];
  const a1 = ca - (ca - a[0]);
  const b1 = cb - (cb - b[0]);
  const a2 = a[0] - a1;
  const b2 = b[0] - b1;
  const lo = a2 * b2 - (hi - a1 * b1 - a2 * b1 - a1 * b2);
  return [hi, lo + (a[0] * b[1] + a[1] * b[0])];
}

/** Whether two closed segments have a point in common. Exact; segments of one point are points. */
export function segmentsMeet(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  cx: number,
  cy: number,
  dx: number,
  dy: number,
): boolean {
  if (
    Math.max(ax, bx) < Math.min(cx, dx) ||
    Math.max(cx, dx) < Math.min(ax, bx) ||
    Math.max(ay, by) < Math.min(cy, dy) ||
    Math.max(cy, dy) < Math.min(ay, by)
  )
    return false;
  const c = orient2d(ax, ay, bx, by, cx, cy);
  const d = orient2d(ax, ay, bx, by, dx, dy);
  if ((c > 0 && d > 0) || (c < 0 && d < 0)) return false;
  const a = orient2d(cx, cy, dx, dy, ax, ay);
  const b = orient2d(cx, cy, dx, dy, bx, by);
  // All zero: on one line, where boxes that meet are segments that meet.
  return !((a > 0 && b > 0) || (a < 0 && b < 0));
}

/** Square of the distance of two segments, 0 exactly when they meet. */
export function segmentSegmentSquared(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  cx: number,
  cy: number,
  dx: number,
  dy: number,
): number {
  if (segmentsMeet(ax, ay, bx, by, cx, cy, dx, dy)) return 0;
  let least = pointSegmentSquared(ax, ay, cx, cy, dx, dy);
  let next = pointSegmentSquared(bx, by, cx, cy, dx, dy);
  if (next < least) least = next;
  next = pointSegmentSquared(cx, cy, ax, ay, bx, by);
  if (next < least) least = next;
  next = pointSegmentSquared(dx, dy, ax, ay, bx, by);
  return next < least ? next : least;
}

/**
 * The points of two segments that are nearest to each other, as `[x1, y1, x2, y2]` from `out[0]` on. Where segments
 * cross, the crossing, rounded.
 */
export function nearestOnSegments(
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
  let least = Infinity;
  const take = (distance: number, px: number, py: number, qx: number, qy: number): void => {
    if (!(distance < least)) return;
    least = distance;
    out[0] = px;
    out[1] = py;
    out[2] = qx;
    out[3] = qy;
  };
  const foot = (px: number, py: number, sx: number, sy: number, tx: number, ty: number): [number, number] => {
    const ux = tx - sx;
    const uy = ty - sy;
    const length = ux * ux + uy * uy;
    const t = length === 0 ? 0 : ((px - sx) * ux + (py - sy) * uy) / length;
    if (!(t > 0)) return [sx, sy];
    if (t >= 1) return [tx, ty];
    // Measured from the nearer end, so that the rounding is that of the shorter piece.
    return t <= 0.5 ? [sx + t * ux, sy + t * uy] : [tx - (1 - t) * ux, ty - (1 - t) * uy];
  };
  let [x, y] = foot(ax, ay, cx, cy, dx, dy);
  take(pointSegmentSquared(ax, ay, cx, cy, dx, dy), ax, ay, x, y);
  [x, y] = foot(bx, by, cx, cy, dx, dy);
  take(pointSegmentSquared(bx, by, cx, cy, dx, dy), bx, by, x, y);
  [x, y] = foot(cx, cy, ax, ay, bx, by);
  take(pointSegmentSquared(cx, cy, ax, ay, bx, by), x, y, cx, cy);
  [x, y] = foot(dx, dy, ax, ay, bx, by);
  take(pointSegmentSquared(dx, dy, ax, ay, bx, by), x, y, dx, dy);
  if (least === 0 || !segmentsMeet(ax, ay, bx, by, cx, cy, dx, dy)) return;
  const a = Math.abs(orient2d(cx, cy, dx, dy, ax, ay));
  const b = Math.abs(orient2d(cx, cy, dx, dy, bx, by));
  const t = a + b > 0 ? a / (a + b) : 0;
  x = t <= 0.5 ? ax + t * (bx - ax) : bx - (1 - t) * (bx - ax);
  y = t <= 0.5 ? ay + t * (by - ay) : by - (1 - t) * (by - ay);
  take(-1, x, y, x, y);
}
