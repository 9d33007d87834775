import { threads } from "../../execution/threads.ts";
import { openFeatures, openRaster, writeFeatures } from "../../io/open.ts";
import { GeoError } from "../../model/errors.ts";
import type { RasterSource } from "../../model/raster.ts";
import { type ZonalOptions, zonalStats } from "../../operators/zonal-stats.ts";
import { DEFAULT_MEMORY, type FileOptions, type FileResult } from "./result.ts";

export interface ZonalFileOptions
  extends FileOptions,
    Pick<
      ZonalOptions,
      "stats" | "pixels" | "minCoverage" | "preset" | "tie" | "quantiles" | "area" | "weightsBand"
    > {
  /** Layer of the zones. */
  readonly layer?: string | undefined;
  /** Attributes of the zones to keep, in this order; default all. */
  readonly fields?: readonly string[] | undefined;
  /** Bands, 0-based. Default all. */
  readonly bands?: readonly number[] | undefined;
  /** Path of the raster of weights. */
  readonly weights?: string | undefined;
}

/**
 * Statistics of a raster per zone, file to file; `tilth zonal`. The output holds the zones with the columns that
 * {@link zonalStats} lists, in any vector or table format.
 *
 * @throws GeoError `INVALID_GEOMETRY` for zones without geometry; those of {@link zonalStats}
 */
export async function zonalFile(
  raster: string,
  zones: string,
  output: string,
  options: ZonalFileOptions = {},
): Promise<FileResult> {
  const { signal, onProgress, overwrite, onCrsMismatch, memory = DEFAULT_MEMORY } = options;
  const executor = threads(options.workers);
  let source: RasterSource | null = null;
  let weights: RasterSource | null = null;
  try {
    source = await openRaster(raster);
    if (options.weights !== undefined) weights = await openRaster(options.weights);
    const features = await openFeatures(zones, { layer: options.layer });
    try {
      const { geometryTypes, fields } = features.schema;
      if (geometryTypes.length === 1 && geometryTypes[0] === 0) {
        throw new GeoError(
          "INVALID_GEOMETRY",
          `${zones} has no geometry, expected polygons as zones`,
          { reason: "no geometry" },
          { hint: "The raster comes first, the zones second: tilth zonal RASTER ZONES OUT." },
        );
      }
      for (const name of options.fields ?? []) {
        if (fields.some((field) => field.name === name)) continue;
        const expected = fields.map((field) => field.name).join(", ");
        throw new GeoError("INVALID_INPUT", `${zones} has no field ${name}`, { path: "fields", expected });
      }
      const { fields: kept } = options;
      const chosen =
        kept === undefined
          ? features
          : {
              ...features,
              batches: (batch = {}) => features.batches({ ...batch, fields: kept }),
              schema: {
                ...features.schema,
                fields: kept.map((name) => fields.find((field) => field.name === name)!),
              },
            };
      const { table, report } = await zonalStats(chosen, source, {
        stats: options.stats,
        bands: options.bands,
        pixels: options.pixels,
        minCoverage: options.minCoverage,
        preset: options.preset,
        tie: options.tie,
        quantiles: options.quantiles,
        area: options.area,
        weights: weights ?? undefined,
        weightsBand: options.weightsBand,
        onCrsMismatch,
        memory,
        executor,
        signal,
        onProgress: (done, total) => onProgress?.("reading pixels", done, total, "pixels"),
      });
      const written = await writeFeatures(output, table, { overwrite, signal });
      const { path, kind, bytes, sha256, summary } = written;
      return {
        outputs: [{ path, kind, bytes, sha256 }],
        summary: {
          zones: report.zones,
          pixels: report.pixels,
          pixelsRead: report.pixelsRead,
          emptyZones: report.emptyZones,
          bands: options.bands?.length ?? source.bands.length,
          ...(summary.renamed === undefined ? {} : { renamed: summary.renamed }),
        },
        warnings: [...features.warnings, ...report.warnings, ...summary.warnings],
      };
    } finally {
      await features.close();
    }
  } finally {
    await executor.close();
    await weights?.close();
    await source?.close();
  }
}
