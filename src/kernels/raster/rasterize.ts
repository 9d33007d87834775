import { orient2d } from "robust-predicates";
import type { Window } from "../../model/grid.ts";
import type { PreparedShapes } from "./shapes.ts";

/** Pixels of features as runs along rows, sorted by feature, row, column; runs of a row do not touch. */
export interface Runs {
  /** Number of runs. */
  readonly count: number;
  /** 4 integers a run: `[feature, row, colStart, colEnd]`, `colEnd` exclusive. May be longer than `4 * count`. */
  readonly data: Int32Array;
}

/**
 * Runs of pixels of every feature, or of those named in `features`, inside `window`, which must lie inside the grid.
 *
 * Scan lines go through pixel centres. An edge counts on the lines with `y1 <= y < y2`; a crossing at `x`
 * starts or ends a run at column `floor(x + 0.5)`. The crossing is computed in floating point, and decided by
 * an exact orientation test when it falls within rounding of a centre, so the answer is that of exact
 * arithmetic on the pixel coordinates of the vertices. It does not depend on how the raster is cut into windows.
 *
 * Parts and holes of one feature combine by the even-odd rule. Cost: the edges of the rows of the window, plus
 * the runs.
 */
export function scanRuns(shapes: PreparedShapes, window: Window, features?: ArrayLike<number>): Runs {
  const scan = new Scan(window);
  const { bounds } = shapes;
  const touched = shapes.rule === "all-touched";
  const count = features === undefined ? shapes.count : features.length;
  const right = window.col + window.width;
  const bottom = window.row + window.height;
  for (let k = 0; k < count; k++) {
    const f = features === undefined ? k : features[k]!;
    if (
      !(
        bounds[4 * f]! <= right &&
        bounds[4 * f + 2]! >= window.col &&
        bounds[4 * f + 1]! <= bottom &&
        bounds[4 * f + 3]! >= window.row
      )
    )
      continue;
    scanEdges(shapes, f, scan, touched);
    scanSegments(shapes, f, scan, touched);
    scanPoints(shapes, f, scan);
    scan.flush(f);
  }
  return { count: scan.count, data: scan.runs };
}

/**
 * Mask of the pixels that any feature takes: `"none"` or `"all"` when the window is all outside or all inside,
 * else 1 inside and 0 outside, row-major, length `width * height`.
 */
export function maskWindow(shapes: PreparedShapes, window: Window): Uint8Array | "all" | "none" {
  const { count, data } = scanRuns(shapes, window);
  if (count === 0) return "none";
  const { col, row, width, height } = window;
  // One feature covers the window: as many full rows in a row as there are rows.
  let full = 0;
  let lastFeature = -1;
  for (let k = 0; k < 4 * count; k += 4) {
    if (data[k] !== lastFeature) full = 0;
    lastFeature = data[k]!;
    if (data[k + 3]! - data[k + 2]! === width && ++full === height) return "all";
  }
  const mask = new Uint8Array(width * height);
  for (let k = 0; k < 4 * count; k += 4) {
    const at = (data[k + 1]! - row) * width - col;
    mask.fill(1, at + data[k + 2]!, at + data[k + 3]!);
  }
  return mask.includes(0) ? mask : "all";
}

/** Pixels of `window` that any feature takes, counted from runs: work grows with rows and edges, not with pixels. */
export function countPixels(shapes: PreparedShapes, window: Window): number {
  const { count, data } = scanRuns(shapes, window);
  let several = false;
  let sum = 0;
  for (let k = 0; k < 4 * count; k += 4) {
    sum += data[k + 3]! - data[k + 2]!;
    if (data[k] !== data[0]) several = true;
  }
  if (!several) return sum;
  // Runs of different features may overlap: as ends of one long line of pixels, sorted, they count once.
  const { col, row, width } = window;
  const starts = new Float64Array(count);
  const ends = new Float64Array(count);
  for (let k = 0; k < count; k++) {
    const at = (data[4 * k + 1]! - row) * width - col;
    starts[k] = at + data[4 * k + 2]!;
    ends[k] = at + data[4 * k + 3]!;
  }
  starts.sort();
  ends.sort();
  sum = 0;
  let open = 0;
  for (let s = 0, e = 0; e < count; ) {
    if (s < count && starts[s]! <= ends[e]!) {
      s++;
      continue;
    }
    e++;
    if (s === e) {
      sum += ends[e - 1]! - starts[open]!;
      open = s;
    }
  }
  return sum;
}

