import type { GeometryBuilder } from "../../../model/geometry-builder.ts";
import { type Heights, writeResult } from "./canonical.ts";
import { gridFor } from "./grid.ts";
import { acquire, type OverlayReport, release } from "./ladder.ts";
import type { FillRule } from "./select.ts";

export type { Heights } from "./canonical.ts";
export type { FillRule } from "./select.ts";

/** Rings in flat arrays: ring `r` has vertices `starts[r] .. starts[r + 1] - 1`; closed or not. */
export interface FlatRings {
  readonly xy: Float64Array;
  /** In vertices; length = rings + 1. */
  readonly starts: ArrayLike<number>;
}

export interface FillOptions {
  /** Cell of a grid for the vertices of the result, in units of the coordinates. Default: no grid. */
  readonly grid?: number | undefined;
  /** Heights for the vertices of the result. Default: none. */
  readonly heights?: Heights | null | undefined;
}

/**
 * The area that rings enclose as valid polygons, written as one row: POLYGON, MULTIPOLYGON or `POLYGON EMPTY`.
 *
 * The rings may cross, overlap, touch, repeat and run in any direction. `even-odd` takes what an odd number of them
 * encloses, whatever way they run; `non-zero` what they wind around at all; `positive` what they wind around
 * counter-clockwise more often than clockwise, `negative` the opposite. Vertices that are not finite are
 * passed over; stretches that lead back on themselves enclose nothing. Never throws. O((n + k) log n) for n segments and
 * k crossings.
 */
export function fillRings(
  rings: FlatRings,
  rule: FillRule,
  builder: GeometryBuilder,
  options: FillOptions = {},
): OverlayReport {
  const engine = acquire();
  const { input } = engine;
  const { xy, starts } = rings;
  let size = 0;
  for (let i = 2 * (starts[0] ?? 0); i < 2 * (starts[starts.length - 1] ?? 0); i++) {
    const value = Math.abs(xy[i]!);
    if (value > size && value < Infinity) size = value;
  }
  const grid = gridFor(options.grid, size);
  input.scale = grid.scale;
  for (let r = 0; r + 1 < starts.length; r++) input.addRing(xy, starts[r]!, starts[r + 1]!, 0, 0, null);
  const report = engine.run("union", rule, true, grid.cell);
  writeResult(engine.result, builder, 2, grid.unit, options.heights ?? null);
  release(engine);
  return report;
}
