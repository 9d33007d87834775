import { searchBoxes } from "./box-tree.ts";
import { side } from "./noding/exact.ts";
import { locate, type PreparedRegion } from "./region.ts";

/**
 * A segment cut where the boundary of a region meets it. Cut `k` is at `t[k]` (0 at the start, 1 at the end) and
 * `(x[k], y[k])`; the first and last are the ends of the segment. Piece `k` runs from cut `k` to cut `k + 1` and
 * lies `state[k]`: inside 1, on the boundary 0, outside -1. Reused from segment to segment.
 */
export interface Cuts {
  count: number;
  t: Float64Array;
  x: Float64Array;
  y: Float64Array;
  state: Int8Array;
  /** Whether any boundary meets the segment, in a point or along it. */
  met: boolean;
  /** Stretches that run along edges of the region: pairs of `t`. */
  along: number[];
}

export function newCuts(): Cuts {
  return {
    count: 0,
    t: new Float64Array(16),
    x: new Float64Array(16),
    y: new Float64Array(16),
    state: new Int8Array(16),
    met: false,
    along: [],
  };
}

/**
 * Cut the segment from `a` to `b` by the boundary of the union of a region's polygons. Whether and where in the
 * order of things edges meet is decided exactly; only the coordinates of a crossing are rounded. Ends that
 * touch keep their bits: a cut at a vertex of either side has the coordinates of that vertex.
 *
 * @param known  Where the start lies, when the caller knows: saves a search when nothing is met. `null` otherwise.
 */
export function cutSegment(
  region: PreparedRegion,
  ax: number,
  ay: number,
  bx: number,
  by: number,
  known: number | null,
  out: Cuts,
): void {
  const { edges, inner, tree, hits } = region;
  out.count = 0;
  out.met = false;
  out.along.length = 0;
  push(out, 0, ax, ay);
  const found = searchBoxes(
    tree,
    Math.min(ax, bx),
    Math.min(ay, by),
    Math.max(ax, bx),
    Math.max(ay, by),
    hits,
  );
  for (let k = 0; k < found; k++) {
    const i = hits.values[k]!;
    if (inner[i] === 0)
      meet(ax, ay, bx, by, edges[4 * i]!, edges[4 * i + 1]!, edges[4 * i + 2]!, edges[4 * i + 3]!, out);
  }
  push(out, 1, bx, by);
  if (!out.met) {
    out.state[0] = known ?? locate(region, ax, ay);
    return;
  }
  sortCuts(out);
  const { t, x, y, state } = out;
  for (let k = 0; k + 1 < out.count; k++) {
    // Rounding may put the middle of a stretch beside the edge it runs along: such stretches are known.
    state[k] = isAlong(out.along, t[k]!, t[k + 1]!)
      ? 0
      : locate(region, (x[k]! + x[k + 1]!) / 2, (y[k]! + y[k + 1]!) / 2);
  }
}

/** Add the cuts that edge `c d` makes in segment `a b`. */
function meet(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  cx: number,
  cy: number,
  dx: number,
  dy: number,
  out: Cuts,
): void {
  const c = side(ax, ay, bx, by, cx, cy);
  const d = side(ax, ay, bx, by, dx, dy);
  if ((c > 0 && d > 0) || (c < 0 && d < 0)) return;
  const a = side(cx, cy, dx, dy, ax, ay);
  const b = side(cx, cy, dx, dy, bx, by);
  if ((a > 0 && b > 0) || (a < 0 && b < 0)) return;
  if (c === 0 && d === 0) {
    if (ax === bx && ay === by) {
      // A segment of no length: on the edge or beside it.
      if (between(cx, dx, ax) && between(cy, dy, ay)) out.met = true;
      return;
    }
    const tc = along(ax, ay, bx, by, cx, cy);
    const td = along(ax, ay, bx, by, dx, dy);
    const from = Math.max(0, Math.min(tc, td));
    const to = Math.min(1, Math.max(tc, td));
    if (from > to) return;
    out.met = true;
    if (from < to) out.along.push(from, to);
    if (tc > 0 && tc < 1) push(out, tc, cx, cy);
    if (td > 0 && td < 1) push(out, td, dx, dy);
    return;
  }
  out.met = true;
  if (a === 0 || b === 0) return; // at an end of the segment, which is a cut already
  if (c === 0) push(out, along(ax, ay, bx, by, cx, cy), cx, cy);
  else if (d === 0) push(out, along(ax, ay, bx, by, dx, dy), dx, dy);
  else {
    const t = a / (a - b);
    // On an edge along an axis the crossing has its coordinate, so that a cut to a box ends on the box.
    push(out, t, cx === dx ? cx : ax + t * (bx - ax), cy === dy ? cy : ay + t * (by - ay));
  }
}

/** Place on the line through `a` and `b` of a point on it; 0 at `a`, 1 at `b`. */
function along(ax: number, ay: number, bx: number, by: number, px: number, py: number): number {
  if (Math.abs(bx - ax) >= Math.abs(by - ay)) {
    if (px === bx) return 1;
    return (px - ax) / (bx - ax);
  }
  if (py === by) return 1;
  return (py - ay) / (by - ay);
}

function between(a: number, b: number, value: number): boolean {
  return a < b ? a <= value && value <= b : b <= value && value <= a;
}

function isAlong(stretches: readonly number[], from: number, to: number): boolean {
  for (let k = 0; k < stretches.length; k += 2) {
    if (stretches[k]! <= from && stretches[k + 1]! >= to) return true;
  }
  return false;
}

function push(out: Cuts, t: number, x: number, y: number): void {
  const at = out.count++;
  if (at === out.t.length) {
    out.t = doubled(out.t);
    out.x = doubled(out.x);
    out.y = doubled(out.y);
    const state = new Int8Array(2 * at);
    state.set(out.state);
    out.state = state;
  }
  out.t[at] = t;
  out.x[at] = x;
  out.y[at] = y;
}

function doubled(values: Float64Array): Float64Array {
  const grown = new Float64Array(2 * values.length);
  grown.set(values);
  return grown;
}

/** Sort cuts along the segment and drop repeats; the ends stay first and last. */
function sortCuts(out: Cuts): void {
  const { t, x, y } = out;
  const last = out.count - 1;
  for (let i = 1; i < last; i++) {
    const ti = t[i]!;
    const xi = x[i]!;
    const yi = y[i]!;
    let j = i - 1;
    while (j >= 1 && t[j]! > ti) {
      t[j + 1] = t[j]!;
      x[j + 1] = x[j]!;
      y[j + 1] = y[j]!;
      j--;
    }
    t[j + 1] = ti;
    x[j + 1] = xi;
    y[j + 1] = yi;
  }
  let n = 1;
  for (let i = 1; i < last; i++) {
    const repeats = (x[i] === x[n - 1] && y[i] === y[n - 1]) || (x[i] === x[last] && y[i] === y[last]);
    if (repeats) continue;
    t[n] = t[i]!;
    x[n] = x[i]!;
    y[n] = y[i]!;
    n++;
  }
  if (n !== last) {
    t[n] = t[last]!;
    x[n] = x[last]!;
    y[n] = y[last]!;
  }
  out.count = n + 1;
}
