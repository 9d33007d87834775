import type { NumberArray, SourceBlock } from "./block.ts";
import { filterRadius, filterWeight, type Resampling } from "./methods.ts";

/**
 * Added to positions before they are rounded down, as GDAL does: a position that rounding put a hair before the edge of a
 * pixel belongs to the pixel.
 */
export const EDGE = 1e-10;

/**
 * Index in a block of the sample that holds each position; -1 outside.
 *
 * @param inside  The caller knows that every position lies in the block.
 */
export function nearestIndices(
  x: Float64Array,
  y: Float64Array,
  count: number,
  block: SourceBlock["window"],
  inside: boolean,
  out: Int32Array,
): void {
  const { col, row, width, height } = block;
  if (inside) {
    for (let i = 0; i < count; i++) {
      out[i] = (((y[i]! + EDGE - row) | 0) * width + (x[i]! + EDGE - col)) | 0;
    }
    return;
  }
  for (let i = 0; i < count; i++) {
    const px = x[i]! - col;
    const py = y[i]! - row;
    // Written so that NaN is outside.
    if (!(px >= 0 && py >= 0 && px + EDGE <= width && py + EDGE <= height)) {
      out[i] = -1;
      continue;
    }
    const c = Math.min(width - 1, Math.floor(px + EDGE));
    const r = Math.min(height - 1, Math.floor(py + EDGE));
    out[i] = r * width + c;
  }
}

/** Scratch of the methods that weight samples. */
export interface FilterScratch {
  readonly wx: Float64Array;
  readonly wy: Float64Array;
}

/** Samples on either side that a method looks at, for a scale (below 1: the result is coarser). */
export function reach(method: Resampling, scale: number): number {
  return Math.ceil(filterRadius(method) / Math.min(1, scale));
}

/** Room for the widest kernel. */
export function filterScratch(method: Resampling, scaleX: number, scaleY: number): FilterScratch {
  return {
    wx: new Float64Array(2 * reach(method, scaleX) + 2),
    wy: new Float64Array(2 * reach(method, scaleY) + 2),
  };
}

/** Below this the 4 or 16 samples around a position no longer stand for what a pixel covers (GDAL's figure). */
const PLAIN_SCALE = 0.95;

/** Whether {@link filterRow} takes 4 or 16 samples, and in the middle of good ones does without `nearest`. */
export function plainFilter(method: Resampling, scaleX: number, scaleY: number): boolean {
  return (method === "bilinear" || method === "cubic") && scaleX >= PLAIN_SCALE && scaleY >= PLAIN_SCALE;
}

/**
 * Weighted mean of the samples around each position, NaN where there is none. A position counts only when the sample that
 * holds it is observed; samples that are not are left out of the mean and the other weights grow accordingly.
 * Above a scale of 0.95 bilinear takes 4 samples and cubic 16 (bilinear where one of them is missing); below, kernels are
 * as much wider as the result is coarser.
 *
 * @param nearest  From {@link nearestIndices}.
 * @param inside   The caller knows that all samples within the reach of all positions are in the block.
 */
export function filterRow(
  method: Resampling,
  scaleX: number,
  scaleY: number,
  block: SourceBlock,
  x: Float64Array,
  y: Float64Array,
  nearest: Int32Array,
  count: number,
  inside: boolean,
  scratch: FilterScratch,
  out: Float64Array,
): void {
  const plain = plainFilter(method, scaleX, scaleY);
  const clean = inside && block.valid === null;
  if (method === "bilinear" && plain) {
    if (clean) bilinearInside(block, x, y, count, out);
    else bilinear(block, x, y, nearest, count, out);
  } else if (method === "cubic" && plain) {
    if (clean) cubicInside(block, x, y, count, out);
    else cubic(block, x, y, nearest, count, out);
  } else wide(method, scaleX, scaleY, block, x, y, nearest, count, scratch, out);
}

function bilinearInside(
  { window, samples }: SourceBlock,
  x: Float64Array,
  y: Float64Array,
  count: number,
  out: Float64Array,
): void {
  const { col, row, width } = window;
  for (let i = 0; i < count; i++) {
    // Not negative: the samples on the left and above are in the block.
    const px = x[i]! - 0.5 - col;
    const py = y[i]! - 0.5 - row;
    const c = px | 0;
    const r = py | 0;
    const fx = px - c;
    const fy = py - r;
    const k = r * width + c;
    const m = k + width;
    const upper = samples[k]! * (1 - fx) + samples[k + 1]! * fx;
    const lower = samples[m]! * (1 - fx) + samples[m + 1]! * fx;
    out[i] = upper * (1 - fy) + lower * fy;
  }
}

/** Weight below which four samples say nothing. */
const LEAST_WEIGHT = 1e-5;

function bilinear(
  block: SourceBlock,
  x: Float64Array,
  y: Float64Array,
  nearest: Int32Array,
  count: number,
  out: Float64Array,
): void {
  const { valid } = block;
  for (let i = 0; i < count; i++) {
    const at = nearest[i]!;
    out[i] = at < 0 || (valid !== null && valid[at] === 0) ? Number.NaN : bilinearAt(block, x[i]!, y[i]!, at);
  }
}

