import type { Window } from "../../model/grid.ts";
import type { Runs } from "../raster/rasterize.ts";
import type { PreparedShapes } from "../raster/shapes.ts";

/**
 * Cells that polygons cover, and how much of each: runs of cells along rows, sorted by feature, row, column. All cells of
 * a run are covered to the same share; cells covered wholly make the longest runs there can be.
 */
export interface CoverageRuns extends Runs {
  /** Covered share of every cell of the run, above 0, at most 1. May be longer than `count`. */
  readonly fraction: Float64Array;
}

/** Shares below this are none: an edge that misses a cell border by the rounding of its coordinates covers nothing. */
const LEAST = 2 ** -44;

/** Cells of scratch at a time; a band of rows that does not fit is taken in parts. */
const CHUNK = 32768;

/**
 * Cells of `window` that each feature, or each of those named in `features`, covers. Prepare the shapes by the rule
 * `"all-touched"`, which keeps edges that follow cell borders on them. Lines and points cover nothing.
 *
 * Fractions are exact up to about 1e-15 of a cell per edge in it, and have the same bits for every window that holds
 * the cell. Cells that no edge meets are covered wholly or not at all, exactly. Polygons that share edges add up to 1.
 *
 * What a polygon covers is told by how often its rings wind around a place, holes backward; 0 is outside, everything else
 * inside. So invalid polygons have a meaning too: parts that overlap count once, a hole outside its shell counts as
 * covered, and so do both lobes of a ring that crosses itself; only the cell of the crossing is too low.
 *
 * @param out  Where the runs go; a buffer that is used again saves making one.
 *
 * Method: each edge adds to every cell it passes the area between itself and the right border of the cell, and its
 * height to all cells further right; the sum along a row finishes. Cost: the cells met by edges, plus the runs.
 */
export function coverageRuns(
  shapes: PreparedShapes,
  window: Window,
  features?: ArrayLike<number>,
  out: RunBuffer = new RunBuffer(),
): CoverageRuns {
  out.count = 0;
  const scratch = scratchFor(window.width);
  const { bounds } = shapes;
  const count = features === undefined ? shapes.count : features.length;
  const right = window.col + window.width;
  const bottom = window.row + window.height;
  for (let k = 0; k < count; k++) {
    const f = features === undefined ? k : features[k]!;
    if (
      bounds[4 * f]! < right &&
      bounds[4 * f + 1]! < bottom &&
      bounds[4 * f + 2]! > window.col &&
      bounds[4 * f + 3]! > window.row
    )
      coverFeature(shapes, f, window, scratch, out);
  }
  return { count: out.count, data: out.data, fraction: out.fraction };
}

/**
 * Fraction of each cell of `window` that the polygons of the features cover, row-major, length `width * height`:
 * {@link coverageRuns} as one array. Features add: polygons that do not overlap give the coverage of their union,
 * overlapping ones count twice, cut at 1 when `cap` is set (default).
 */
export function coverageWindow(
  shapes: PreparedShapes,
  window: Window,
  features?: ArrayLike<number>,
  cap: boolean = true,
): Float64Array {
  const { width, height } = window;
  const { count, data, fraction } = coverageRuns(shapes, window, features);
  const out = new Float64Array(width * height);
  for (let k = 0; k < count; k++) {
    const at = (data[4 * k + 1]! - window.row) * width - window.col;
    const end = at + data[4 * k + 3]!;
    for (let i = at + data[4 * k + 2]!; i < end; i++) out[i]! += fraction[k]!;
  }
  if (cap) for (let i = 0; i < out.length; i++) if (out[i]! > 1) out[i] = 1;
  return out;
}

/** Sums of the rows at hand. All zero between two calls. */
interface Scratch {
  /** Of each cell: height of the edges in it. */
  readonly cover: Float64Array;
  /** Of each cell: area between the edges in it and its right border. */
  readonly area: Float64Array;
  /** One bit per cell that an edge meets. */
  readonly bits: Int32Array;
  /** Of each row: height of the edges left of the window. */
  readonly left: Float64Array;
  /** Rows that fit. */
  readonly rows: number;
  readonly width: number;
  /** Words of `bits` in a row. */
  readonly words: number;
}

