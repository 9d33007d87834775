import {
  type Frame,
  framedLength,
  type Heights,
  LEAVES,
  NO_GROUND,
  neighbourOffsets,
  PIT,
  STRAIGHT_FIRST,
  UNRESOLVED,
} from "./frame.ts";
import { resolveFlats } from "./resolve-flats.ts";

/** Lengths of the cells of each row of the raster, in one unit: along the row and across it. */
export interface CellSizes {
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/**
 * Where the water of each cell goes: to the neighbour down the steepest slope, height lost over distance (D8, O'Callaghan
 * and Mark 1984), the first of equals clockwise from east.
 *
 * - Cells at the edge or beside missing heights with no lower neighbour drain out of the ground, towards the first such
 *   neighbour, those across an edge before those across a corner. With `outward` all cells there do.
 * - Level ground drains to where it has a way out, see {@link resolveFlats}.
 * - Ground without a way out is a {@link PIT}: there is none in a filled raster.
 *
 * @returns framed bytes as described at `LEAVES`, `PIT` and `NO_GROUND`; the way from cell to cell never closes a circle.
 */
export function flowDirections(
  heights: Heights,
  frame: Frame,
  sizes: CellSizes,
  outward: boolean = false,
): Uint8Array {
  const { width, height } = frame;
  const offsets = neighbourOffsets(frame);
  const stride = width + 2;
  const directions = new Uint8Array(framedLength(frame)).fill(NO_GROUND);
  const inverse = new Float64Array(8);
  let level = 0;
  for (let row = 1; row <= height; row++) {
    const x = sizes.x[row - 1]!;
    const y = sizes.y[row - 1]!;
    for (let k = 0; k < 8; k++) inverse[k] = 1 / (k % 4 === 0 ? x : k % 2 === 0 ? y : Math.hypot(x, y));
    for (let cell = row * stride + 1, end = cell + width; cell < end; cell++) {
      const here = heights[cell]!;
      if (Number.isNaN(here)) continue;
      let best = 0;
      let direction = UNRESOLVED;
      let open = false;
      for (let k = 0; k < 8; k++) {
        const slope = (here - heights[cell + offsets[k]!]!) * inverse[k]!;
        if (slope > best) {
          best = slope;
          direction = k;
        } else if (Number.isNaN(slope)) open = true;
      }
      if (open && (outward || direction === UNRESOLVED)) direction = wayOut(heights, cell, offsets);
      directions[cell] = direction;
      if (direction === UNRESOLVED) level++;
    }
  }
  if (level > 0) resolveFlats(heights, frame, directions);
  return directions;
}

function wayOut(heights: Heights, cell: number, offsets: Int32Array): number {
  for (const k of STRAIGHT_FIRST) if (Number.isNaN(heights[cell + offsets[k]!]!)) return LEAVES + k;
  return PIT;
}
