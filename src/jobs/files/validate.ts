import { threads } from "../../execution/threads.ts";
import { isRasterFile, type OutputFile, openFeatures, writeFeatures } from "../../io/open.ts";
import { GeoError } from "../../model/errors.ts";
import type { JsonValue } from "../../model/features.ts";
import { checkFeatures, repairFeatures } from "../../operators/validity.ts";
import type { FileOptions, FileResult } from "./result.ts";

export interface ValidateOptions extends FileOptions {
  /** Layer of a file that holds several. */
  readonly layer?: string | undefined;
  /** Vectors: write the layer with its geometries made valid. */
  readonly repair?: string | undefined;
  /** How polygons are rebuilt: by their lines (`"linework"`, default) or by what shells and holes mean. */
  readonly repairMethod?: "linework" | "structure" | undefined;
  /** Keep what loses its area or length as lines and points. */
  readonly keepCollapsed?: boolean | undefined;
}

/** One finding of a check. */
export interface FileProblem {
  readonly level: "error" | "warning";
  /** `"feature 12 at 77.5, 23.1"`, `"byte 4096"` or nothing. */
  readonly where: string;
  readonly message: string;
  readonly code?: string;
  readonly row?: number;
  readonly id?: string | number | null;
  readonly x?: number;
  readonly y?: number;
  readonly offset?: number;
}

export interface ValidateResult extends FileResult {
  /** At most 1,000. */
  readonly problems: readonly FileProblem[];
  /** What was checked, in words. */
  readonly total: string;
}

/**
 * Check a file; `tilth validate`. Vectors: every geometry by the OGC rules. Rasters: the layout of a Cloud Optimized
 * GeoTIFF, by the rules of GDAL's validator and rio-cogeo's strict mode.
 *
 * @throws GeoError of opening the file; problems found are returned, not thrown
 */
export async function validateFile(path: string, options: ValidateOptions = {}): Promise<ValidateResult> {
  return (await isRasterFile(path))
    ? await validateRaster(path, options)
    : await validateVector(path, options);
}

async function validateRaster(path: string, options: ValidateOptions): Promise<ValidateResult> {
  if (options.repair !== undefined) {
    throw new GeoError(
      "INVALID_INPUT",
      `--repair is for vectors; ${path} is a raster`,
      { path: "repair", expected: "a vector layer" },
      {
        hint: "tilth convert writes a raster as a valid COG.",
      },
    );
  }
  const { openBytes } = await import("../../io/bytes/open.ts");
  const { validateCog } = await import("../../io/geotiff/validate-cog.ts");
  const bytes = await openBytes(path);
  try {
    const report = await validateCog(bytes, { signal: options.signal });
    const { valid, strict, width, height, overviews, tiles, sparseTiles } = report;
    const problems = report.problems.map(({ level, code, message, offset }) => ({
      level,
      where: offset === undefined ? "" : `byte ${offset}`,
      message,
      code,
      ...(offset === undefined ? {} : { offset }),
    }));
    return {
      outputs: [],
      summary: {
        kind: "raster",
        cog: valid,
        strict,
        width,
        height,
        overviews: overviews.length,
        tiles,
        sparseTiles,
        problems: listed(problems),
      },
      warnings: [],
      problems,
      total: `${path} as a Cloud Optimized GeoTIFF`,
    };
  } finally {
    await bytes.close();
  }
}

async function validateVector(path: string, options: ValidateOptions): Promise<ValidateResult> {
  const { signal, onProgress, repair } = options;
  const source = await openFeatures(path, { layer: options.layer });
  const executor = threads(options.workers);
  try {
    const report = await checkFeatures(source, { executor, signal });
    const problems = report.problems.map(({ row, id, reason, x, y }) => ({
      level: "error" as const,
      where: `feature ${id ?? row} at ${short(x)}, ${short(y)}`,
      message: reason,
      row,
      id,
      x,
      y,
    }));
    const outputs: OutputFile[] = [];
    let fixed: { readonly [key: string]: JsonValue } = {};
    if (repair !== undefined) {
      const repaired = repairFeatures(source, {
        method: options.repairMethod,
        keepCollapsed: options.keepCollapsed,
        executor,
      });
      const {
        path: to,
        kind,
        bytes,
        sha256,
      } = await writeFeatures(repair, repaired, {
        overwrite: options.overwrite,
        signal,
        onProgress: (written) => onProgress?.("repairing", written, report.features, "features"),
      });
      outputs.push({ path: to, kind, bytes, sha256 });
      fixed = { ...repaired.report };
    }
    const { features, invalid, nulls, empty } = report;
    return {
      outputs,
      summary: { kind: "vector", features, invalid, nulls, empty, ...fixed, problems: listed(problems) },
      warnings: source.warnings,
      problems,
      total: `${features} feature${features === 1 ? "" : "s"} of ${path}`,
    };
  } finally {
    await executor.close();
    await source.close();
  }
}

function listed(problems: readonly FileProblem[]): JsonValue {
  return problems.map(({ where: _, ...problem }) => problem) as unknown as JsonValue;
}

function short(value: number): string {
  return String(Number(value.toPrecision(9)));
}
