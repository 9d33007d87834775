import { threads } from "../../execution/threads.ts";
import { openRaster, writeRaster } from "../../io/open.ts";
import { type WarpOptions, warpRaster } from "../../operators/warp.ts";
import { type CogFileOptions, cogOptionsOf, readBudget } from "./cog-options.ts";
import type { FileOptions, FileResult } from "./result.ts";

export interface WarpFileOptions
  extends FileOptions,
    CogFileOptions,
    Omit<WarpOptions, "like" | "memory" | "executor" | "signal"> {
  /** Path of a raster whose grid the result takes. */
  readonly like?: string | undefined;
}

/**
 * Bring a raster to another grid, file to file; `tilth warp`. The result is a COG.
 *
 * @throws GeoError those of {@link warpRaster}
 */
export async function warpFile(
  input: string,
  output: string,
  options: WarpFileOptions = {},
): Promise<FileResult> {
  const { signal, onProgress, overwrite, memory, like, workers } = options;
  const source = await openRaster(input, { cacheBytes: readBudget(memory) / 2 });
  const executor = threads(workers);
  try {
    const warped = await warpRaster(source, {
      ...options,
      like: like === undefined ? undefined : { grid: await gridOf(like) },
      memory: readBudget(memory),
      executor,
    });
    const { result, ...written } = await writeRaster(output, warped, {
      ...cogOptionsOf(options),
      overwrite,
      signal,
      onProgress: (done: number, total: number) => onProgress?.("warping", done, total, "pixels"),
    });
    const { report, grid } = warped;
    return {
      outputs: [written],
      summary: {
        kind: "raster",
        width: result.width,
        height: result.height,
        bands: result.bands,
        pixels: report.pixels,
        crs: grid.crs === null ? null : (grid.crs.code ?? grid.crs.name),
        transform: [...grid.transform],
        resampling: report.resampling,
        scale: [...report.scale],
        crossesAntimeridian: report.crossesAntimeridian,
      },
      warnings: report.warnings,
    };
  } finally {
    await executor.close();
    await source.close();
  }
}

async function gridOf(path: string): Promise<NonNullable<WarpOptions["like"]>["grid"]> {
  const raster = await openRaster(path);
  try {
    return raster.grid;
  } finally {
    await raster.close();
  }
}
