/** Points sorted by x, then y; found by halving. */
export interface PointSet {
  /** `[x, y]` each. */
  readonly xy: Float64Array;
  readonly count: number;
}

export const NO_POINTS: PointSet = { xy: new Float64Array(0), count: 0 };

/** The first `count` of `points`, sorted. Of those that occur several times, `keepOdd` keeps the ones that do so oddly often. */
export function pointSet(points: Float64Array, count: number, keepOdd: boolean): PointSet {
  if (count === 0) return NO_POINTS;
  const order = new Uint32Array(count);
  for (let k = 0; k < count; k++) order[k] = k;
  order.sort((i, j) => points[2 * i]! - points[2 * j]! || points[2 * i + 1]! - points[2 * j + 1]!);
  const xy = new Float64Array(2 * count);
  let n = 0;
  for (let k = 0; k < count; ) {
    const x = points[2 * order[k]!]!;
    const y = points[2 * order[k]! + 1]!;
    const start = k;
    do k++;
    while (k < count && points[2 * order[k]!] === x && points[2 * order[k]! + 1] === y);
    if (keepOdd && (k - start) % 2 === 0) continue;
    xy[2 * n] = x;
    xy[2 * n + 1] = y;
    n++;
  }
  return { xy, count: n };
}

/** Whether (x, y) is one of them. O(log n). */
export function hasPoint(set: PointSet, x: number, y: number): boolean {
  const { xy } = set;
  let low = 0;
  let high = set.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const px = xy[2 * middle]!;
    if (px < x || (px === x && xy[2 * middle + 1]! < y)) low = middle + 1;
    else high = middle;
  }
  return low < set.count && xy[2 * low] === x && xy[2 * low + 1] === y;
}
