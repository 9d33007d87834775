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
 * Number along the Hilbert curve of order 16 of a cell, `0 <= x, y < 65536`; one quadrant a step. The four ways in which
 * the curve can lie in a quadrant (axes exchanged or not, turned around or not) are states of a little machine.
 */
function hilbert(x: number, y: number): number {
  let d = 0;
  let state = 0;
  for (let bit = 15; bit >= 0; bit--) {
    const step = STEPS[(state << 2) | (((x >>> bit) & 1) << 1) | ((y >>> bit) & 1)]!;
    d = (d << 2) | (step & 3);
    state = step >>> 2;
  }
  return d >>> 0;
}

/** By state and quadrant: the quadrant's number along the curve, and four times the next state. */
const STEPS: Uint8Array = hilbertSteps();

function hilbertSteps(): Uint8Array {
  const steps = new Uint8Array(16);
  for (let state = 0; state < 4; state++) {
    const exchanged = state >> 1;
    const turned = state & 1;
    for (let quadrant = 0; quadrant < 4; quadrant++) {
      const x = (quadrant >> 1) ^ turned;
      const y = (quadrant & 1) ^ turned;
      const across = exchanged === 1 ? y : x;
      const up = exchanged === 1 ? x : y;
      const next = ((exchanged ^ (1 - up)) << 1) | (turned ^ (across & (1 - up)));
      steps[(state << 2) | quadrant] = (next << 2) | ((3 * across) ^ up);
    }
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
