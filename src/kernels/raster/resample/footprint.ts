import type { SourceBlock } from "./block.ts";
import type { Resampling } from "./methods.ts";
import { EDGE } from "./point.ts";

/** Boxes of source positions that pixels of a row cover, `minX, minY, maxX, maxY` each; NaN for a pixel without one. */
export type Footprints = Float64Array;

/** Shift beyond which the other diagonal is looked at too, in widths or heights of the box. */
const SKEW = 0.25;

/**
 * The box that each pixel covers in the source, from the positions of its corners. As GDAL does: of the upper left and
 * the lower right corner. Where the other two disagree with that box by more than a quarter of it (a rotated source), the
 * box of all four.
 *
 * @param upper, lower  Positions of the corners above and below the row, `count + 1` each.
 * @param around  Of `period` columns (0: none): corners more than half of it apart are taken to be the short way apart. A
 *                box beyond `limit` lies across a break in the projection: it becomes one of the usual size at its
 *                first corner.
 */
export function footprintsOf(
  upperX: Float64Array,
  upperY: Float64Array,
  lowerX: Float64Array,
  lowerY: Float64Array,
  count: number,
  around: {
    readonly period: number;
    readonly limit: readonly [x: number, y: number];
    readonly scale: readonly [x: number, y: number];
  },
  out: Footprints,
): void {
  const { period, limit, scale } = around;
  const half = period / 2;
  for (let i = 0; i < count; i++) {
    const ax = upperX[i]!;
    let bx = lowerX[i + 1]!;
    let cx = upperX[i + 1]!;
    let dx = lowerX[i]!;
    if (period > 0) {
      bx += bx - ax > half ? -period : ax - bx > half ? period : 0;
      cx += cx - ax > half ? -period : ax - cx > half ? period : 0;
      dx += dx - ax > half ? -period : ax - dx > half ? period : 0;
    }
    const ay = upperY[i]!;
    const by = lowerY[i + 1]!;
    const cy = upperY[i + 1]!;
    const dy = lowerY[i]!;
    let minX = ax < bx ? ax : bx;
    let maxX = ax < bx ? bx : ax;
    let minY = ay < by ? ay : by;
    let maxY = ay < by ? by : ay;
    const otherMinX = cx < dx ? cx : dx;
    const otherMaxX = cx < dx ? dx : cx;
    const otherMinY = cy < dy ? cy : dy;
    const otherMaxY = cy < dy ? dy : cy;
    const slackX = SKEW * Math.max(maxX - minX, otherMaxX - otherMinX);
    const slackY = SKEW * Math.max(maxY - minY, otherMaxY - otherMinY);
    if (
      Math.abs(otherMinX - minX) > slackX ||
      Math.abs(otherMaxX - maxX) > slackX ||
      Math.abs(otherMinY - minY) > slackY ||
      Math.abs(otherMaxY - maxY) > slackY
    ) {
      minX = Math.min(minX, otherMinX);
      maxX = Math.max(maxX, otherMaxX);
      minY = Math.min(minY, otherMinY);
      maxY = Math.max(maxY, otherMaxY);
    }
    if (maxX - minX > limit[0]) {
      minX = ax;
      maxX = ax + 1 / scale[0];
    }
    if (maxY - minY > limit[1]) {
      minY = ay;
      maxY = ay + 1 / scale[1];
    }
    out[4 * i] = minX;
    out[4 * i + 1] = minY;
    out[4 * i + 2] = maxX;
    out[4 * i + 3] = maxY;
  }
}

/** Scratch of {@link footprintRow}, reused from pixel to pixel. */
export interface FootprintScratch {
  values: Float64Array;
  /** Counts by sample for 8- and 16-bit samples, all 0 between pixels. */
  readonly counts: Int32Array;
}

export function footprintScratch(): FootprintScratch {
  return { values: new Float64Array(64), counts: new Int32Array(65536 + 32768) };
}

const LOWEST = 32768;

/**
 * One value per pixel from the observed samples in its footprint, NaN where there are none. Samples that a footprint cuts
 * count whole, but in `average` and `sum` by the part that is covered. `mode`: the value that is first to be met as
 * often as the most frequent one, row by row. `med`, `q1` and `q3`: the sample at place `ceil(q n)` in order.
 *
 * @param whole  Samples are 8- or 16-bit integers.
 */