let kept: Scratch | null = null;

function scratchFor(width: number): Scratch {
  if (kept === null || kept.width !== width) {
    const rows = Math.max(1, Math.floor(CHUNK / width));
    const words = (width + 31) >> 5;
    kept = {
      cover: new Float64Array(rows * width),
      area: new Float64Array(rows * width),
      bits: new Int32Array(rows * words),
      left: new Float64Array(rows),
      rows,
      width,
      words,
    };
  }
  return kept;
}

function coverFeature(
  shapes: PreparedShapes,
  f: number,
  window: Window,
  scratch: Scratch,
  out: RunBuffer,
): void {
  const { edges, edgeSigns, bandStart, bandFirst, bandRows, bandOffsets, bandEdges, bounds } = shapes;
  const bands = bandStart[f + 1]! - bandStart[f]!;
  if (bands === 0) return;
  const row0 = window.row;
  const row1 = window.row + window.height;
  const first = bandFirst[f]!;
  const high = bandRows[f]!;
  const b0 = Math.max(0, Math.floor((row0 - first) / high));
  const b1 = Math.min(bands - 1, Math.floor((row1 - 1 - first) / high));
  const lastCol = Math.min(window.width - 1, Math.ceil(bounds[4 * f + 2]!) - window.col);
  const firstCol = Math.max(0, Math.floor(bounds[4 * f]!) - window.col);
  for (let b = b0; b <= b1; b++) {
    const bandTop = Math.max(row0, first + b * high);
    const bandBottom = Math.min(row1, first + (b + 1) * high);
    const start = bandOffsets[bandStart[f]! + b]!;
    const end = bandOffsets[bandStart[f]! + b + 1]!;
    for (let top = bandTop; top < bandBottom; top += scratch.rows) {
      const bottom = Math.min(bandBottom, top + scratch.rows);
      for (let k = start; k < end; k++) {
        const edge = bandEdges[k]!;
        const e = 4 * edge;
        const y1 = edges[e + 1]!;
        const y2 = edges[e + 3]!;
        if (y1 === y2 || y1 >= bottom || y2 <= top) continue;
        addEdge(edges[e]!, y1, edges[e + 2]!, y2, edgeSigns[edge]!, top, bottom, window, scratch);
      }
      sweep(f, top, bottom, firstCol >> 5, lastCol >> 5, window, scratch, out);
    }
  }
}

/**
 * Add the parts of an edge (`y1 < y2`) that lie in rows `top .. bottom - 1`. Columns are counted from the cell of the
 * upper vertex, so that short edges far from the origin keep their digits.
 */
function addEdge(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  sign: number,
  top: number,
  bottom: number,
  window: Window,
  scratch: Scratch,
): void {
  const { cover, area, bits, left, width, words } = scratch;
  const base = Math.floor(x1);
  const shift = base - window.col;
  const col0 = -shift;
  const end = width - shift;
  const start = x1 - base;
  const stop = x2 - base;
  const slope = (stop - start) / (y2 - y1);
  const lastRow = Math.min(Math.ceil(y2), bottom);
  for (let row = Math.max(Math.floor(y1), top); row < lastRow; row++) {
    // The piece in this row: heights from 0 to 1, `ya < yb`.
    const above = y1 >= row;
    const below = y2 <= row + 1;
    const ya = above ? snap(y1 - row) : 0;
    const yb = below ? snap(y2 - row) : 1;
    const xa = above ? start : start + (row - y1) * slope;
    const xb = below ? stop : start + (row + 1 - y1) * slope;
    const r = row - top;
    const low = xa < xb ? xa : xb;
    const high = xa < xb ? xb : xa;
    if (high <= col0 && low < col0) {
      left[r]! += sign * (yb - ya);
      continue;
    }
    if (low >= end) continue;
    const firstCol = Math.floor(low);
    const lastCol = Math.max(firstCol, Math.ceil(high) - 1);
    const at = r * width + shift;
    const word = r * words;
    if (firstCol === lastCol) {
      const height = sign * (yb - ya);
      cover[at + firstCol]! += height;
      area[at + firstCol]! += height * (1 - (xa - firstCol + (xb - firstCol)) / 2);
      bits[word + ((firstCol + shift) >> 5)]! |= 1 << ((firstCol + shift) & 31);
      continue;
    }
    // From left to right, `y` being the height at which the piece enters each cell.
    const rises = xb > xa;
    const way = rises ? sign : -sign;
    const rise = (yb - ya) / (xb - xa);
    let x = low;
    let y = rises ? ya : yb;
    let c = firstCol;
    if (firstCol < col0) {
      c = col0;
      x = col0;
      const entry = snap(Math.min(Math.max(ya + (col0 - xa) * rise, ya), yb));
      left[r]! += way * (entry - y);
      y = entry;
    }
    const stopCol = Math.min(lastCol, end - 1);
    for (; c <= stopCol; c++) {
      const ends = c === lastCol;
      const nextX = ends ? high : c + 1;
      const nextY = ends ? (rises ? yb : ya) : snap(Math.min(Math.max(ya + (nextX - xa) * rise, ya), yb));
      const height = way * (nextY - y);
      cover[at + c]! += height;
      area[at + c]! += height * (1 - (x - c + (nextX - c)) / 2);
      bits[word + ((c + shift) >> 5)]! |= 1 << ((c + shift) & 31);
      x = nextX;
      y = nextY;
    }
  }
}

