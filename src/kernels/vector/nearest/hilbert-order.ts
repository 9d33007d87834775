/** Coordinates that the extent is estimated from. */
const SAMPLE = 1000;

/**
 * Positions `0 .. count - 1` in the order of a Hilbert curve: point `k` is `(xy[stride * k], xy[stride * k + 1])`. Points
 * far outside where nearly all are lie on the border of the curve, so that a wrong coordinate or two do not push all others
 * into one cell. Points that are not finite come anywhere. Ties keep their order. O(n), by a radix sort.
 */
export function hilbertOrder(xy: Float64Array, count: number, stride: number): Int32Array {
  const [minX, maxX] = extent(xy, 0, count, stride);
  const [minY, maxY] = extent(xy, 1, count, stride);
  const scaleX = 65535 / (maxX - minX || 1);
  const scaleY = 65535 / (maxY - minY || 1);
  const keys = new Uint32Array(count);
  for (let k = 0; k < count; k++) {
    const x = scaleX * (xy[stride * k]! - minX);
    const y = scaleY * (xy[stride * k + 1]! - minY);
    keys[k] = hilbert(x > 0 ? (x < 65535 ? x | 0 : 65535) : 0, y > 0 ? (y < 65535 ? y | 0 : 65535) : 0);
  }
  return radixOrder(keys);
}

/** Where coordinates lie, but for a few: the middle 96 % of a sample and half of that on both sides, as far as there are any. */
function extent(xy: Float64Array, axis: number, count: number, stride: number): [min: number, max: number] {
  let min = Infinity;
  let max = -Infinity;
  for (let k = 0; k < count; k++) {
    const value = xy[stride * k + axis]!;
    if (value < min && value > -Infinity) min = value;
    if (value > max && value < Infinity) max = value;
  }
  const every = Math.max(1, Math.floor(count / SAMPLE));
  const sample: number[] = [];
  for (let k = 0; k < count; k += every) {
    const value = xy[stride * k + axis]!;
    if (Number.isFinite(value)) sample.push(value);
  }
  sample.sort((a, b) => a - b);
  const low = sample[Math.floor(0.02 * sample.length)] ?? 0;
  const high = sample[Math.ceil(0.98 * sample.length) - 1] ?? 0;
  const margin = (high - low) / 2;
  // Most at one place: the sample says nothing about the others.
  if (!(margin > 0 && margin < Infinity)) return [Math.max(-1e300, min), Math.min(1e300, max)];
  return [Math.max(min, low - margin), Math.min(max, high + margin)];
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
