import { side } from "./exact.ts";

/**
 * Whether two segments have a point in common that is not an end of both: exact. Equal segments, in the same or
 * the opposite direction, do not count; neither does a segment of no length.
 */
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
    (cx > ax && cx > bx && dx > ax && dx > bx) ||
    (cx < ax && cx < bx && dx < ax && dx < bx) ||
    (cy > ay && cy > by && dy > ay && dy > by) ||
    (cy < ay && cy < by && dy < ay && dy < by)
  )
    return false;
  if ((ax === bx && ay === by) || (cx === dx && cy === dy)) return false;
  const c = side(ax, ay, bx, by, cx, cy);
  const d = side(ax, ay, bx, by, dx, dy);
  if ((c > 0 && d > 0) || (c < 0 && d < 0)) return false;
  if (c === 0 && isBetween(ax, ay, bx, by, cx, cy)) return true;
  if (d === 0 && isBetween(ax, ay, bx, by, dx, dy)) return true;
  if (c === 0 && d === 0) return isBetween(cx, cy, dx, dy, ax, ay) || isBetween(cx, cy, dx, dy, bx, by);
  if (c === 0 || d === 0) return false;
  const a = side(cx, cy, dx, dy, ax, ay);
  const b = side(cx, cy, dx, dy, bx, by);
  return !((a > 0 && b > 0) || (a < 0 && b < 0));
}

/** Whether a point on the line through `a` and `b` is between them, ends not included. */
export function isBetween(ax: number, ay: number, bx: number, by: number, x: number, y: number): boolean {
  if ((x === ax && y === ay) || (x === bx && y === by)) return false;
  return (x >= ax ? x <= bx : x >= bx) && (y >= ay ? y <= by : y >= by);
}

/** Whether a line turns straight back at its vertex `v`, exactly: the segment after it lies on the one before it, or beyond. */
export function turnsBack(xy: Float64Array, v: number): boolean {
  const ax = xy[2 * v - 2]!;
  const ay = xy[2 * v - 1]!;
  const bx = xy[2 * v]!;
  const by = xy[2 * v + 1]!;
  const cx = xy[2 * v + 2]!;
  const cy = xy[2 * v + 3]!;
  // Back in x, back in y, and on one line. Nearly all vertices fail the first two.
  if (bx > ax ? cx > bx : bx < ax ? cx < bx : cx !== bx) return false;
  if (by > ay ? cy > by : by < ay ? cy < by : cy !== by) return false;
  return side(ax, ay, bx, by, cx, cy) === 0;
}
