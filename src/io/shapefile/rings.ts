import Flatbush from "flatbush";

/** Holes are looked for in an index of the shells when there are more pairs than this. */
const MANY_PAIRS = 4096;

/**
 * Which ring of a polygon record belongs to which: `owner[r]` is the shell of a hole, or `r` itself for a shell.
 *
 * As GDAL does it: clockwise rings are shells. When there is one only, the others are its holes, but for those that
 * lie apart from it altogether, which are polygons of their own (some writers turn all rings but the first around).
 * With several, a hole belongs to the smallest shell that it lies in, and a counter-clockwise ring in none is a polygon
 * of its own; rings without area count as counter-clockwise. A record whose largest ring runs counter-clockwise was
 * written the wrong way round and is read so.
 *
 * @param xy      `[x0, y0, x1, y1, ...]`
 * @param starts  Ring `r` has the vertices `starts[r] .. starts[r + 1] - 1`; length at least `count + 1`.
 * @param owner   Written; length at least `count`.
 */
export function organizeRings(xy: Float64Array, starts: Int32Array, count: number, owner: Int32Array): void {
  /** Signed, negative for shells. */
  const areas = new Float64Array(count);
  const boxes = new Float64Array(4 * count);
  let largest = 0;
  for (let r = 0; r < count; r++) {
    areas[r] = measure(xy, starts[r]!, starts[r + 1]!, boxes, 4 * r);
    if (Math.abs(areas[r]!) > Math.abs(areas[largest]!)) largest = r;
  }
  if (areas[largest]! > 0) for (let r = 0; r < count; r++) areas[r] = -areas[r]!;
  const shells: number[] = [];
  for (let r = 0; r < count; r++) if (areas[r]! < 0) shells.push(r);
  if (shells.length === 1) {
    for (let r = 0; r < count; r++) owner[r] = boxesMeet(boxes, shells[0]!, r) ? shells[0]! : r;
    return;
  }
  const find = shellFinder(boxes, shells, count);
  for (let r = 0; r < count; r++) {
    owner[r] = r;
    if (areas[r]! < 0) continue;
    let smallest = Infinity;
    for (const shell of find(r)) {
      const size = -areas[shell]!;
      if (size < areas[r]! || size > smallest) continue;
      if (boxContains(boxes, shell, r) && ringInside(xy, starts, r, shell)) {
        smallest = size;
        owner[r] = shell;
      }
    }
  }
}

/** Shells whose boxes may hold that of a ring: all of them, or through an index when there are many. */
function shellFinder(
  boxes: Float64Array,
  shells: readonly number[],
  count: number,
): (ring: number) => readonly number[] {
  if (shells.length * (count - shells.length + 1) <= MANY_PAIRS) return () => shells;
  const index = new Flatbush(shells.length);
  for (const shell of shells)
    index.add(boxes[4 * shell]!, boxes[4 * shell + 1]!, boxes[4 * shell + 2]!, boxes[4 * shell + 3]!);
  index.finish();
  return (ring) => {
    // Whatever holds the ring's box holds its lower left corner.
    const x = boxes[4 * ring]!;
    const y = boxes[4 * ring + 1]!;
    return index
      .search(x, y, x, y)
      .sort((a, b) => a - b)
      .map((i) => shells[i]!);
  };
}

/** Box of a ring into `boxes`; returns its signed area, positive when counter-clockwise. */
function measure(xy: Float64Array, start: number, end: number, boxes: Float64Array, at: number): number {
  let minX = Infinity;
  let minY = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  for (let v = start; v < end; v++) {
    const x = xy[2 * v]!;
    const y = xy[2 * v + 1]!;
    if (x < minX) minX = x;
    if (x > maxX) maxX = x;
    if (y < minY) minY = y;
    if (y > maxY) maxY = y;
  }
  boxes[at] = minX;
  boxes[at + 1] = minY;
  boxes[at + 2] = maxX;
  boxes[at + 3] = maxY;
  return signedArea(xy, start, end);
}

/**
 * Signed area of vertices `start .. end - 1`, positive when counter-clockwise; the ring may be closed or not. About
 * the first vertex, so that coordinates far from the origin lose no digits.
 */
export function signedArea(xy: Float64Array, start: number, end: number): number {
  const ox = xy[2 * start]!;
  const oy = xy[2 * start + 1]!;
  let twice = 0;
  for (let v = start + 1; v < end - 1; v++) {
    const ax = xy[2 * v]! - ox;
    const ay = xy[2 * v + 1]! - oy;
    const bx = xy[2 * v + 2]! - ox;
    const by = xy[2 * v + 3]! - oy;
    twice += ax * by - ay * bx;
  }
  return twice / 2;
}

function boxContains(boxes: Float64Array, outer: number, inner: number): boolean {
  const o = 4 * outer;
  const i = 4 * inner;
  return (
    boxes[o]! <= boxes[i]! &&
    boxes[o + 1]! <= boxes[i + 1]! &&
    boxes[o + 2]! >= boxes[i + 2]! &&
    boxes[o + 3]! >= boxes[i + 3]!
  );
}

function boxesMeet(boxes: Float64Array, a: number, b: number): boolean {
  const i = 4 * a;
  const j = 4 * b;
  return (
    boxes[i]! <= boxes[j + 2]! &&
    boxes[i + 2]! >= boxes[j]! &&
    boxes[i + 1]! <= boxes[j + 3]! &&
    boxes[i + 3]! >= boxes[j + 1]!
  );
}

/** Whether ring `inner` lies in ring `outer`, told by its first vertex that is not on the outer ring's line. */
function ringInside(xy: Float64Array, starts: Int32Array, inner: number, outer: number): boolean {
  for (let v = starts[inner]!; v < starts[inner + 1]!; v++) {
    const side = pointSide(xy, starts[outer]!, starts[outer + 1]!, xy[2 * v]!, xy[2 * v + 1]!);
    if (side !== 0) return side > 0;
  }
  // Every vertex touches: the middle of the first edge decides.
  const v = starts[inner]!;
  if (starts[inner + 1]! - v < 2) return false;
  const x = (xy[2 * v]! + xy[2 * v + 2]!) / 2;
  const y = (xy[2 * v + 1]! + xy[2 * v + 3]!) / 2;
  return pointSide(xy, starts[outer]!, starts[outer + 1]!, x, y) >= 0;
}

/** 1 inside the ring, -1 outside, 0 on its line. Even-odd rule. */
function pointSide(xy: Float64Array, start: number, end: number, x: number, y: number): number {
  let inside = false;
  let ax = xy[2 * end - 2]!;
  let ay = xy[2 * end - 1]!;
  for (let v = start; v < end; v++) {
    const bx = xy[2 * v]!;
    const by = xy[2 * v + 1]!;
    if (ay > y !== by > y) {
      const cross = (bx - ax) * (y - ay) - (x - ax) * (by - ay);
      if (cross === 0) return 0;
      if (cross > 0 === by > ay) inside = !inside;
    } else if (y === ay && y === by && (x - ax) * (x - bx) <= 0) return 0;
    else if (x === bx && y === by) return 0;
    ax = bx;
    ay = by;
  }
  return inside ? 1 : -1;
}
