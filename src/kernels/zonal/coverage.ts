import type { Window } from "../../model/grid.ts";
import type { PreparedShapes } from "../raster/shapes.ts";

/**
 * Areas are counted in units of 2^-48 of a cell. Sums of such numbers are exact in double precision, so the
 * fraction of a cell has the same bits whatever window it was computed in, and a cell wholly inside gives 1.
 */
const UNITS = 2 ** 48;

/**
 * Fraction of each cell of `window` that the polygons of the features cover, row-major, length
 * `width * height`. Exact up to 1e-14 of a cell per edge that crosses it. Features add: polygons that
 * do not overlap give the coverage of their union, overlapping ones count twice, cut at 1 when `cap` is set
 * (default). Lines and points cover nothing. Parts count by winding with shells positive and holes negative, so
 * polygons must be valid.
 *
 * Each edge adds the signed area between itself and the right border of the cell it passes, and its height to
 * all cells further right; one running sum along each row finishes. Cost: cells met by edges, plus the
 * window.
 */
export function coverageWindow(
  shapes: PreparedShapes,
  window: Window,
  features?: ArrayLike<number>,
  cap: boolean = true,
): Float64Array {
  const { col, row, width, height } = window;
  const stride = width + 1;
  const sums = new Float64Array(stride * height);
  const count = features === undefined ? shapes.count : features.length;
  const { bounds } = shapes;
  for (let k = 0; k < count; k++) {
    const f = features === undefined ? k : features[k]!;
    if (
      bounds[4 * f]! < col + width &&
      bounds[4 * f + 1]! < row + height &&
      bounds[4 * f + 2]! > col &&
      bounds[4 * f + 3]! > row
    )
      addFeature(shapes, f, window, sums);
  }
  const out = new Float64Array(width * height);
  for (let r = 0; r < height; r++) {
    let sum = 0;
    for (let c = 0; c < width; c++) {
      sum += sums[r * stride + c]!;
      const fraction = sum / UNITS;
      out[r * width + c] = fraction < 0 ? 0 : cap && fraction > 1 ? 1 : fraction;
    }
  }
  return out;
}

function addFeature(shapes: PreparedShapes, f: number, window: Window, sums: Float64Array): void {
  const { edges, edgeSigns, bandStart, bandFirst, bandRows, bandOffsets, bandEdges } = shapes;
  const bands = bandStart[f + 1]! - bandStart[f]!;
  if (bands === 0) return;
  const row0 = window.row;
  const row1 = window.row + window.height;
  const first = bandFirst[f]!;
  const high = bandRows[f]!;
  const b0 = Math.max(0, Math.floor((row0 - first) / high));
  const b1 = Math.min(bands - 1, Math.floor((row1 - 1 - first) / high));
  for (let b = b0; b <= b1; b++) {
    const top = Math.max(row0, first + b * high);
    const bottom = Math.min(row1, first + (b + 1) * high);
    const end = bandOffsets[bandStart[f]! + b + 1]!;
    for (let k = bandOffsets[bandStart[f]! + b]!; k < end; k++) {
      const edge = bandEdges[k]!;
      const e = 4 * edge;
      addEdge(
        edges[e]!,
        edges[e + 1]!,
        edges[e + 2]!,
        edges[e + 3]!,
        edgeSigns[edge]!,
        top,
        bottom,
        window,
        sums,
      );
    }
  }
}

/** Add the parts of an edge (`y1 <= y2`) that lie in rows `top .. bottom - 1`. */
function addEdge(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  sign: number,
  top: number,
  bottom: number,
  window: Window,
  sums: Float64Array,
): void {
  if (y1 === y2) return;
  const stride = window.width + 1;
  const slope = (x2 - x1) / (y2 - y1);
  const lastRow = Math.min(Math.ceil(y2), bottom);
  for (let row = Math.max(Math.floor(y1), top); row < lastRow; row++) {
    const ya = Math.max(y1, row);
    const yb = Math.min(y2, row + 1);
    const xa = ya === y1 ? x1 : x1 + (row - y1) * slope;
    const xb = yb === y2 ? x2 : x1 + (row + 1 - y1) * slope;
    addRow(xa, ya - row, xb, yb - row, sign, window, sums, (row - window.row) * stride);
  }
}

/** Add one piece inside one row; `ya < yb`, both from 0 to 1. */
function addRow(
  xa: number,
  ya: number,
  xb: number,
  yb: number,
  sign: number,
  window: Window,
  sums: Float64Array,
  at: number,
): void {
  const { col, width } = window;
  const left = Math.min(xa, xb);
  const right = Math.max(xa, xb);
  const total = units(yb) - units(ya);
  if (right <= col) {
    sums[at]! += sign * total;
    return;
  }
  if (left >= col + width) return;
  const firstCol = Math.floor(left);
  const lastCol = Math.max(firstCol, Math.ceil(right) - 1);
  if (firstCol === lastCol) {
    addCell(total, (xa + xb) / 2 - firstCol, firstCol - col, width, sign, sums, at);
    return;
  }
  // From left to right, `y` being the height at which the piece enters each cell.
  const rises = xb > xa;
  const way = rises ? 1 : -1;
  const slope = (yb - ya) / (xb - xa);
  let x = left;
  let y = units(rises ? ya : yb);
  const yEnd = units(rises ? yb : ya);
  let c = firstCol;
  if (firstCol < col) {
    c = col;
    const entry = units(ya + (col - xa) * slope);
    sums[at]! += sign * way * (entry - y);
    x = col;
    y = entry;
  }
  const stop = Math.min(lastCol, col + width - 1);
  for (; c <= stop; c++) {
    const nextX = c === lastCol ? right : c + 1;
    const nextY = c === lastCol ? yEnd : units(ya + (nextX - xa) * slope);
    addCell(way * (nextY - y), (x + nextX) / 2 - c, c - col, width, sign, sums, at);
    x = nextX;
    y = nextY;
  }
}

/** A piece of `height` units inside cell `c` of the window, on average `x` from the left border of the cell. */
function addCell(
  height: number,
  x: number,
  c: number,
  width: number,
  sign: number,
  sums: Float64Array,
  at: number,
): void {
  if (c < 0) {
    sums[at]! += sign * height;
    return;
  }
  if (c >= width) return;
  const rest = Math.round(height * x);
  sums[at + c]! += sign * (height - rest);
  sums[at + c + 1]! += sign * rest;
}

function units(y: number): number {
  return Math.round((y < 0 ? 0 : Math.min(y, 1)) * UNITS);
}