/**
 * A height from 0 to 1 as a multiple of 2^-50, the precision of numbers from 4 to 8. Sums of such heights are exact in
 * double precision (up to eight turns of a spiral in one row), so what lies between the edges of a row is covered 0 or 1,
 * never almost so.
 */
function snap(y: number): number {
  return y + 6 - 6;
}

/** Emit the runs of the rows in the scratch and clear it. Bits are set in words `firstWord .. lastWord` only. */
function sweep(
  f: number,
  top: number,
  bottom: number,
  firstWord: number,
  lastWord: number,
  { col, width }: Window,
  { cover, area, bits, left, words }: Scratch,
  out: RunBuffer,
): void {
  for (let row = top; row < bottom; row++) {
    const r = row - top;
    let sum = left[r]!;
    left[r] = 0;
    let next = 0;
    for (let w = firstWord; w <= lastWord; w++) {
      let word = bits[r * words + w]!;
      if (word === 0) continue;
      bits[r * words + w] = 0;
      while (word !== 0) {
        const lowest = word & -word;
        word ^= lowest;
        const c = (w << 5) + 31 - Math.clz32(lowest);
        if (c > next && sum !== 0) out.add(f, row, col + next, col + c, Math.abs(sum));
        const at = r * width + c;
        out.add(f, row, col + c, col + c + 1, Math.abs(sum + area[at]!));
        sum += cover[at]!;
        cover[at] = 0;
        area[at] = 0;
        next = c + 1;
      }
    }
    if (next < width && sum !== 0) out.add(f, row, col + next, col + width, Math.abs(sum));
  }
}

/** Growing columns of {@link CoverageRuns}. May be filled again when the runs in it are no longer needed. */
export class RunBuffer {
  count = 0;
  data: Int32Array = new Int32Array(4096);
  fraction: Float64Array = new Float64Array(1024);

  /** Add a run; one covered wholly is joined to such a run right before it. */
  add(f: number, row: number, start: number, end: number, fraction: number): void {
    if (fraction < LEAST) return;
    if (fraction >= 1) {
      const last = 4 * this.count - 4;
      const { data } = this;
      if (
        last >= 0 &&
        data[last + 3] === start &&
        data[last + 1] === row &&
        data[last] === f &&
        this.fraction[this.count - 1] === 1
      ) {
        data[last + 3] = end;
        return;
      }
    }
    if (this.count === this.fraction.length) {
      const data = new Int32Array(2 * this.data.length);
      data.set(this.data);
      this.data = data;
      const fractions = new Float64Array(2 * this.fraction.length);
      fractions.set(this.fraction);
      this.fraction = fractions;
    }
    const at = 4 * this.count;
    const { data } = this;
    data[at] = f;
    data[at + 1] = row;
    data[at + 2] = start;
    data[at + 3] = end;
    this.fraction[this.count++] = fraction >= 1 ? 1 : fraction;
  }
}
