import { openFeatures, openRaster, writeRaster } from "../../io/open.ts";
import { GeoError } from "../../model/errors.ts";
import type { Grid } from "../../model/grid.ts";
import { isFloat, SAMPLE_BYTES } from "../../model/raster.ts";
import { type RasterizeOptions, rasterize } from "../../operators/rasterize.ts";
import { filterFeatures } from "../../operators/where.ts";
import { type CogFileOptions, cogOptionsOf } from "./cog-options.ts";
import type { FileOptions, FileResult } from "./result.ts";

export interface RasterizeFileOptions
  extends FileOptions,
    CogFileOptions,
    Omit<RasterizeOptions, "like" | "grid" | "value" | "signal" | "onCrsMismatch"> {
  /** Path of a raster whose grid the result takes. */
  readonly like?: string | undefined;
  /** Layer of the input. */
  readonly layer?: string | undefined;
  /** Burn only the features for which this expression over their attributes is true. */
  readonly where?: string | undefined;
  /** The same value for every feature. Default 1. */
  readonly value?: number | undefined;
}

/**
 * Burn a layer into a raster, file to file; `tilth rasterize`. The result is a COG. Burnt whole numbers are taken to be classes or
 * ids: overviews take the nearest of them unless asked otherwise, and no mean of them is written into the file.
 *
 * @throws GeoError those of {@link rasterize}
 */
export async function rasterizeFile(
  input: string,
  output: string,
  options: RasterizeFileOptions = {},
): Promise<FileResult> {
  const { signal, onProgress, overwrite, where, layer, onCrsMismatch } = options;
  const { field, value, res, bounds, allTouched, merge, fill, nodata, dtype } = options;
  if (field !== undefined && value !== undefined) {
    throw new GeoError("INVALID_INPUT", `both field ${JSON.stringify(field)} and value ${value} were given`, {
      path: "value",
      expected: "one of them",
    });
  }
  const like = options.like === undefined ? undefined : { grid: await gridOf(options.like) };
  const source = await openFeatures(input, { layer });
  try {
    const features = where === undefined ? source : filterFeatures(source, where);
    const raster = await rasterize(features, {
      like,
      res,
      bounds,
      field,
      value,
      allTouched,
      merge,
      fill,
      nodata,
      dtype,
      onCrsMismatch,
      signal,
    });
    const { type } = raster.bands[0]!;
    const { result, ...written } = await writeRaster(output, raster, {
      ...cogOptionsOf(options),
      ...(isFloat(type)
        ? {}
        : { classes: options.classes ?? true, predictor: predictorOf(type, options), statistics: false }),
      overwrite,
      signal,
      onProgress: (done: number, total: number) => onProgress?.("burning", done, total, "pixels"),
    });
    const { report, grid } = raster;
    return {
      outputs: [written],
      summary: {
        kind: "raster",
        width: result.width,
        height: result.height,
        pixels: result.width * result.height,
        features: report.features,
        withoutValue: report.withoutValue,
        type,
        nodata: raster.bands[0]!.nodata === null ? null : String(raster.bands[0]!.nodata),
        crs: grid.crs === null ? null : (grid.crs.code ?? grid.crs.name),
        transform: [...grid.transform],
      },
      warnings: [...source.warnings, ...report.warnings],
    };
  } finally {
    await source.close();
  }
}

/** Ids in 16 bits and more compress better as differences, unlike classes of a byte. */
function predictorOf(
  type: keyof typeof SAMPLE_BYTES,
  { predictor = "auto", compress }: CogFileOptions,
): CogFileOptions["predictor"] {
  if (predictor !== "auto" || compress === "none" || SAMPLE_BYTES[type] === 1) return predictor;
  return 2;
}

async function gridOf(path: string): Promise<Grid> {
  const raster = await openRaster(path);
  try {
    return raster.grid;
  } finally {
    await raster.close();
  }
}