function bilinearAt({ window, samples, valid }: SourceBlock, x: number, y: number, nearest: number): number {
  const { width, height } = window;
  const px = x - 0.5 - window.col;
  const py = y - 0.5 - window.row;
  const c = Math.floor(px);
  const r = Math.floor(py);
  const fx = px - c;
  const fy = py - r;
  let sum = 0;
  let weights = 0;
  for (let j = 0; j < 2; j++) {
    if (r + j < 0 || r + j >= height) continue;
    const wy = j === 0 ? 1 - fy : fy;
    for (let i = 0; i < 2; i++) {
      if (c + i < 0 || c + i >= width) continue;
      const at = (r + j) * width + c + i;
      if (valid !== null && valid[at] === 0) continue;
      const weight = wy * (i === 0 ? 1 - fx : fx);
      sum += samples[at]! * weight;
      weights += weight;
    }
  }
  if (weights < LEAST_WEIGHT) return samples[nearest]!;
  return weights === 1 ? sum : sum / weights;
}

/** The value at `f` of the way from `b` to `c` of Keys' cubic through four samples. */
function cubicThrough(a: number, b: number, c: number, d: number, f: number): number {
  return b + 0.5 * f * (c - a + f * (2 * a - 5 * b + 4 * c - d + f * (3 * (b - c) + d - a)));
}

function cubicInside(
  { window, samples }: SourceBlock,
  x: Float64Array,
  y: Float64Array,
  count: number,
  out: Float64Array,
): void {
  const { col, row, width } = window;
  for (let i = 0; i < count; i++) {
    const px = x[i]! - 0.5 - col;
    const py = y[i]! - 0.5 - row;
    const c = px | 0;
    const r = py | 0;
    out[i] = cubicOf(samples, (r - 1) * width + c - 1, width, px - c, py - r);
  }
}

function cubicOf(samples: NumberArray, at: number, width: number, fx: number, fy: number): number {
  const k = at + width;
  const l = k + width;
  const m = l + width;
  return cubicThrough(
    cubicThrough(samples[at]!, samples[at + 1]!, samples[at + 2]!, samples[at + 3]!, fx),
    cubicThrough(samples[k]!, samples[k + 1]!, samples[k + 2]!, samples[k + 3]!, fx),
    cubicThrough(samples[l]!, samples[l + 1]!, samples[l + 2]!, samples[l + 3]!, fx),
    cubicThrough(samples[m]!, samples[m + 1]!, samples[m + 2]!, samples[m + 3]!, fx),
    fy,
  );
}

function cubic(
  block: SourceBlock,
  x: Float64Array,
  y: Float64Array,
  nearest: Int32Array,
  count: number,
  out: Float64Array,
): void {
  const { window, samples, valid } = block;
  const { width, height } = window;
  for (let i = 0; i < count; i++) {
    const at = nearest[i]!;
    if (at < 0 || (valid !== null && valid[at] === 0)) {
      out[i] = Number.NaN;
      continue;
    }
    const px = x[i]! - 0.5 - window.col;
    const py = y[i]! - 0.5 - window.row;
    const c = Math.floor(px);
    const r = Math.floor(py);
    const first = (r - 1) * width + c - 1;
    const complete =
      c >= 1 &&
      r >= 1 &&
      c + 2 < width &&
      r + 2 < height &&
      (valid === null || allValid(valid, first, width));
    out[i] = complete ? cubicOf(samples, first, width, px - c, py - r) : bilinearAt(block, x[i]!, y[i]!, at);
  }
}

function allValid(valid: Uint8Array, first: number, width: number): boolean {
  for (let j = 0; j < 4; j++) {
    const at = first + j * width;
    if ((valid[at]! & valid[at + 1]! & valid[at + 2]! & valid[at + 3]!) === 0) return false;
  }
  return true;
}

/** Sum of weights below which a mean is none: weights of cubic and Lanczos kernels may cancel. */
const LEAST_SUM = 1e-6;

function wide(
  method: Resampling,
  scaleX: number,
  scaleY: number,
  block: SourceBlock,
  x: Float64Array,
  y: Float64Array,
  nearest: Int32Array,
  count: number,
  scratch: FilterScratch,
  out: Float64Array,
): void {
  const { window, samples, valid } = block;
  const { width, height } = window;
  const { wx, wy } = scratch;
  const shrinkX = Math.min(1, scaleX);
  const shrinkY = Math.min(1, scaleY);
  const reachX = reach(method, scaleX);
  const reachY = reach(method, scaleY);
  for (let i = 0; i < count; i++) {
    const at = nearest[i]!;
    if (at < 0 || (valid !== null && valid[at] === 0)) {
      out[i] = Number.NaN;
      continue;
    }
    const px = x[i]! - 0.5 - window.col;
    const py = y[i]! - 0.5 - window.row;
    const c = Math.floor(px);
    const r = Math.floor(py);
    const fx = px - c;
    const fy = py - r;
    const fromX = Math.max(1 - reachX, -c);
    const toX = Math.min(reachX, width - 1 - c);
    const fromY = Math.max(1 - reachY, -r);
    const toY = Math.min(reachY, height - 1 - r);
    for (let k = fromX; k <= toX; k++) wx[k - fromX] = filterWeight(method, (k - fx) * shrinkX);
    for (let k = fromY; k <= toY; k++) wy[k - fromY] = filterWeight(method, (k - fy) * shrinkY);
    let sum = 0;
    let weights = 0;
    for (let j = fromY; j <= toY; j++) {
      const line = (r + j) * width + c;
      let rowSum = 0;
      let rowWeights = 0;
      for (let k = fromX; k <= toX; k++) {
        if (valid !== null && valid[line + k] === 0) continue;
        const weight = wx[k - fromX]!;
        rowSum += samples[line + k]! * weight;
        rowWeights += weight;
      }
      sum += rowSum * wy[j - fromY]!;
      weights += rowWeights * wy[j - fromY]!;
    }
    out[i] = Math.abs(weights) < LEAST_SUM ? samples[at]! : sum / weights;
  }
}
