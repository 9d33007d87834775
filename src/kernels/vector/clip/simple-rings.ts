import { buildBoxTree, newHits, searchBoxes } from "../box-tree.ts";
import { side } from "../noding/exact.ts";

/** Edges that share a box; pairs of edges are only looked at where two such boxes meet. */
const CHUNK = 8;
/** Edges from which on an index is built instead of comparing all boxes with each other. */
const INDEX_FROM = 4096;

/** Scratch, grown as needed. */
let boxes: Float64Array = new Float64Array(4 * 64);

/**
 * Whether the rings `first .. rings - 1`, which should have no point in common with themselves or each other, do. Ring
 * `r` owns vertices `starts[r] .. starts[r + 1] - 1` of `xy`; the first vertex is not repeated at its end and no vertex follows itself.
 * Exact. A touch counts as much as a crossing. O(n) for rings without long edges, up to about n^2 / 128 comparisons of boxes.
 */
export function ringsMeet(xy: Float64Array, starts: Int32Array, first: number, rings: number): boolean {
  const base = starts[first]!;
  const count = starts[rings]!;
  const chunks = Math.ceil((count - base) / CHUNK);
  if (4 * chunks > boxes.length) boxes = new Float64Array(8 * chunks);
  let ring = first;
  for (let chunk = 0; chunk < chunks; chunk++) {
    let minX = Infinity;
    let minY = Infinity;
    let maxX = -Infinity;
    let maxY = -Infinity;
    const end = Math.min(count, base + (chunk + 1) * CHUNK);
    for (let i = base + chunk * CHUNK; i < end; i++) {
      while (i >= starts[ring + 1]!) ring++;
      const j = i + 1 === starts[ring + 1]! ? starts[ring]! : i + 1;
      const x1 = xy[2 * i]!;
      const y1 = xy[2 * i + 1]!;
      const x2 = xy[2 * j]!;
      const y2 = xy[2 * j + 1]!;
      minX = Math.min(minX, x1, x2);
      minY = Math.min(minY, y1, y2);
      maxX = Math.max(maxX, x1, x2);
      maxY = Math.max(maxY, y1, y2);
    }
    boxes[4 * chunk] = minX;
    boxes[4 * chunk + 1] = minY;
    boxes[4 * chunk + 2] = maxX;
    boxes[4 * chunk + 3] = maxY;
  }
  if (count >= INDEX_FROM) return indexedMeet(xy, starts, first, rings, chunks);
  for (let a = 0; a < chunks; a++) {
    const minX = boxes[4 * a]!;
    const minY = boxes[4 * a + 1]!;
    const maxX = boxes[4 * a + 2]!;
    const maxY = boxes[4 * a + 3]!;
    for (let b = a; b < chunks; b++) {
      if (
        boxes[4 * b]! <= maxX &&
        boxes[4 * b + 1]! <= maxY &&
        boxes[4 * b + 2]! >= minX &&
        boxes[4 * b + 3]! >= minY &&
        chunksMeet(xy, starts, first, rings, a, b)
      )
        return true;
    }
  }
  return false;
}

function indexedMeet(
  xy: Float64Array,
  starts: Int32Array,
  first: number,
  rings: number,
  chunks: number,
): boolean {
  const own = boxes.slice(0, 4 * chunks);
  const tree = buildBoxTree(own, true);
  const hits = newHits();
  for (let a = 0; a < chunks; a++) {
    const found = searchBoxes(tree, own[4 * a]!, own[4 * a + 1]!, own[4 * a + 2]!, own[4 * a + 3]!, hits);
    for (let k = 0; k < found; k++) {
      if (hits.values[k]! >= a && chunksMeet(xy, starts, first, rings, a, hits.values[k]!)) return true;
    }
  }
  return false;
}