function scanEdges(shapes: PreparedShapes, f: number, scan: Scan, touched: boolean): void {
  const { edges, bandStart, bandFirst, bandRows, bandOffsets, bandEdges } = shapes;
  const { row0, row1, col0, col1 } = scan;
  const bands = bandStart[f + 1]! - bandStart[f]!;
  if (bands === 0) return;
  const first = bandFirst[f]!;
  const high = bandRows[f]!;
  const b0 = Math.max(0, Math.floor((row0 - first) / high));
  const b1 = Math.min(bands - 1, Math.floor((row1 - 1 - first) / high));
  for (let b = b0; b <= b1; b++) {
    const bandTop = Math.max(row0, first + b * high);
    const bandBottom = Math.min(row1, first + (b + 1) * high);
    const end = bandOffsets[bandStart[f]! + b + 1]!;
    for (let k = bandOffsets[bandStart[f]! + b]!; k < end; k++) {
      const e = 4 * bandEdges[k]!;
      const x1 = edges[e]!;
      const y1 = edges[e + 1]!;
      const x2 = edges[e + 2]!;
      const y2 = edges[e + 3]!;
      if (touched) touchSegment(x1, y1, x2, y2, bandTop, bandBottom, scan);
      if (y1 === y2) {
        const row = y1 - 0.5;
        if (!touched && row >= bandTop && row < bandBottom && Number.isInteger(row)) {
          scan.add(row, column(Math.min(x1, x2), col0, col1), column(Math.max(x1, x2), col0, col1));
        }
        continue;
      }
      const top = Math.max(Math.ceil(y1 - 0.5), bandTop);
      const bottom = Math.min(Math.ceil(y2 - 0.5), bandBottom);
      const slope = (x2 - x1) / (y2 - y1);
      const doubt = 1e-15 * (Math.abs(x1) + Math.abs(x2) + 1);
      for (let row = top; row < bottom; row++) {
        const yc = row + 0.5;
        const t = x1 + (yc - y1) * slope + 0.5;
        if (t < col0 - 1) scan.cross(row, col0);
        else if (t > col1 + 1) scan.cross(row, col1);
        else {
          let c = Math.floor(t);
          const fraction = t - c;
          // `c` counts the centres at or left of the crossing; close to a centre only the exact test knows.
          if (fraction < doubt) {
            if (orient2d(x1, y1, x2, y2, c - 0.5, yc) > 0) c--;
          } else if (1 - fraction < doubt && orient2d(x1, y1, x2, y2, c + 0.5, yc) <= 0) c++;
          scan.cross(row, Math.min(Math.max(c, col0), col1));
        }
      }
    }
  }
}

/** Number of the first column whose centre lies right of `x`, cut to `[col0, col1]`. */
function column(x: number, col0: number, col1: number): number {
  return Math.min(Math.max(Math.floor(x + 0.5), col0), col1);
}

/** Add the pixels of rows `top .. bottom - 1` whose open interior meets a segment with `y1 <= y2`. */
function touchSegment(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  top: number,
  bottom: number,
  scan: Scan,
): void {
  const { col0, col1 } = scan;
  if (Math.max(x1, x2) <= col0 || Math.min(x1, x2) >= col1) return;
  const first = Math.max(Math.floor(y1), top);
  const last = Math.min(Math.ceil(y2) - 1, bottom - 1);
  const falls = x2 >= x1;
  for (let row = first; row <= last; row++) {
    // Within the strip of this row x runs from `low` to `high`; each end is a vertex or a crossing with y = integer.
    const upper = y1 >= row;
    const lower = y2 <= row + 1;
    let low: number;
    let high: number;
    if (falls) {
      low = upper ? Math.floor(x1) : floorAt(x1, y1, x2, y2, row);
      high = lower ? Math.ceil(x2) : ceilAt(x1, y1, x2, y2, row + 1);
    } else {
      low = lower ? Math.floor(x2) : floorAt(x1, y1, x2, y2, row + 1);
      high = upper ? Math.ceil(x1) : ceilAt(x1, y1, x2, y2, row);
    }
    if (low < col0) low = col0;
    if (high > col1) high = col1;
    if (low < high) scan.add(row, low, high);
  }
}

/** Largest integer not above the x at which a segment (`y1 < y < y2`) crosses the integer `y`, exactly. */
function floorAt(x1: number, y1: number, x2: number, y2: number, y: number): number {
  const x = x1 + ((y - y1) / (y2 - y1)) * (x2 - x1);
  const near = Math.round(x);
  if (Math.abs(x - near) > 1e-15 * (Math.abs(x1) + Math.abs(x2) + 1)) return Math.floor(x);
  return orient2d(x1, y1, x2, y2, near, y) <= 0 ? near : near - 1;
}

