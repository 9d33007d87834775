import { z } from "zod";
import { GeoError } from "../model/errors.ts";
import type { RasterSource } from "../model/raster.ts";
import { flowDirection } from "../operators/hydrology.ts";
import type { InputSpec, PipelineContext } from "./define.ts";

/** Parameters of the pipelines that can start from heights. They mean nothing where the ready raster is given. */
export const depressions: z.ZodDefault<z.ZodEnum<{ fill: "fill"; breach: "breach" }>> = z
  .enum(["fill", "breach"])
  .default("fill")
  .describe(
    "from a DEM, ground that has no way out; fill: raised until it overflows; breach: channels are cut through what holds the water back",
  );

export const maxCells: z.ZodDefault<z.ZodNumber> = z
  .number()
  .int()
  .positive()
  .default(1e8)
  .describe("cells of the largest DEM that is taken on: it is held in memory, some 25 bytes a cell");

export const pixels: z.ZodDefault<z.ZodEnum<{ center: "center"; "all-touched": "all-touched" }>> = z
  .enum(["center", "all-touched"])
  .default("center")
  .describe("which pixels belong to a unit: those whose centre it holds, or all that it touches");

export const DEM: InputSpec = {
  kind: "raster",
  title: "Elevation",
  expects:
    "heights, first band, of the whole catchment of the units; instead of the ready raster. Water that comes from beyond it is not known",
  optional: true,
};

/**
 * Flow directions from the DEM, or `null` when the ready raster was given.
 *
 * @throws GeoError `INVALID_INPUT` when both were given, or none
 */
export function directionsFromDem(
  context: PipelineContext,
  options: { readonly depressions: "fill" | "breach"; readonly maxCells: number },
): RasterSource | null {
  const { inputs } = context;
  if (inputs.has("raster") === inputs.has("dem")) {
    throw new GeoError(
      "INVALID_INPUT",
      inputs.has("dem") ? "raster and dem are both given" : "neither raster nor dem is given",
      { path: "raster", expected: "one of raster and dem" },
      { hint: "Give the ready raster as raster, or heights to derive it from as dem." },
    );
  }
  if (!inputs.has("dem")) return null;
  context.progress("following the water", 0, null, "cells");
  return flowDirection(inputs.raster("dem"), { ...options, signal: context.signal });
}
