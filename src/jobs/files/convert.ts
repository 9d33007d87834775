import { parseCrs } from "../../crs/parse.ts";
import { isRasterFile, openFeatures, openRaster, writeFeatures, writeRaster } from "../../io/open.ts";
import { describeCrs, sameCrs } from "../../model/crs.ts";
import { GeoError } from "../../model/errors.ts";
import type { FeatureSource } from "../../model/features.ts";
import type { Bounds } from "../../model/grid.ts";
import type { RasterSource } from "../../model/raster.ts";
import { clipRaster } from "../../operators/clip-raster.ts";
import { reprojectFeatures } from "../../operators/reproject-features.ts";
import { filterFeatures } from "../../operators/where.ts";
import { type CogFileOptions, cogOptionsOf, readBudget } from "./cog-options.ts";
import type { FileOptions, FileResult } from "./result.ts";

export interface ConvertOptions extends FileOptions, CogFileOptions {
  /** CRS of the output, for vectors: code, WKT or PROJ text. */
  readonly to?: string | undefined;
  /** Layer of a file that holds several. */
  readonly layer?: string | undefined;
  /** Vectors: only these attributes, in this order. */
  readonly fields?: readonly string[] | undefined;
  /** Vectors: only features that meet a condition. */
  readonly where?: string | undefined;
  /** Only what meets these bounds, in the CRS of the input. Rasters are cut to whole pixels. */
  readonly bounds?: Bounds | undefined;
}

/**
 * Convert format and CRS, file to file; `tilth convert`. Rasters become Cloud Optimized GeoTIFFs; layers become what the
 * name of the output says.
 *
 * @throws GeoError `UNSUPPORTED` for a raster in another CRS; `INVALID_INPUT` for attributes that are not there
 */
export async function convertFile(
  input: string,
  output: string,
  options: ConvertOptions = {},
): Promise<FileResult> {
  return (await isRasterFile(input))
    ? await convertRaster(input, output, options)
    : await convertVector(input, output, options);
}

async function convertRaster(input: string, output: string, options: ConvertOptions): Promise<FileResult> {
  const { to, bounds, signal, onProgress, overwrite } = options;
  const source = await openRaster(input, { cacheBytes: readBudget(options.memory) });
  try {
    for (const name of ["fields", "where"] as const) {
      if (options[name] === undefined) continue;
      throw new GeoError("INVALID_INPUT", `--${name} is for vectors; ${input} is a raster`, {
        path: name,
        expected: "a vector layer",
      });
    }
    if (to !== undefined && !sameCrs(parseCrs(to), source.grid.crs)) {
      throw new GeoError(
        "UNSUPPORTED",
        `${input} is in ${describeCrs(source.grid.crs)}; convert does not reproject rasters`,
        { feature: "raster reprojection", path: input },
        { hint: "Reproject it first, for example with gdalwarp, or leave --to away." },
      );
    }
    const warnings: string[] = [...source.warnings];
    let view: RasterSource = source;
    if (bounds !== undefined) {
      const clipped = await clipRaster(source, bounds, {
        pixels: "all-touched",
        memory: readBudget(options.memory),
        signal,
      });
      warnings.push(...clipped.report.warnings);
      view = clipped;
    }
    const { result, ...written } = await writeRaster(output, view, {
      ...cogOptionsOf(options),
      overwrite,
      signal,
      onProgress: (done: number, total: number) => onProgress?.("converting", done, total, "pixels"),
    });
    return {
      outputs: [written],
      summary: {
        kind: "raster",
        width: result.width,
        height: result.height,
        bands: result.bands,
        pixels: result.width * result.height,
        overviews: result.overviews.length,
        tiles: result.tiles,
        bigTiff: result.bigTiff,
      },
      warnings,
    };
  } finally {
    await source.close();
  }
}

async function convertVector(input: string, output: string, options: ConvertOptions): Promise<FileResult> {
  const { to, fields, where, bounds, signal, onProgress, overwrite } = options;
  const source = await openFeatures(input, { layer: options.layer });
  try {
    const known = source.schema.fields.map(({ name }) => name);
    const missing = fields?.find((name) => !known.includes(name));
    if (missing !== undefined) {
      throw new GeoError(
        "INVALID_INPUT",
        `${input} has no attribute "${missing}"`,
        { path: "fields", expected: known.join(", ") },
        {
          hint: `It has: ${known.join(", ")}.`,
        },
      );
    }
    const warnings: string[] = [];
    let view: FeatureSource = selecting(source, bounds);
    if (where !== undefined) view = filterFeatures(view, where);
    if (fields !== undefined) view = withFields(view, fields);
    const reprojected = to === undefined ? null : reprojectFeatures(view, parseCrs(to));
    const { path, kind, bytes, sha256, summary } = await writeFeatures(output, reprojected ?? view, {
      overwrite,
      signal,
      onProgress: (written) => onProgress?.("converting", written, source.schema.count, "features"),
    });
    warnings.push(...source.warnings, ...(reprojected?.report.warnings ?? []));
    const lost = reprojected?.report.lost ?? 0;
    if (lost > 0) warnings.push(`${lost} features have no place in ${to}: their geometry became null`);
    return {
      outputs: [{ path, kind, bytes, sha256 }],
      summary: {
        kind,
        featuresOut: summary.count,
        ...(lost > 0 ? { lost } : {}),
        ...(summary.renamed === undefined ? {} : { renamed: summary.renamed }),
      },
      warnings: [...warnings, ...summary.warnings],
    };
  } finally {
    await source.close();
  }
}

/** A source that always reads within bounds (of its own CRS). */
function selecting(source: FeatureSource, bounds: Bounds | undefined): FeatureSource {
  if (bounds === undefined) return source;
  return { ...plain(source), batches: (read = {}) => source.batches({ ...read, bounds }) };
}

/** A source with some of the attributes only. */
function withFields(source: FeatureSource, names: readonly string[]): FeatureSource {
  const fields = names.map((name) => source.schema.fields.find((field) => field.name === name)!);
  return {
    ...plain(source),
    schema: { ...source.schema, fields },
    batches: (read = {}) => source.batches({ ...read, fields: read.fields ?? names }),
  };
}

function plain(source: FeatureSource): FeatureSource {
  const { url, driver, schema, layers, warnings } = source;
  return {
    url,
    driver,
    schema,
    layers,
    warnings,
    batches: (read) => source.batches(read),
    close: () => source.close(),
  };
}
