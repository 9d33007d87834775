import { openCatchments } from "../../kernels/hydrology/flow-accumulation.ts";
import { NO_GROUND } from "../../kernels/hydrology/frame.ts";
import type { Surface } from "../../kernels/raster/cell-area.ts";
import { makeBand, type RasterSource } from "../../model/raster.ts";
import {
  type AccumulationUnit,
  accumulated,
  bandOf,
  type DirectionOptions,
  readDirections,
} from "./directions.ts";
import { framedSource } from "./framed.ts";

export interface FlowAccumulationOptions extends DirectionOptions {
  /** Default `"cells"`. */
  readonly unit?: AccumulationUnit | undefined;
  /** Where areas are measured. Default: the plane for projected rasters, the ellipsoid (WGS 84) for degrees. */
  readonly surface?: Surface | undefined;
  /**
   * Cells whose catchment may reach beyond the raster, because water from its edge or from beside missing cells comes to
   * them: `"plain"` (default) like others, or `"negative"`, as GRASS marks them.
   */
  readonly incomplete?: "plain" | "negative" | undefined;
}

/**
 * What drains through each cell, itself included, from a raster of flow directions: cells (int32, nodata 0) or area (float64,
 * nodata NaN). Lazy, see {@link fillDepressions}.
 *
 * @throws GeoError `INVALID_INPUT`, `UNSUPPORTED`; when read, `LIMIT`, and `INVALID_INPUT` for directions that are none or
 * that run in a circle
 */
export function flowAccumulation(
  directions: RasterSource,
  options: FlowAccumulationOptions = {},
): RasterSource {
  const { unit = "cells", incomplete = "plain" } = options;
  bandOf(directions, options.band ?? 0);
  const cells = unit === "cells";
  const band = makeBand({
    type: cells ? "int32" : "float64",
    nodata: cells ? 0 : Number.NaN,
    unit: unit === "cells" ? "cells" : unit,
    description: "flow accumulation",
  });
  return framedSource(directions, band, async (signal) => {
    const flow = await readDirections(directions, { ...options, signal: signal ?? options.signal });
    const sums = accumulated(directions, flow, unit, options.surface);
    if (incomplete === "negative") {
      const open = openCatchments(flow, directions.grid);
      for (let i = 0; i < sums.length; i++) if (open[i] === 1) sums[i] = -sums[i]!;
    }
    if (!cells) return { values: sums };
    const counts = new Int32Array(sums.length);
    // No cell drains through less than itself: 0 is free for nodata.
    for (let i = 0; i < sums.length; i++) counts[i] = flow[i] === NO_GROUND ? 0 : sums[i]!;
    return { values: counts };
  });
}