function chunksMeet(
  xy: Float64Array,
  starts: Int32Array,
  first: number,
  rings: number,
  a: number,
  b: number,
): boolean {
  const base = starts[first]!;
  const count = starts[rings]!;
  const startA = base + a * CHUNK;
  const startB = base + b * CHUNK;
  const endA = Math.min(count, startA + CHUNK);
  const endB = Math.min(count, startB + CHUNK);
  let ringA = ringOf(starts, first, rings, startA);
  const firstRingB = ringOf(starts, first, rings, startB);
  for (let i = startA; i < endA; i++) {
    while (i >= starts[ringA + 1]!) ringA++;
    const afterI = i + 1 === starts[ringA + 1]! ? starts[ringA]! : i + 1;
    const ax = xy[2 * i]!;
    const ay = xy[2 * i + 1]!;
    const bx = xy[2 * afterI]!;
    const by = xy[2 * afterI + 1]!;
    const minX = ax < bx ? ax : bx;
    const maxX = ax < bx ? bx : ax;
    const minY = ay < by ? ay : by;
    const maxY = ay < by ? by : ay;
    let ringB = a === b ? ringA : firstRingB;
    for (let j = a === b ? i + 1 : startB; j < endB; j++) {
      while (j >= starts[ringB + 1]!) ringB++;
      const afterJ = j + 1 === starts[ringB + 1]! ? starts[ringB]! : j + 1;
      const cx = xy[2 * j]!;
      const cy = xy[2 * j + 1]!;
      const dx = xy[2 * afterJ]!;
      const dy = xy[2 * afterJ + 1]!;
      if (
        (cx < minX && dx < minX) ||
        (cx > maxX && dx > maxX) ||
        (cy < minY && dy < minY) ||
        (cy > maxY && dy > maxY)
      )
        continue;
      if (afterI === j) {
        if (turnsBack(ax, ay, bx, by, dx, dy)) return true;
        // Two vertices: each edge follows the other.
        if (afterJ === i) return true;
      } else if (afterJ === i) {
        if (turnsBack(cx, cy, ax, ay, bx, by)) return true;
      } else if (meet(ax, ay, bx, by, cx, cy, dx, dy)) return true;
    }
  }
  return false;
}

/** Ring, of `first .. end - 1`, that a vertex belongs to. */
export function ringOf(starts: Int32Array, first: number, end: number, vertex: number): number {
  let low = first;
  let high = end - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (vertex < starts[middle + 1]!) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Whether the way from `a` to `b` is followed by one from `b` to `c` that runs back along it. */
function turnsBack(ax: number, ay: number, bx: number, by: number, cx: number, cy: number): boolean {
  return side(ax, ay, bx, by, cx, cy) === 0 && (ax - bx) * (cx - bx) + (ay - by) * (cy - by) >= 0;
}

function meet(
  ax: number,
  ay: number,
  bx: number,
  by: number,
  cx: number,
  cy: number,
  dx: number,
  dy: number,
): boolean {
  const c = side(ax, ay, bx, by, cx, cy);
  const d = side(ax, ay, bx, by, dx, dy);
  if ((c > 0 && d > 0) || (c < 0 && d < 0)) return false;
  const a = side(cx, cy, dx, dy, ax, ay);
  const b = side(cx, cy, dx, dy, bx, by);
  return !((a > 0 && b > 0) || (a < 0 && b < 0));
}

/**
 * Whether a point lies inside by the even-odd rule of the rings `first .. end - 1`, given as for {@link ringsMeet}. For points on
 * no ring. Exact.
 */
export function insideRings(
  xy: Float64Array,
  starts: Int32Array,
  first: number,
  end: number,
  x: number,
  y: number,
): boolean {
  let inside = false;
  for (let ring = first; ring < end; ring++) {
    const last = starts[ring + 1]! - 1;
    let x1 = xy[2 * last]!;
    let y1 = xy[2 * last + 1]!;
    for (let i = starts[ring]!; i <= last; i++) {
      const x2 = xy[2 * i]!;
      const y2 = xy[2 * i + 1]!;
      if (y1 <= y !== y2 <= y) {
        if (x1 > x && x2 > x) inside = !inside;
        else if ((x1 > x || x2 > x) && side(x1, y1, x2, y2, x, y) > 0 !== y2 > y1) inside = !inside;
      }
      x1 = x2;
      y1 = y2;
    }
  }
  return inside;
}
