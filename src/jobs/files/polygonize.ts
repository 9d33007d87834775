import { openRaster, writeFeatures } from "../../io/open.ts";
import { GeoError } from "../../model/errors.ts";
import { type PolygonizeOptions, polygonize } from "../../operators/polygonize.ts";
import { readBudget } from "./cog-options.ts";
import type { FileOptions, FileResult } from "./result.ts";

export interface PolygonizeFileOptions
  extends FileOptions,
    Pick<PolygonizeOptions, "connectivity" | "field" | "pixels" | "order"> {
  /** Band, from 1. Default 1. */
  readonly band?: number | undefined;
  /** Path of a raster on the same grid; regions are made where its first band is neither 0 nor nodata. */
  readonly mask?: string | undefined;
}

/**
 * Polygons of the regions of equal value of a raster, file to file, in any vector format; `tilth polygonize`.
 *
 * @throws GeoError those of {@link polygonize}
 */
export async function polygonizeFile(
  input: string,
  output: string,
  options: PolygonizeFileOptions = {},
): Promise<FileResult> {
  const { connectivity = 4, field, pixels, order, signal, onProgress, overwrite } = options;
  const { band = 1, memory } = options;
  if (!Number.isInteger(band) || band < 1) {
    throw new GeoError("INVALID_INPUT", `band ${band} is not usable, expected a whole number from 1`, {
      path: "band",
      expected: "a whole number from 1",
    });
  }
  const source = await openRaster(input, { cacheBytes: readBudget(memory) });
  const mask =
    options.mask === undefined
      ? undefined
      : await openRaster(options.mask, { cacheBytes: readBudget(memory) }).catch(async (error: unknown) => {
          await source.close();
          throw error;
        });
  try {
    const features = polygonize(source, {
      band: band - 1,
      connectivity,
      field,
      pixels,
      mask,
      order,
      memory: readBudget(memory),
      onProgress: (done, total) => onProgress?.("polygonizing", done, total, "rows"),
    });
    const { path, kind, bytes, sha256, summary } = await writeFeatures(output, features, {
      overwrite,
      signal,
    });
    const { width, height } = source.grid;
    return {
      outputs: [{ path, kind, bytes, sha256 }],
      summary: {
        kind: "vector",
        width,
        height,
        pixels: width * height,
        featuresOut: summary.count,
        connectivity,
        ...(summary.renamed === undefined ? {} : { renamed: summary.renamed }),
      },
      warnings: [...summary.warnings],
    };
  } finally {
    await Promise.all([source.close(), mask?.close()]);
  }
}
