import type { PreparedRegion } from "../region.ts";

/**
 * A region drawn on a grid of cells, each known to lie inside, outside, or to be met by the outline. Boxes and points
 * away from the outline are settled by it alone, without a look at an edge.
 */
export interface RegionGrid {
  readonly cols: number;
  readonly rows: number;
  readonly minX: number;
  readonly minY: number;
  /** Cells per unit. */
  readonly scaleX: number;
  readonly scaleY: number;
  /** `INSIDE` (1) or `OUTSIDE` (-1) where the outline does not come, 0 where it may. Row by row from the lowest. */
  readonly states: Int8Array;
  /**
   * Number of cells with state 0 left of and below each corner of cells; `(cols + 1) * (rows + 1)`. How many there
   * are in a rectangle of cells is known from four of these.
   */
  readonly sums: Int32Array;
}

/** Cells an edge; more cells settle more and take longer to draw. */
const CELLS_PER_EDGE = 5;
const FEWEST = 256;
const MOST = 1 << 20;
/** Of the coordinates; size of a cell below which a grid makes no sense. */
const SMALLEST = 1e-8;
/** In cells: far more than rounding can move the end of a run of cells, and next to nothing. */
const MARGIN = 1e-6;

/**
 * Draw a region. Every cell that the outline meets has state 0, exactly; a cell beside it may have. The others are
 * filled by the even-odd rule of each polygon along the middle of each row of cells, and are inside when any polygon
 * covers them. Edges that two polygons share are no outline. O(edges + cells met).
 */
export function drawRegion(region: PreparedRegion): RegionGrid {
  const { edges, owner, inner, bounds, polygons } = region;
  const count = owner.length;
  let minX = Infinity;
  let minY = Infinity;
  let maxX = -Infinity;
  let maxY = -Infinity;
  for (let k = 0; k < polygons; k++) {
    minX = Math.min(minX, bounds[4 * k]!);
    minY = Math.min(minY, bounds[4 * k + 1]!);
    maxX = Math.max(maxX, bounds[4 * k + 2]!);
    maxY = Math.max(maxY, bounds[4 * k + 3]!);
  }
  const width = maxX - minX;
  const height = maxY - minY;
  if (!(width > 0 && height > 0 && Number.isFinite(width) && Number.isFinite(height))) return oneCell();
  const wanted = Math.min(MOST, Math.max(FEWEST, CELLS_PER_EDGE * count));
  const cell = Math.sqrt((width / wanted) * height);
  // One more at either side, and one for the upper bounds themselves: the outermost cells stand for all beyond.
  const cols = 3 + Math.max(1, Math.min(4096, Math.ceil(width / cell)));
  const rows = 3 + Math.max(1, Math.min(4096, Math.ceil(height / cell)));
  const scaleX = (cols - 3) / width;
  const scaleY = (rows - 3) / height;
  // Cells so small that rounding matters for where their middles are: everything counts as near the outline.
  const coarse = SMALLEST * Math.max(-minX, maxX, -minY, maxY);
  if (!(1 / scaleX > coarse && 1 / scaleY > coarse)) return oneCell();
  minX -= 1 / scaleX;
  minY -= 1 / scaleY;
  const states = new Int8Array(cols * rows);
  const grid: RegionGrid = {
    cols,
    rows,
    minX,
    minY,
    scaleX,
    scaleY,
    states,
    sums: new Int32Array((cols + 1) * (rows + 1)),
  };

  /** How the number of polygons that cover a cell differs from that of the cell to its left. */
  const steps = polygons === 1 ? null : new Int32Array(cols * rows);
  let crossings = new Int32Array(64);
  let crossed = 0;
  let polygon = 0;
  for (let i = 0; i <= count; i++) {
    if (steps !== null && (i === count || owner[i] !== polygon)) {
      cover(crossings, crossed, cols, steps);
      crossed = 0;
      if (i < count) polygon = owner[i]!;
    }
    if (i === count) break;
    // Upward, so that an edge gives the same cells from both sides.
    const up = edges[4 * i + 1]! <= edges[4 * i + 3]!;
    const x1 = edges[up ? 4 * i : 4 * i + 2]!;
    const y1 = edges[up ? 4 * i + 1 : 4 * i + 3]!;
    const x2 = edges[up ? 4 * i + 2 : 4 * i]!;
    const y2 = edges[up ? 4 * i + 3 : 4 * i + 1]!;
    const outline = inner[i] === 0;
    const low = cellAt(y1, minY, scaleY, rows);
    const high = cellAt(y2, minY, scaleY, rows);
    const colOf1 = cellAt(x1, minX, scaleX, cols);
    const colOf2 = cellAt(x2, minX, scaleX, cols);
    const left = colOf1 < colOf2 ? colOf1 : colOf2;
    const right = colOf1 < colOf2 ? colOf2 : colOf1;
    if (outline) {
      if (low === high || left === right) {
        for (let row = low; row <= high; row++)
          for (let at = row * cols + left; at <= row * cols + right; at++) states[at]! |= 1;
      } else markSlanted(grid, x1, y1, x2, y2, low, high, left, right);
    }
    for (let row = low; row <= high; row++) {
      const middle = minY + (row + 0.5) / scaleY;
      if (y1 <= middle === y2 <= middle) continue;
      const x = x1 + ((middle - y1) / (y2 - y1)) * (x2 - x1);
      const col = Math.min(right, Math.max(left, cellAt(x, minX, scaleX, cols)));
      const at = row * cols + col;
      // Rounding may have put it into the cell beside the true one, which must not pass for filled then.
      if (outline) states[at]! |= 1;
      if (steps === null) states[at]! ^= 2;
      else {
        if (crossed === crossings.length) {
          const grown: Int32Array<ArrayBuffer> = new Int32Array(2 * crossed);
          grown.set(crossings);
          crossings = grown;
        }
        crossings[crossed++] = at;
      }
    }
  }
  fill(grid, steps);
  return grid;
}

