import { threads } from "../../execution/threads.ts";
import type { GeoTiffSource } from "../../io/geotiff/read.ts";
import type { CogOptions } from "../../io/geotiff/write.ts";
import { storedLike } from "../../io/geotiff/write-copy.ts";
import {
  isRasterFile,
  openFeatures,
  openRaster,
  readFeatures,
  writeFeatures,
  writeRaster,
} from "../../io/open.ts";
import { GeoError } from "../../model/errors.ts";
import type { FeatureTable } from "../../model/features.ts";
import type { Bounds } from "../../model/grid.ts";
import { clipFeatures, type Slivers } from "../../operators/clip-features.ts";
import { type ClipRasterOptions, clipRaster } from "../../operators/clip-raster.ts";
import { type CogFileOptions, cogOptionsOf, readBudget } from "./cog-options.ts";
import type { FileOptions, FileResult } from "./result.ts";

export interface ClipFileOptions extends FileOptions, CogFileOptions {
  /** Layer of the input. */
  readonly layer?: string | undefined;
  /** Layer of the region's file. */
  readonly regionLayer?: string | undefined;
  /** Vectors: cut features, keep those that meet the region whole, or only those inside. Default `"cut"`. */
  readonly keep?: "cut" | "whole" | "inside" | undefined;
  /** Vectors, cut: drop what is left of a polygon or line in a lower dimension. Default true. */
  readonly keepGeometryType?: boolean | undefined;
  /** Vectors, cut: remove slivers; see {@link clipFeatures}. */
  readonly slivers?: Slivers | undefined;
  /** Rasters: which pixels are inside. Default `"center"`. */
  readonly pixels?: ClipRasterOptions["pixels"];
  /**
   * Rasters: cut the grid to the region. Default true. `"tiles"`: to whole tiles of the input, and copy the compressed
   * tiles that lie wholly inside; the output then has the tiles, compression and predictor of the input unless others
   * are asked for.
   */
  readonly crop?: boolean | "tiles" | undefined;
  /** Rasters: keep what is outside. Default false. */
  readonly invert?: boolean | undefined;
  /** Rasters: sample of the pixels cut away; see {@link clipRaster}. */
  readonly fill?: number | undefined;
}

/**
 * Clip a file to a region, file to file; `tilth clip`. Vector or raster is told by the bytes of the input.
 *
 * @param region  Path of a polygon layer, or bounds in the CRS of the input.
 * @throws GeoError `NO_OVERLAP` when a raster and the region do not meet; see {@link clipFeatures}, {@link clipRaster}
 */
export async function clipFile(
  input: string,
  output: string,
  region: string | Bounds,
  options: ClipFileOptions = {},
): Promise<FileResult> {
  const raster = await isRasterFile(input);
  const by = typeof region === "string" ? await readRegion(region, raster, options) : region;
  return raster
    ? await clipRasterFile(input, output, by, options)
    : await clipVectorFile(input, output, by, options);
}

async function readRegion(path: string, raster: boolean, options: ClipFileOptions): Promise<FeatureTable> {
  const table = await readFeatures(path, { layer: options.regionLayer });
  const types = table.geometry?.types ?? new Uint8Array();
  const enough = raster ? types.some((type) => type !== 0) : types.some((type) => AREAS.has(type));
  if (enough) return table;
  const found = table.geometry === null ? "no geometry" : raster ? "nothing but empty rows" : "no polygon";
  throw new GeoError(
    "INVALID_GEOMETRY",
    `${path} has ${found}, expected polygons to clip by`,
    { reason: found },
    { hint: "Pass a layer of polygons with --by, or bounds with --bbox." },
  );
}

/** Polygon, MultiPolygon and collections, which may hold some. */
const AREAS: ReadonlySet<number> = new Set([3, 6, 7]);

type Region = FeatureTable | Bounds;

async function clipRasterFile(
  input: string,
  output: string,
  region: Region,
  options: ClipFileOptions,
): Promise<FileResult> {
  const { signal, onProgress, overwrite, memory } = options;
  const source = await openRaster(input, { cacheBytes: readBudget(options.memory) });
  try {
    const tiles = options.crop === "tiles";
    const cog = cogOptionsOf(options);
    const clipped = await clipRaster(source, region, {
      pixels: options.pixels,
      ...(options.crop === false || tiles ? { crop: options.crop } : {}),
      ...(tiles ? { tile: tilesToCut(source, options.overviews) } : {}),
      invert: options.invert,
      fill: options.fill,
      onCrsMismatch: options.onCrsMismatch,
      memory: readBudget(memory),
      signal,
    });
    const { result, ...written } = await writeRaster(output, clipped, {
      ...(tiles ? storedAs(source, cog) : cog),
      overwrite,
      signal,
      onProgress: (done: number, total: number) => onProgress?.("clipping", done, total, "pixels"),
    });
    const { report } = clipped;
    return {
      outputs: [written],
      summary: {
        kind: "raster",
        pixels: report.pixels,
        pixelsInside: report.pixelsInside,
        width: result.width,
        height: result.height,
        window: [report.window.col, report.window.row, report.window.width, report.window.height],
        ...(tiles ? { tilesCopied: result.copiedTiles } : {}),
        noCenterInside: report.noCenterInside,
      },
      warnings:
        result.copyObstacle === null
          ? report.warnings
          : [...report.warnings, `no tile was copied, all were encoded again: ${result.copyObstacle}`],
    };
  } finally {
    await source.close();
  }
}

/**
 * Tiles of the input that are cut to: pairs of them each way when overviews are wanted and the input has some, so that tiles
 * of its first overview, a quarter of the pixels, can be copied as well.
 */
function tilesToCut(
  { tile, info }: GeoTiffSource,
  overviews: CogOptions["overviews"],
): { width: number; height: number } {
  const times = overviews === "none" || overviews === 0 || info.overviews.length === 0 ? 1 : 2;
  return { width: times * tile.width, height: times * tile.height };
}

/** The options that are given, and those of the input's own tiles where none is. */
function storedAs(source: GeoTiffSource, options: CogOptions): CogOptions {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...storedLike(source), ...Object.fromEntries(given) };
}

async function clipVectorFile(
  input: string,
  output: string,
  region: Region,
  options: ClipFileOptions,
): Promise<FileResult> {
  const { signal, onProgress, overwrite } = options;
  const source = await openFeatures(input, { layer: options.layer });
  const executor = threads(options.workers);
  try {
    const clipped = await clipFeatures(source, region, {
      executor,
      keep: options.keep,
      keepGeometryType: options.keepGeometryType,
      slivers: options.slivers,
      onCrsMismatch: options.onCrsMismatch,
      signal,
    });
    const { path, kind, bytes, sha256, summary } = await writeFeatures(output, clipped, {
      overwrite,
      signal,
      onProgress: (written) => onProgress?.("clipping", written, null, "features"),
    });
    const { warnings, ...counts } = clipped.report;
    return {
      outputs: [{ path, kind, bytes, sha256 }],
      summary: {
        kind: "vector",
        ...counts,
        ...(summary.renamed === undefined ? {} : { renamed: summary.renamed }),
      },
      warnings: [...source.warnings, ...warnings, ...summary.warnings],
    };
  } finally {
    await executor.close();
    await source.close();
  }
}