/** Smallest integer not below that x. */
function ceilAt(x1: number, y1: number, x2: number, y2: number, y: number): number {
  const x = x1 + ((y - y1) / (y2 - y1)) * (x2 - x1);
  const near = Math.round(x);
  if (Math.abs(x - near) > 1e-15 * (Math.abs(x1) + Math.abs(x2) + 1)) return Math.ceil(x);
  return orient2d(x1, y1, x2, y2, near, y) >= 0 ? near : near + 1;
}

function scanSegments(shapes: PreparedShapes, f: number, scan: Scan, touched: boolean): void {
  const { segments, segmentStart } = shapes;
  for (let s = segmentStart[f]!; s < segmentStart[f + 1]!; s++) {
    const x1 = segments[4 * s]!;
    const y1 = segments[4 * s + 1]!;
    const x2 = segments[4 * s + 2]!;
    const y2 = segments[4 * s + 3]!;
    // From the last vertex to the first, as GDAL walks: it decides ties.
    if (!touched) bresenham(Math.floor(x2), Math.floor(y2), Math.floor(x1), Math.floor(y1), scan);
    else if (y1 <= y2) touchSegment(x1, y1, x2, y2, scan.row0, scan.row1, scan);
    else touchSegment(x2, y2, x1, y1, scan.row0, scan.row1, scan);
  }
}

/**
 * Bresenham's line from pixel to pixel, in closed form so that a window costs its own pixels only: after `i`
 * steps along the longer axis the line has gone `ceil(i * short / long - 1/2)` along the other.
 */
function bresenham(fromCol: number, fromRow: number, toCol: number, toRow: number, scan: Scan): void {
  const { row0, row1, col0, col1 } = scan;
  const long = Math.abs(toCol - fromCol);
  const short = Math.abs(toRow - fromRow);
  const stepCol = fromCol > toCol ? -1 : 1;
  const stepRow = fromRow > toRow ? -1 : 1;
  if (long >= short) {
    const [i0, i1] = stepRange(fromCol, stepCol, long, col0, col1);
    for (let i = i0; i <= i1; i++) {
      const moved = long === 0 ? 0 : Math.ceil((2 * short * i - long) / (2 * long));
      const row = fromRow + stepRow * moved;
      const col = fromCol + stepCol * i;
      if (row >= row0 && row < row1) scan.add(row, col, col + 1);
    }
  } else {
    const [i0, i1] = stepRange(fromRow, stepRow, short, row0, row1);
    for (let i = i0; i <= i1; i++) {
      const moved = Math.ceil((2 * long * i - short) / (2 * short));
      const col = fromCol + stepCol * moved;
      if (col >= col0 && col < col1) scan.add(fromRow + stepRow * i, col, col + 1);
    }
  }
}

/** Steps `0 .. steps` from `from` that land in `start .. end - 1`. */
function stepRange(from: number, step: number, steps: number, start: number, end: number): [number, number] {
  return step > 0
    ? [Math.max(0, start - from), Math.min(steps, end - 1 - from)]
    : [Math.max(0, from - end + 1), Math.min(steps, from - start)];
}

function scanPoints(shapes: PreparedShapes, f: number, scan: Scan): void {
  const { points, pointStart } = shapes;
  const { row0, row1, col0, col1 } = scan;
  for (let p = pointStart[f]!; p < pointStart[f + 1]!; p++) {
    const col = Math.floor(points[2 * p]!);
    const row = Math.floor(points[2 * p + 1]!);
    if (col >= col0 && col < col1 && row >= row0 && row < row1) scan.add(row, col, col + 1);
  }
}

/** Collects crossings and runs of one feature, then sorts them by row and merges them. */
class Scan {
  readonly row0: number;
  readonly row1: number;
  readonly col0: number;
  readonly col1: number;
  runs: Int32Array = new Int32Array(1024);
  count = 0;
  /** Crossings of the feature: `[row, col]` pairs. */
  #crossings: Int32Array = new Int32Array(1024);
  #crossingCount = 0;
  /** Runs of the feature: `[row, start, end]`. */
  #extra: Int32Array = new Int32Array(768);
  #extraCount = 0;
  #minRow = Infinity;
  #maxRow = -Infinity;

  constructor(window: Window) {
    this.row0 = window.row;
    this.row1 = window.row + window.height;
    this.col0 = window.col;
    this.col1 = window.col + window.width;
  }

