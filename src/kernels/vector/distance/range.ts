import type { GeometryColumn } from "../../../model/geometry.ts";

/** Coordinates whose squares neither overflow nor vanish. */
const LARGE = 2 ** 500;
const SMALL = 2 ** -500;

/** Largest absolute finite coordinate of vertices `start .. end - 1`. */
export function largestCoordinate(xy: Float64Array, start: number, end: number): number {
  let largest = 0;
  for (let i = 2 * start; i < 2 * end; i++) {
    const size = Math.abs(xy[i]!);
    if (size > largest && size < Infinity) largest = size;
  }
  return largest;
}

/** Power of two that brings coordinates up to `largest` to a size whose squares are safe; 1 when they are. */
export function safeScale(largest: number): number {
  if (largest === 0 || (largest > SMALL && largest < LARGE)) return 1;
  return 2 ** Math.min(1000, -Math.floor(Math.log2(largest)));
}

/** A column with all coordinates times `scale`. Structure shared. */
export function scaledColumn(column: GeometryColumn, scale: number): GeometryColumn {
  return { ...column, xy: column.xy.map((value) => value * scale) };
}
