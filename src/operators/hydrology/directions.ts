import {
  type DirectionCodes,
  decodeDirections,
  type Mirrored,
} from "../../kernels/hydrology/direction-codes.ts";
import { CIRCLE, flowAccumulation } from "../../kernels/hydrology/flow-accumulation.ts";
import type { Surface } from "../../kernels/raster/cell-area.ts";
import { GeoError } from "../../model/errors.ts";
import type { Grid } from "../../model/grid.ts";
import type { Band, RasterSource } from "../../model/raster.ts";
import { cellAreas } from "./cell-sizes.ts";
import { readFramed, type WholeRasterOptions } from "./framed.ts";

/** Metadata of the band that says which codes it holds. */
export const CODES = "FLOW_DIRECTION_CODES";

export interface DirectionOptions extends WholeRasterOptions {
  /** How directions are coded. Default: what the band's metadata say, else `"esri"`. */
  readonly codes?: DirectionCodes | undefined;
}

/**
 * Directions in memory from a raster of codes, framed.
 *
 * @throws GeoError `INVALID_INPUT` for numbers that are no codes
 */
export async function readDirections(source: RasterSource, options: DirectionOptions): Promise<Uint8Array> {
  const { band = 0 } = options;
  const named = bandOf(source, band).metadata[CODES];
  const codes = options.codes ?? (named === "grass" ? "grass" : "esri");
  const values = await readFramed(source, options, (length) => new Float32Array(length));
  try {
    return decodeDirections(values, source.grid, codes, mirrored(source.grid));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new GeoError(
      "INVALID_INPUT",
      `${source.url} ${error.message}`,
      { path: "source", expected: "flow directions" },
      {
        cause: error,
        hint: `Directions of ${codes === "esri" ? "GRASS (1 to 8" : "ESRI (1, 2, 4 to 128"}) need codes: "${codes === "esri" ? "grass" : "esri"}".`,
      },
    );
  }
}

/** What accumulation is measured in. */
export type AccumulationUnit = "cells" | "m2" | "ha" | "km2";

const SQUARE_METRES: Readonly<Record<Exclude<AccumulationUnit, "cells">, number>> = {
  m2: 1,
  ha: 1e4,
  km2: 1e6,
};

/**
 * Accumulation of framed directions in a unit.
 *
 * @throws GeoError `INVALID_INPUT` when they run in a circle
 */
export function accumulated(
  source: RasterSource,
  directions: Uint8Array,
  unit: AccumulationUnit,
  surface: Surface | undefined,
): Float64Array {
  const { grid } = source;
  const weights = unit === "cells" ? new Float64Array(grid.height).fill(1) : cellAreas(grid, surface);
  if (unit !== "cells") for (let row = 0; row < weights.length; row++) weights[row]! /= SQUARE_METRES[unit];
  return noCircle(source, () => flowAccumulation(directions, grid, weights));
}

/** Run a kernel over directions from outside; water in a circle is the input's fault. */
export function noCircle<T>(source: RasterSource, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof RangeError && error.message.startsWith(CIRCLE))) throw error;
    throw new GeoError(
      "INVALID_INPUT",
      `${source.url}: ${error.message}`,
      { path: "source", expected: "flow directions" },
      { cause: error, hint: "Make directions from the heights with flowDirection." },
    );
  }
}

export function bandOf(source: RasterSource, band: number): Band {
  const description = source.bands[band];
  if (description !== undefined) return description;
  throw new GeoError("INVALID_INPUT", `${source.url} has no band ${band + 1}`, {
    path: "band",
    expected: `0 to ${source.bands.length - 1}`,
  });
}

export function mirrored({ transform }: Grid): Mirrored {
  return { south: transform[4] > 0, west: transform[0] < 0 };
}
