/**
 * Positions `0 .. count - 1` in the order of a Hilbert curve over the points `(x[k * stride], y...)` of `xy`:
 * point `k` is `(xy[stride * k], xy[stride * k + 1])`. Points that are not finite come first. Ties keep their order.
 * O(n), by a radix sort.
 */
export function hilbertOrder(xy: Float64Array, count: number, stride: number): Int32Array {
  let minX = Infinity;
  let minY = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  for (let k = 0; k < count; k++) {
    const x = xy[stride * k]!;
    const y = xy[stride * k + 1]!;
    if (x < minX) minX = x;
    if (x > maxX) maxX = x;
    if (y < minY) minY = y;
    if (y > maxY) maxY = y;
  }
  const scaleX = 65535 / (maxX - minX || 1);
  const scaleY = 65535 / (maxY - minY || 1);
  const keys = new Uint32Array(count);
  for (let k = 0; k < count; k++) {
    keys[k] = hilbert((scaleX * (xy[stride * k]! - minX)) | 0, (scaleY * (xy[stride * k + 1]! - minY)) | 0);
  }
  return radixOrder(keys);
}

/**
 * Number along the Hilbert curve of order 16 of a cell, `0 <= x, y < 65536`, two bits of each a step. The four ways in
 * which the curve can lie in a quadrant (axes exchanged or not, turned around or not) are states of a little machine.
 */
function hilbert(x: number, y: number): number {
  let d = 0;
  let state = 0;
  for (let bit = 14; bit >= 0; bit -= 2) {
    const step = STEPS[state | (((x >>> bit) & 3) << 2) | ((y >>> bit) & 3)]!;
    d = (d << 4) | (step & 15);
    state = step & 0x30;
  }
  return d >>> 0;
}

/** By state (times 16) and two bits of x and y: four bits of the number along the curve, and the next state (times 16). */
const STEPS: Uint8Array = hilbertSteps();

function hilbertSteps(): Uint8Array {
  const steps = new Uint8Array(64);
  for (let at = 0; at < 64; at++) {
    let exchanged = at >> 5;
    let turned = (at >> 4) & 1;
    let digits = 0;
    for (let bit = 1; bit >= 0; bit--) {
      const x = ((at >> (2 + bit)) & 1) ^ turned;
      const y = ((at >> bit) & 1) ^ turned;
      const across = exchanged === 1 ? y : x;
      const up = exchanged === 1 ? x : y;
      digits = (digits << 2) | ((3 * across) ^ up);
      if (up === 0) {
        exchanged ^= 1;
        turned ^= across;
      }
    }
    steps[at] = (exchanged << 5) | (turned << 4) | digits;
  }
  return steps;
}

/** Stable order of 32-bit keys, three passes of 11 bits. */
export function radixOrder(keys: Uint32Array): Int32Array {
  const count = keys.length;
  let from = new Int32Array(count);
  for (let k = 0; k < count; k++) from[k] = k;
  let to = new Int32Array(count);
  const starts = new Int32Array(2048);
  for (let shift = 0; shift < 33; shift += 11) {
    starts.fill(0);
    for (let k = 0; k < count; k++) starts[(keys[k]! >>> shift) & 2047]!++;
    let sum = 0;
    for (let digit = 0; digit < 2048; digit++) {
      const n = starts[digit]!;
      starts[digit] = sum;
      sum += n;
    }
    for (let k = 0; k < count; k++) {
      const i = from[k]!;
      to[starts[(keys[i]! >>> shift) & 2047]!++] = i;
    }
    [from, to] = [to, from];
  }
  return from;
}
