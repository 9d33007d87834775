import {
  EXPLICIT,
  fitPatch,
  PATCH_INTS,
  type Patches,
  type PatchPoints,
  patchFit,
  patchPositions,
} from "../../kernels/raster/warp/patches.ts";
import type { Window } from "../../model/grid.ts";
import type { GridMapping } from "./mapping.ts";

/**
 * Side of the squares of output pixels that share a polynomial. They lie on a lattice from the corner of the grid, so that
 * positions do not depend on the window that is asked for.
 */
export const PATCH_SIDE = 256;

/** Smallest square; below it positions are transformed one by one. */
const LEAST_SIDE = 8;

/** Cubic for most squares; of the sixth degree where a square is a good part of the globe. */
const FITS = [patchFit(3), patchFit(6)];

interface Square {
  readonly col: number;
  readonly row: number;
  readonly side: number;
  readonly width: number;
  readonly height: number;
}

/**
 * Positions in the source of the pixels of a window, to `tolerance` source pixels: squares of {@link PATCH_SIDE} pixels by
 * polynomials through exactly transformed points, checked at points between them; squares where that fails are
 * quartered, and at last transformed pixel by pixel. So a break in a projection costs time and nothing else.
 *
 * @param grid  Size of the output.
 * @throws whatever `mapping` throws.
 */
export function planPatches(
  mapping: GridMapping,
  grid: { readonly width: number; readonly height: number },
  window: Window,
  points: PatchPoints,
  tolerance: number,
): Patches {
  const layout: number[] = [];
  const pieces: Float64Array[] = [];
  let length = 0;
  const add = ({ col, row, width, height }: Square, degree: number, values: Float64Array): void => {
    layout.push(col, row, width, height, degree, length);
    pieces.push(values);
    length += values.length;
  };
  let squares = squaresOf(grid, window);
  if (mapping.affine !== null) {
    const [a, b, c, d, e, f] = mapping.affine;
    for (const square of squares) {
      const { col, row, width, height } = square;
      const x = col + width / 2;
      const y = row + height / 2;
      const values = Float64Array.of(
        a * x + b * y + c,
        (a * width) / 2,
        (b * height) / 2,
        0,
        d * x + e * y + f,
        (d * width) / 2,
        (e * height) / 2,
        0,
      );
      add(square, 1, values);
    }
    squares = [];
  }
  while (squares.length > 0) {
    for (const fit of FITS) {
      const xy = new Float64Array(2 * fit.points * squares.length);
      squares.forEach(({ col, row, width, height }, k) => {
        patchPositions(fit, col, row, width, height, xy, 2 * fit.points * k);
      });
      mapping.map(xy);
      const left: Square[] = [];
      squares.forEach((square, k) => {
        const values = new Float64Array(2 * (fit.degree + 1) ** 2);
        const error = fitPatch(fit, xy, 2 * fit.points * k, values, 0);
        if (error <= tolerance) add(square, fit.degree, values);
        else left.push(square);
      });
      squares = left;
      if (squares.length === 0) break;
    }
    const smaller: Square[] = [];
    for (const square of squares) {
      if (square.side > LEAST_SIDE) smaller.push(...quarters(square, window));
      else add(square, EXPLICIT, explicit(mapping, square, points));
    }
    squares = smaller;
  }
  const values = new Float64Array(length);
  pieces.forEach((piece, k) => {
    values.set(piece, layout[PATCH_INTS * k + 5]);
  });
  return { layout: Int32Array.from(layout), values };
}

/** The squares of the lattice that meet a window, cut at the edge of the grid. */
function squaresOf(grid: { readonly width: number; readonly height: number }, window: Window): Square[] {
  const squares: Square[] = [];
  const side = PATCH_SIDE;
  const row0 = window.row - (window.row % side);
  const col0 = window.col - (window.col % side);
  for (let row = row0; row < window.row + window.height; row += side) {
    for (let col = col0; col < window.col + window.width; col += side) {
      const width = Math.min(side, grid.width - col);
      const height = Math.min(side, grid.height - row);
      squares.push({ col, row, side, width, height });
    }
  }
  return squares;
}

/** The four quarters of a square, without what the grid cuts off and what the window does not meet. */
function quarters({ col, row, side, width, height }: Square, window: Window): Square[] {
  const half = side / 2;
  const result: Square[] = [];
  for (const down of [0, half]) {
    for (const right of [0, half]) {
      const w = Math.min(half, width - right);
      const h = Math.min(half, height - down);
      if (w <= 0 || h <= 0) continue;
      const x = col + right;
      const y = row + down;
      if (x >= window.col + window.width || x + w <= window.col) continue;
      if (y >= window.row + window.height || y + h <= window.row) continue;
      result.push({ col: x, row: y, side: half, width: w, height: h });
    }
  }
  return result;
}

function explicit(mapping: GridMapping, square: Square, points: PatchPoints): Float64Array {
  const { col, row, width, height } = square;
  const corners = points === "corners";
  const shift = corners ? 0 : 0.5;
  const across = corners ? width + 1 : width;
  const down = corners ? height + 1 : height;
  const xy = new Float64Array(2 * across * down);
  let k = 0;
  for (let r = 0; r < down; r++) {
    for (let c = 0; c < across; c++) {
      xy[k++] = col + c + shift;
      xy[k++] = row + r + shift;
    }
  }
  mapping.map(xy);
  return xy;
}
