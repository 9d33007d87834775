/** Largest coordinate on the grid of the Hilbert curve: 16 bits an axis. */
export const HILBERT_MAX = 65535;

/**
 * Place of cell `(x, y)` on a Hilbert curve over a 65536 x 65536 grid, 0 to 2^32 - 1. Coordinates are whole numbers
 * from 0 to {@link HILBERT_MAX}. The curve is the one that FlatGeobuf's writers use: it begins at `(0, 0)` and ends at
 * `(65535, 0)`.
 *
 * One quadrant a step, from the largest: the two top bits say which quarter of the curve, then the quadrant is turned
 * so that its own curve begins at `(0, 0)` again.
 */
export function hilbertValue(x: number, y: number): number {
  let value = 0;
  for (let bit = 15; bit >= 0; bit--) {
    const right = (x >> bit) & 1;
    const upper = (y >> bit) & 1;
    value = (value << 2) | ((3 * right) ^ upper);
    if (upper === 0) {
      if (right === 1) {
        x = ~x;
        y = ~y;
      }
      const swap = x;
      x = y;
      y = swap;
    }
  }
  return value >>> 0;
}

/**
 * Bounds `[minX, minY, maxX, maxY]` of many boxes, skipping empty ones (`minX > maxX`) and NaN;
 * `[Infinity, Infinity, -Infinity, -Infinity]` when nothing is left.
 *
 * @param boxes  `[minX, minY, maxX, maxY]` each; length at least `4 * count`.
 */
export function boxesExtent(
  boxes: Float64Array,
  count: number,
): [minX: number, minY: number, maxX: number, maxY: number] {
  let minX = Infinity;
  let minY = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  for (let i = 0; i < 4 * count; i += 4) {
    if (!(boxes[i]! <= boxes[i + 2]! && boxes[i + 1]! <= boxes[i + 3]!)) continue;
    if (boxes[i]! < minX) minX = boxes[i]!;
    if (boxes[i + 1]! < minY) minY = boxes[i + 1]!;
    if (boxes[i + 2]! > maxX) maxX = boxes[i + 2]!;
    if (boxes[i + 3]! > maxY) maxY = boxes[i + 3]!;
  }
  return [minX, minY, maxX, maxY];
}

/**
 * Hilbert value of the centre of every box, on a grid of 65536 x 65536 cells over the extent of all boxes, as
 * FlatGeobuf's reference writer reckons it. Empty boxes get 0. Length = `count`.
 */
export function hilbertValues(boxes: Float64Array, count: number): Uint32Array {
  const [minX, minY, maxX, maxY] = boxesExtent(boxes, count);
  const width = maxX - minX;
  const height = maxY - minY;
  const values = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const left = boxes[4 * i]!;
    const bottom = boxes[4 * i + 1]!;
    const right = boxes[4 * i + 2]!;
    const top = boxes[4 * i + 3]!;
    if (!(left <= right && bottom <= top)) continue;
    // Halves first, so that the sum of two huge coordinates does not overflow.
    const x = width > 0 ? cell((left / 2 + right / 2 - minX) / width) : 0;
    const y = height > 0 ? cell((bottom / 2 + top / 2 - minY) / height) : 0;
    values[i] = hilbertValue(x, y);
  }
  return values;
}

function cell(share: number): number {
  const at = Math.floor(HILBERT_MAX * share);
  return at > 0 ? Math.min(at, HILBERT_MAX) : 0;
}

/**
 * Positions of boxes in descending Hilbert order, FlatGeobuf's order; equal values keep the order of the input and
 * empty boxes come last, so the result depends on the boxes alone. Linear time, 12 bytes a box.
 *
 * @param boxes  `[minX, minY, maxX, maxY]` each; `minX > maxX` is empty (a null geometry).
 * @returns Length = `count`.
 */
export function hilbertOrder(boxes: Float64Array, count: number = boxes.length / 4): Uint32Array {
  const keys = hilbertValues(boxes, count);
  // Radix sort, 16 bits at a time, on inverted keys: stable, so ties keep their order.
  for (let i = 0; i < count; i++) keys[i] = ~keys[i]! >>> 0;
  let order = new Uint32Array(count);
  let next = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  const starts = new Uint32Array(65537);
  for (const shift of [0, 16]) {
    starts.fill(0);
    for (let i = 0; i < count; i++) starts[((keys[i]! >>> shift) & 0xffff) + 1]!++;
    for (let digit = 0; digit < 65536; digit++) starts[digit + 1]! += starts[digit]!;
    for (let i = 0; i < count; i++) {
      const row = order[i]!;
      next[starts[(keys[row]! >>> shift) & 0xffff]!++] = row;
    }
    [order, next] = [next, order];
  }
  // Empty boxes to the end.
  let kept = 0;
  let empty = 0;
  for (let i = 0; i < count; i++) {
    const row = order[i]!;
    if (boxes[4 * row]! <= boxes[4 * row + 2]! && boxes[4 * row + 1]! <= boxes[4 * row + 3]!)
      order[kept++] = row;
    else next[empty++] = row;
  }
  next.subarray(0, empty).sort();
  order.set(next.subarray(0, empty), kept);
  return order;
}