export function footprintRow(
  method: Resampling,
  block: SourceBlock,
  footprints: Footprints,
  count: number,
  whole: boolean,
  scratch: FootprintScratch,
  out: Float64Array,
): void {
  const { window, samples, valid } = block;
  const { width, height } = window;
  const weighted = method === "average" || method === "sum";
  for (let i = 0; i < count; i++) {
    const minX = footprints[4 * i]! - window.col;
    const minY = footprints[4 * i + 1]! - window.row;
    const maxX = footprints[4 * i + 2]! - window.col;
    const maxY = footprints[4 * i + 3]! - window.row;
    out[i] = Number.NaN;
    if (!(maxX > 0 && maxY > 0 && minX < width && minY < height)) continue;
    const fromX = Math.max(0, Math.floor(minX + EDGE));
    const fromY = Math.max(0, Math.floor(minY + EDGE));
    let toX = Math.min(width, Math.ceil(maxX - EDGE));
    let toY = Math.min(height, Math.ceil(maxY - EDGE));
    if (toX <= fromX) toX = fromX + 1;
    if (toY <= fromY) toY = fromY + 1;
    if (toX > width || toY > height) continue;
    if (weighted) {
      let sum = 0;
      let weights = 0;
      for (let r = fromY; r < toY; r++) {
        const wy = share(r, minY, maxY);
        for (let c = fromX; c < toX; c++) {
          const at = r * width + c;
          if (valid !== null && valid[at] === 0) continue;
          const weight = wy * share(c, minX, maxX);
          sum += samples[at]! * weight;
          weights += weight;
        }
      }
      if (weights > 0) out[i] = method === "sum" ? sum : sum / weights;
      continue;
    }
    if (method === "min" || method === "max") {
      const sign = method === "min" ? 1 : -1;
      let best = Infinity;
      let found = false;
      for (let r = fromY; r < toY; r++) {
        for (let c = fromX; c < toX; c++) {
          const at = r * width + c;
          if (valid !== null && valid[at] === 0) continue;
          const value = sign * samples[at]!;
          if (value < best) best = value;
          found = true;
        }
      }
      if (found) out[i] = sign * best;
      continue;
    }
    const most = (toX - fromX) * (toY - fromY);
    if (scratch.values.length < most) scratch.values = new Float64Array(2 * most);
    const { values } = scratch;
    let n = 0;
    for (let r = fromY; r < toY; r++) {
      for (let c = fromX; c < toX; c++) {
        const at = r * width + c;
        if (valid === null || valid[at] !== 0) values[n++] = samples[at]!;
      }
    }
    if (n === 0) continue;
    if (method === "mode") out[i] = whole ? wholeMode(values, n, scratch.counts) : modeOf(values, n);
    else {
      const quantile = method === "q1" ? 0.25 : method === "q3" ? 0.75 : 0.5;
      const sorted = values.subarray(0, n).sort();
      out[i] = sorted[Math.max(0, Math.ceil(quantile * n - 1))]!;
    }
  }
}

/** How much of sample `k` an interval covers. */
function share(k: number, min: number, max: number): number {
  // All of a footprint inside one sample: as much as there is.
  return Math.max(0, Math.min(k + 1, max) - Math.max(k, min));
}

function wholeMode(values: Float64Array, n: number, counts: Int32Array): number {
  let mode = values[0]!;
  let best = 0;
  for (let i = 0; i < n; i++) {
    const value = values[i]!;
    const met = ++counts[value + LOWEST]!;
    if (met > best) {
      best = met;
      mode = value;
    }
  }
  for (let i = 0; i < n; i++) counts[values[i]! + LOWEST] = 0;
  return mode;
}

function modeOf(values: Float64Array, n: number): number {
  const counts = new Map<number, number>();
  let mode = values[0]!;
  let best = 0;
  for (let i = 0; i < n; i++) {
    const value = values[i]!;
    const met = (counts.get(value) ?? 0) + 1;
    counts.set(value, met);
    if (met > best) {
      best = met;
      mode = value;
    }
  }
  return mode;
}
