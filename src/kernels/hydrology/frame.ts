/**
 * A raster with a frame of one cell of nothing on all sides, so that every cell has eight neighbours and no loop has
 * to ask where the raster ends. Row-major, `(width + 2) * (height + 2)` long; cell `(col, row)` of the raster is at
 * `(row + 1) * (width + 2) + col + 1`. All arrays of the hydrology kernels are framed, except where they say otherwise.
 */
export interface Frame {
  /** Of the raster, without the frame. */
  readonly width: number;
  readonly height: number;
}

/** Heights: framed, NaN in the frame and where there is no ground. Infinite heights are not allowed. */
export type Heights = Float32Array | Float64Array;

/** Cells of a framed array. */
export function framedLength({ width, height }: Frame): number {
  return (width + 2) * (height + 2);
}

/**
 * How far away the eight neighbours lie in a framed array: clockwise from east, that is E, SE, S, SW, W, NW, N, NE, south
 * being the next row. This is the order in which ties are settled: the first of equals wins.
 */
export function neighbourOffsets({ width }: Frame): Int32Array {
  const stride = width + 2;
  return Int32Array.of(1, stride + 1, stride, stride - 1, -1, -stride - 1, -stride, -stride + 1);
}

/** Column and row steps to the neighbours, in the same order. */
export const STEP_COL: readonly number[] = [1, 1, 0, -1, -1, -1, 0, 1];
export const STEP_ROW: readonly number[] = [0, 1, 1, 1, 0, -1, -1, -1];

/** Neighbours that share an edge before those that share a corner. */
export const STRAIGHT_FIRST: readonly number[] = [0, 2, 4, 6, 1, 3, 5, 7];

/**
 * Flow directions in memory, one byte a cell: 0..7 to the neighbour of that number ({@link neighbourOffsets}); 8..15 out
 * of the ground, towards neighbour `direction - 8`, which is beyond the edge or has no height.
 */
export const LEAVES = 8;
/** No way down: only where depressions were left as they are. */
export const PIT = 16;
/** Level ground whose direction is still to be found. */
export const UNRESOLVED = 17;
/** No ground here. */
export const NO_GROUND = 255;

/** Step in a framed array that each direction byte stands for; 0 where water stays or leaves. */
export function flowSteps(frame: Frame): Int32Array {
  const steps = new Int32Array(256);
  steps.set(neighbourOffsets(frame));
  return steps;
}

/** A list of cells that grows, used as a stack or a queue. */
export class CellList {
  cells: Int32Array = new Int32Array(1024);
  count = 0;

  push(cell: number): void {
    if (this.count === this.cells.length) {
      const grown = new Int32Array(2 * this.count);
      grown.set(this.cells);
      this.cells = grown;
    }
    this.cells[this.count++] = cell;
  }
}
