import type { GeometryColumn } from "../../../model/geometry.ts";

/** Coordinates whose squares neither overflow nor vanish. */
const LARGE = 2 ** 500;
const SMALL = 2 ** -500;

/** Share of the largest coordinate below which others would lose their digits when all are scaled. */
const SHARE = 2 ** -400;

/** Sizes of coordinates that are neither 0 nor infinite. */
export interface CoordinateRange {
  readonly largest: number;
  readonly smallest: number;
}

/** Sizes of the coordinates of vertices `start .. end - 1`; largest 0 and smallest infinite when there are none. */
export function coordinateRange(xy: Float64Array, start: number, end: number): CoordinateRange {
  let largest = 0;
  let smallest = Infinity;
  for (let i = 2 * start; i < 2 * end; i++) {
    const size = Math.abs(xy[i]!);
    if (!(size < Infinity) || size === 0) continue;
    if (size > largest) largest = size;
    if (size < smallest) smallest = size;
  }
  return { largest, smallest };
}

/**
 * Power of two that brings coordinates to a size whose squares neither overflow nor vanish; 1 when they are of such a
 * size, or when they differ so much that some would lose their digits: then what is farther than 1e154 away counts as
 * infinitely far, as the places that some programs write for missing ones should.
 */
export function safeScale(a: CoordinateRange, b: CoordinateRange): number {
  const largest = Math.max(a.largest, b.largest);
  if (largest === 0 || (largest > SMALL && largest < LARGE)) return 1;
  if (Math.min(a.smallest, b.smallest) < SHARE * largest) return 1;
  return 2 ** Math.min(1000, -Math.floor(Math.log2(largest)));
}

/** A column with all coordinates times `scale`. Structure shared. */
export function scaledColumn(column: GeometryColumn, scale: number): GeometryColumn {
  return { ...column, xy: column.xy.map((value) => value * scale) };
}
