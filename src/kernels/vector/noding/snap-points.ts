import { hashPoint } from "./hash-point.ts";

/**
 * Points that stand for all points nearer to them than a tolerance. First come, first served: a point that is near none
 * becomes one itself, so any two of them are more than the tolerance apart. What a point becomes depends
 * only on the points asked for before it and their order.
 */
export interface SnapPoints {
  readonly tolerance: number;
  count: number;
  /** `[x, y]` each. */
  xy: Float64Array;
  /** First point of each bucket, -1 for none. */
  heads: Int32Array;
  /** The next point of the same bucket. */
  next: Int32Array;
}

export function newSnapPoints(tolerance: number): SnapPoints {
  return {
    tolerance,
    count: 0,
    xy: new Float64Array(128),
    heads: new Int32Array(128).fill(-1),
    next: new Int32Array(64),
  };
}

/** Number of the point that stands for `x, y`: the nearest within the tolerance (the first, of several), or a new one. */
export function snapPoint(points: SnapPoints, x: number, y: number): number {
  const { tolerance, xy, heads, next } = points;
  const mask = heads.length - 1;
  // Squares as large as the tolerance: what is near is in this one or a neighbour.
  const col = Math.floor(x / tolerance);
  const row = Math.floor(y / tolerance);
  let best = -1;
  let bestDistance = tolerance;
  for (let r = row - 1; r <= row + 1; r++) {
    for (let c = col - 1; c <= col + 1; c++) {
      for (let k = heads[hashPoint(c + 0, r + 0) & mask]!; k !== -1; k = next[k]!) {
        const distance = Math.hypot(xy[2 * k]! - x, xy[2 * k + 1]! - y);
        if (distance < bestDistance || (distance === bestDistance && (best === -1 || k < best))) {
          best = k;
          bestDistance = distance;
        }
      }
    }
  }
  return best >= 0 ? best : addPoint(points, x, y, col, row);
}

function addPoint(points: SnapPoints, x: number, y: number, col: number, row: number): number {
  const k = points.count++;
  if (k === points.next.length) grow(points);
  points.xy[2 * k] = x;
  points.xy[2 * k + 1] = y;
  insert(points, k, col, row);
  return k;
}

function insert(points: SnapPoints, k: number, col: number, row: number): void {
  const { heads, next } = points;
  const h = hashPoint(col + 0, row + 0) & (heads.length - 1);
  next[k] = heads[h]!;
  heads[h] = k;
}

function grow(points: SnapPoints): void {
  const size = points.next.length;
  const xy = new Float64Array(4 * size);
  xy.set(points.xy);
  points.xy = xy;
  points.next = new Int32Array(2 * size);
  points.heads = new Int32Array(4 * size).fill(-1);
  for (let k = 0; k < size; k++) {
    insert(
      points,
      k,
      Math.floor(xy[2 * k]! / points.tolerance),
      Math.floor(xy[2 * k + 1]! / points.tolerance),
    );
  }
}