  cross(row: number, col: number): void {
    if (2 * this.#crossingCount === this.#crossings.length) this.#crossings = doubled(this.#crossings);
    const at = 2 * this.#crossingCount++;
    this.#crossings[at] = row;
    this.#crossings[at + 1] = col;
    if (row < this.#minRow) this.#minRow = row;
    if (row > this.#maxRow) this.#maxRow = row;
  }

  add(row: number, start: number, end: number): void {
    if (start >= end) return;
    if (3 * this.#extraCount === this.#extra.length) this.#extra = doubled(this.#extra);
    const at = 3 * this.#extraCount++;
    this.#extra[at] = row;
    this.#extra[at + 1] = start;
    this.#extra[at + 2] = end;
    if (row < this.#minRow) this.#minRow = row;
    if (row > this.#maxRow) this.#maxRow = row;
  }

  /** Emit the runs of feature `f` and start the next. */
  flush(f: number): void {
    if (this.#crossingCount + this.#extraCount === 0) return;
    const first = this.#minRow;
    const rows = this.#maxRow - first + 1;
    const crossStart = new Int32Array(rows + 1);
    const extraStart = new Int32Array(rows + 1);
    const crossings = this.#crossings;
    const extra = this.#extra;
    for (let k = 0; k < this.#crossingCount; k++) crossStart[crossings[2 * k]! - first + 1]!++;
    for (let k = 0; k < this.#extraCount; k++) extraStart[extra[3 * k]! - first + 1]!++;
    for (let r = 0; r < rows; r++) {
      crossStart[r + 1]! += crossStart[r]!;
      extraStart[r + 1]! += extraStart[r]!;
    }
    const cols = new Int32Array(this.#crossingCount);
    const nextCross = crossStart.slice();
    for (let k = 0; k < this.#crossingCount; k++)
      cols[nextCross[crossings[2 * k]! - first]!++] = crossings[2 * k + 1]!;
    const order = new Int32Array(this.#extraCount);
    const nextExtra = extraStart.slice();
    for (let k = 0; k < this.#extraCount; k++) order[nextExtra[extra[3 * k]! - first]!++] = k;

    for (let r = 0; r < rows; r++) {
      const a = crossStart[r]!;
      const b = crossStart[r + 1]!;
      sortRange(cols, a, b);
      const extras = extraStart[r + 1]! - extraStart[r]!;
      if (extras === 0) {
        let start = -1;
        let end = -1;
        for (let k = a; k + 1 < b; k += 2) {
          if (cols[k]! > end) {
            if (end > start) this.#emit(f, first + r, start, end);
            start = cols[k]!;
            end = cols[k + 1]!;
          } else if (cols[k + 1]! > end) end = cols[k + 1]!;
        }
        if (end > start) this.#emit(f, first + r, start, end);
      } else this.#mergeRow(f, first + r, cols, a, b, order, extraStart[r]!, extraStart[r + 1]!);
    }
    this.#crossingCount = 0;
    this.#extraCount = 0;
    this.#minRow = Infinity;
    this.#maxRow = -Infinity;
  }

  #mergeRow(
    f: number,
    row: number,
    cols: Int32Array,
    a: number,
    b: number,
    order: Int32Array,
    from: number,
    to: number,
  ): void {
    // Starts and ends sorted apart: a run of the union opens when the first starts and closes when as many ended.
    const n = ((b - a) >> 1) + (to - from);
    const starts = new Int32Array(n);
    const ends = new Int32Array(n);
    let at = 0;
    for (let k = a; k + 1 < b; k += 2) {
      if (cols[k]! === cols[k + 1]!) continue;
      starts[at] = cols[k]!;
      ends[at++] = cols[k + 1]!;
    }
    for (let k = from; k < to; k++) {
      starts[at] = this.#extra[3 * order[k]! + 1]!;
      ends[at++] = this.#extra[3 * order[k]! + 2]!;
    }
    sortRange(starts, 0, at);
    sortRange(ends, 0, at);
    let open = 0;
    for (let s = 0, e = 0; e < at; ) {
      if (s < at && starts[s]! <= ends[e]!) {
        s++;
        continue;
      }
      e++;
      if (s === e) {
        this.#emit(f, row, starts[open]!, ends[e - 1]!);
        open = s;
      }
    }
  }

  #emit(f: number, row: number, start: number, end: number): void {
    if (4 * this.count === this.runs.length) this.runs = doubled(this.runs);
    const at = 4 * this.count++;
    this.runs[at] = f;
    this.runs[at + 1] = row;
    this.runs[at + 2] = start;
    this.runs[at + 3] = end;
  }
}

/** Sort `values[from .. to - 1]` upward. Rows have few crossings: insertion beats the built-in sort there. */
function sortRange(values: Int32Array, from: number, to: number): void {
  if (to - from > 32) {
    values.subarray(from, to).sort();
    return;
  }
  for (let i = from + 1; i < to; i++) {
    const value = values[i]!;
    let j = i - 1;
    while (j >= from && values[j]! > value) {
      values[j + 1] = values[j]!;
      j--;
    }
    values[j + 1] = value;
  }
}

function doubled(values: Int32Array): Int32Array {
  const grown = new Int32Array(2 * values.length);
  grown.set(values);
  return grown;
}
