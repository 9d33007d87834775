import { type Crs, sameCrs } from "./crs.ts";

/**
 * Affine geotransform `[a, b, c, d, e, f]`, in CRS units per pixel:
 *
 *     x = a * col + b * row + c
 *     y = d * col + e * row + f
 *
 * `(col, row)` counts from the outer corner of the top-left pixel (pixel-is-area), also for files that
 * say pixel-is-point: readers shift those by half a pixel, as GDAL does. North-up has `e < 0`,
 * south-up `e > 0`, rotated `b` or `d` not 0. Same order as rasterio's `Affine`; GDAL's geotransform
 * is `[c, a, b, f, d, e]`.
 */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** A rectangle of pixels; `col` and `row` are its top-left pixel. May reach beyond a grid. */
export interface Window {
  readonly col: number;
  readonly row: number;
  readonly width: number;
  readonly height: number;
}

/** `[minX, minY, maxX, maxY]` in the units of the CRS it belongs to. */
export type Bounds = readonly [minX: number, minY: number, maxX: number, maxY: number];

/** Where pixels lie on the ground. Holds no pixels. */
export interface Grid {
  /** Columns. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  readonly transform: Affine;
  /** `null` when the file does not say. */
  readonly crs: Crs | null;
}

/** Corner `(col, row)` of a grid in CRS units, `[x, y]`. */
export function pixelToWorld([a, b, c, d, e, f]: Affine, col: number, row: number): [number, number] {
  return [a * col + b * row + c, d * col + e * row + f];
}

/**
 * The inverse affine: CRS units to `(col, row)`.
 * @throws RangeError when the transform has no inverse.
 */
export function invertAffine([a, b, c, d, e, f]: Affine): Affine {
  const det = a * e - b * d;
  if (!(Math.abs(det) > 0) || !Number.isFinite(det))
    throw new RangeError(`affine [${a},${b},${c},${d},${e},${f}] has no inverse`);
  const ia = e / det;
  const ib = -b / det;
  const id = -d / det;
  const ie = a / det;
  return [ia, ib, -(ia * c + ib * f), id, ie, -(id * c + ie * f)];
}

/** True when rows and columns run along the axes of the CRS. */
export function isAxisAligned([, b, , d]: Affine): boolean {
  return b === 0 && d === 0;
}

/** Bounds of a grid in its CRS, also for rotated and south-up grids. */
export function gridBounds(grid: Grid): Bounds {
  const { width, height, transform } = grid;
  const corners = [
    pixelToWorld(transform, 0, 0),
    pixelToWorld(transform, width, 0),
    pixelToWorld(transform, 0, height),
    pixelToWorld(transform, width, height),
  ];
  const xs = corners.map(([x]) => x);
  const ys = corners.map(([, y]) => y);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** The grid of one window of `grid`: same CRS and cell size, moved origin. */
export function windowGrid(grid: Grid, window: Window): Grid {
  const [a, b, c, d, e, f] = grid.transform;
  const { col, row, width, height } = window;
  return {
    width,
    height,
    transform: [a, b, a * col + b * row + c, d, e, d * col + e * row + f],
    crs: grid.crs,
  };
}

/** The whole of a grid as a window. */
export function fullWindow(grid: { readonly width: number; readonly height: number }): Window {
  return { col: 0, row: 0, width: grid.width, height: grid.height };
}

/** The part that two windows share, or `null`. */
export function intersectWindows(a: Window, b: Window): Window | null {
  const col = Math.max(a.col, b.col);
  const row = Math.max(a.row, b.row);
  const width = Math.min(a.col + a.width, b.col + b.width) - col;
  const height = Math.min(a.row + a.height, b.row + b.height) - row;
  return width > 0 && height > 0 ? { col, row, width, height } : null;
}

/**
 * Tolerance, in pixels, within which a bound that should lie on a cell edge is taken to lie on it.
 * Without it, floating-point noise in an extent adds a row or a column.
 */
export const SNAP_TOLERANCE = 1e-3;

/**
 * Window of the pixels that bounds meet: rounded outward to whole pixels (an edge within `tolerance` pixels,
 * default {@link SNAP_TOLERANCE}, of a cell edge counts as on it), cut to the grid. `null` when they miss the grid.
 * Bounds smaller than a pixel give the pixel that holds them, never a window of size 0.
 */
export function boundsWindow(grid: Grid, bounds: Bounds, tolerance: number = SNAP_TOLERANCE): Window | null {
  const [ia, ib, ic, id, ie, jf] = invertAffine(grid.transform);
  const [minX, minY, maxX, maxY] = bounds;
  let minCol = Infinity;
  let maxCol = -Infinity;
  let minRow = Infinity;
  let maxRow = -Infinity;
  for (const x of [minX, maxX]) {
    for (const y of [minY, maxY]) {
      const col = ia * x + ib * y + ic;
      const row = id * x + ie * y + jf;
      minCol = Math.min(minCol, col);
      maxCol = Math.max(maxCol, col);
      minRow = Math.min(minRow, row);
      maxRow = Math.max(maxRow, row);
    }
  }
  const [col, width] = outward(minCol, maxCol, tolerance);
  const [row, height] = outward(minRow, maxRow, tolerance);
  return intersectWindows(fullWindow(grid), { col, row, width, height });
}

function outward(min: number, max: number, tolerance: number): [start: number, length: number] {
  const nearMin = Math.round(min);
  const start = Math.abs(min - nearMin) < tolerance ? nearMin : Math.floor(min);
  const nearMax = Math.round(max);
  let end = Math.abs(max - nearMax) < tolerance ? nearMax : Math.ceil(max);
  if (end <= start) end = start + 1;
  return [start, end - start];
}

/** Cut a grid into windows of at most `width` x `height` pixels, row by row. */
export function* tileWindows(
  grid: { readonly width: number; readonly height: number },
  width: number,
  height: number = width,
): Generator<Window> {
  for (let row = 0; row < grid.height; row += height) {
    for (let col = 0; col < grid.width; col += width) {
      yield {
        col,
        row,
        width: Math.min(width, grid.width - col),
        height: Math.min(height, grid.height - row),
      };
    }
  }
}

/**
 * Whether two grids share cell edges: same CRS, same cell size, origins a whole number of cells apart
 * (all to `tolerance` pixels over the extent of the larger one).
 */
export function gridsAlign(left: Grid, right: Grid, tolerance: number = SNAP_TOLERANCE): boolean {
  if (!sameCrs(left.crs, right.crs)) return false;
  const [a, b, , d, e] = left.transform;
  const [ra, rb, rc, rd, re, rf] = right.transform;
  const cells = Math.max(left.width, left.height, right.width, right.height);
  const size = Math.max(Math.abs(a), Math.abs(b), Math.abs(d), Math.abs(e));
  const drift = Math.max(Math.abs(a - ra), Math.abs(b - rb), Math.abs(d - rd), Math.abs(e - re)) / size;
  if (!(drift * cells <= tolerance)) return false;
  const [ia, ib, ic, id, ie, jf] = invertAffine(left.transform);
  const col = ia * rc + ib * rf + ic;
  const row = id * rc + ie * rf + jf;
  return Math.abs(col - Math.round(col)) <= tolerance && Math.abs(row - Math.round(row)) <= tolerance;
}
