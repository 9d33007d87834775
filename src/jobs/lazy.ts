import type { clipFile as ClipFile } from "./files/clip.ts";
import type { compositeFile as CompositeFile } from "./files/composite.ts";
import type { convertFile as ConvertFile } from "./files/convert.ts";
import type { dominantFile as DominantFile } from "./files/dominant.ts";
import type { describeFile as DescribeFile } from "./files/info.ts";
import type { joinFile as JoinFile } from "./files/join.ts";
import type { polygonizeFile as PolygonizeFile } from "./files/polygonize.ts";
import type { rasterizeFile as RasterizeFile } from "./files/rasterize.ts";
import type { validateFile as ValidateFile } from "./files/validate.ts";
import type { warpFile as WarpFile } from "./files/warp.ts";
import type { zonalFile as ZonalFile } from "./files/zonal.ts";
import type { describePipeline as DescribePipeline, loadPipeline as LoadPipeline } from "./pipelines.ts";
import type { planPipeline as PlanPipeline, runPipeline as RunPipeline } from "./run.ts";

// The file-to-file calls and the runs of pipelines, each loaded at its first use, so that importing the library for one
// operator does not load them all. The doc comments stand with the functions themselves.

/** See `describeFile` in `jobs/files/info.ts`: what a file holds. */
export const describeFile: typeof DescribeFile = async (...args) =>
  (await import("./files/info.ts")).describeFile(...args);

/** See `convertFile` in `jobs/files/convert.ts`: format and CRS, file to file. */
export const convertFile: typeof ConvertFile = async (...args) =>
  (await import("./files/convert.ts")).convertFile(...args);

/** See `clipFile` in `jobs/files/clip.ts`: clip a file to a region, file to file. */
export const clipFile: typeof ClipFile = async (...args) =>
  (await import("./files/clip.ts")).clipFile(...args);

/** See `compositeFile` in `jobs/files/composite.ts`: composite dated rasters, files to file. */
export const compositeFile: typeof CompositeFile = async (...args) =>
  (await import("./files/composite.ts")).compositeFile(...args);

/** See `dominantFile` in `jobs/files/dominant.ts`: class areas and dominant class per zone, file to file. */
export const dominantFile: typeof DominantFile = async (...args) =>
  (await import("./files/dominant.ts")).dominantFile(...args);

/** See `joinFile` in `jobs/files/join.ts`: join two layers, file to file. */
export const joinFile: typeof JoinFile = async (...args) =>
  (await import("./files/join.ts")).joinFile(...args);

/** See `rasterizeFile` in `jobs/files/rasterize.ts`: burn a layer into a raster, file to file. */
export const rasterizeFile: typeof RasterizeFile = async (...args) =>
  (await import("./files/rasterize.ts")).rasterizeFile(...args);

/** See `polygonizeFile` in `jobs/files/polygonize.ts`: polygons of a raster's regions, file to file. */
export const polygonizeFile: typeof PolygonizeFile = async (...args) =>
  (await import("./files/polygonize.ts")).polygonizeFile(...args);

/** See `zonalFile` in `jobs/files/zonal.ts`: statistics of a raster per zone, file to file. */
export const zonalFile: typeof ZonalFile = async (...args) =>
  (await import("./files/zonal.ts")).zonalFile(...args);

/** See `validateFile` in `jobs/files/validate.ts`: check geometry, or that a raster is a valid COG. */
export const validateFile: typeof ValidateFile = async (...args) =>
  (await import("./files/validate.ts")).validateFile(...args);

/** See `warpFile` in `jobs/files/warp.ts`: bring a raster to another grid, file to file. */
export const warpFile: typeof WarpFile = async (...args) =>
  (await import("./files/warp.ts")).warpFile(...args);

/** See `loadPipeline` in `jobs/pipelines.ts`: a pipeline by its name or file. */
export const loadPipeline: typeof LoadPipeline = async (...args) =>
  (await import("./pipelines.ts")).loadPipeline(...args);

/** See `describePipeline` in `jobs/pipelines.ts`: parameters, inputs and outputs of a pipeline. */
export const describePipeline: typeof DescribePipeline = async (...args) =>
  (await import("./pipelines.ts")).describePipeline(...args);

/** See `runPipeline` in `jobs/run.ts`: run a pipeline into a folder. */
export const runPipeline: typeof RunPipeline = async (...args) =>
  (await import("./run.ts")).runPipeline(...args);

/** See `planPipeline` in `jobs/run.ts`: what a run would do. */
export const planPipeline: typeof PlanPipeline = async (...args) =>
  (await import("./run.ts")).planPipeline(...args);