/** Cell of a coordinate; coordinates beyond the grid are in the outermost cells. Never falls where `value` rises. */
export function cellAt(value: number, min: number, scale: number, count: number): number {
  const cell = (value - min) * scale;
  return cell >= 0 ? (cell < count ? cell | 0 : count - 1) : 0;
}

/** `INSIDE` or `OUTSIDE` for a box that the outline does not come near, 0 when it may. O(1). */
export function stateOfBox(
  grid: RegionGrid,
  minX: number,
  minY: number,
  maxX: number,
  maxY: number,
): -1 | 0 | 1 {
  const { cols, rows, sums } = grid;
  const left = cellAt(minX, grid.minX, grid.scaleX, cols);
  const right = cellAt(maxX, grid.minX, grid.scaleX, cols) + 1;
  const low = cellAt(minY, grid.minY, grid.scaleY, rows);
  const high = cellAt(maxY, grid.minY, grid.scaleY, rows) + 1;
  const wide = cols + 1;
  const met =
    sums[high * wide + right]! -
    sums[high * wide + left]! -
    sums[low * wide + right]! +
    sums[low * wide + left]!;
  return met !== 0 ? 0 : (grid.states[low * cols + left]! as -1 | 1);
}

/** Nothing settled. */
function oneCell(): RegionGrid {
  return {
    cols: 1,
    rows: 1,
    minX: 0,
    minY: 0,
    scaleX: 1,
    scaleY: 1,
    states: new Int8Array(1),
    sums: Int32Array.of(0, 0, 0, 1),
  };
}

/** Mark the cells that an edge across several rows and columns meets, row by row. `y1 < y2`. */
function markSlanted(
  { cols, minX, minY, scaleX, scaleY, states }: RegionGrid,
  x1: number,
  y1: number,
  x2: number,
  y2: number,
  low: number,
  high: number,
  left: number,
  right: number,
): void {
  const slope = (x2 - x1) / (y2 - y1);
  for (let row = low; row <= high; row++) {
    const from = Math.max(y1, minY + (row - MARGIN) / scaleY);
    const to = Math.min(y2, minY + (row + 1 + MARGIN) / scaleY);
    const xa = x1 + (from - y1) * slope;
    const xb = x1 + (to - y1) * slope;
    const a = cellAt(Math.min(xa, xb) - MARGIN / scaleX, minX, scaleX, cols);
    const b = cellAt(Math.max(xa, xb) + MARGIN / scaleX, minX, scaleX, cols);
    const first = Math.max(left, a);
    const last = Math.min(right, b);
    for (let col = first; col <= last; col++) states[row * cols + col]! |= 1;
  }
}

/** Add one polygon, given by the cells where its edges cross the middles of rows, to the steps of the coverage. */
function cover(crossings: Int32Array, count: number, cols: number, steps: Int32Array): void {
  const sorted = crossings.subarray(0, count);
  if (count < 32) {
    for (let i = 1; i < count; i++) {
      const at = sorted[i]!;
      let j = i - 1;
      while (j >= 0 && sorted[j]! > at) {
        sorted[j + 1] = sorted[j]!;
        j--;
      }
      sorted[j + 1] = at;
    }
  } else sorted.sort();
  let row = -1;
  let inside = false;
  for (let i = 0; i < count; i++) {
    const at = sorted[i]!;
    const rowAt = (at / cols) | 0;
    if (rowAt !== row) {
      row = rowAt;
      inside = false;
    }
    inside = !inside;
    steps[at]! += inside ? 1 : -1;
  }
}

/** From marks and parities (or steps) to states and their sums. */
function fill({ cols, rows, states, sums }: RegionGrid, steps: Int32Array | null): void {
  const wide = cols + 1;
  for (let row = 0; row < rows; row++) {
    let covered = 0;
    let met = 0;
    for (let col = 0; col < cols; col++) {
      const at = row * cols + col;
      const bits = states[at]!;
      if (steps === null) covered ^= bits & 2;
      else covered += steps[at]!;
      if ((bits & 1) !== 0) {
        met++;
        states[at] = 0;
      } else states[at] = covered !== 0 ? 1 : -1;
      sums[(row + 1) * wide + col + 1] = sums[row * wide + col + 1]! + met;
    }
  }
}
