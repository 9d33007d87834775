import { readFile } from "node:fs/promises";
import { openFeatures, openRaster, writeFeatures } from "../../io/open.ts";
import { readError } from "../../io/read-errors.ts";
import { GeoError } from "../../model/errors.ts";
import { type ClassInfo, type DominantOptions, dominantClass } from "../../operators/dominant.ts";
import type { FileOptions, FileResult } from "./result.ts";

export interface DominantFileOptions
  extends FileOptions,
    Pick<DominantOptions, "areaUnit" | "minShare" | "tie" | "surface"> {
  /** Layer of the zones. */
  readonly layer?: string | undefined;
  /** Path of a JSON file with names and colours: `[{value, name, color?}]`. */
  readonly classes?: string | undefined;
  readonly pixels?: "center" | "all-touched" | `coverage:${number}` | undefined;
  /** Band of the raster, from 1. Default 1. */
  readonly band?: number | undefined;
}

/**
 * Area of each class and the dominant class per zone, file to file; `tilth dominant`. The output holds the zones with the
 * columns that {@link dominantClass} lists, in any vector or table format.
 *
 * @throws GeoError `UNSUPPORTED` for `coverage:F`; those of {@link dominantClass}
 */
export async function dominantFile(
  zones: string,
  source: string,
  output: string,
  options: DominantFileOptions = {},
): Promise<FileResult> {
  const { pixels = "center", band = 1, signal, onProgress } = options;
  if (pixels !== "center" && pixels !== "all-touched") {
    throw new GeoError(
      "UNSUPPORTED",
      `dominant does not take --pixels ${pixels}`,
      { feature: pixels },
      {
        hint: "Use center or all-touched.",
      },
    );
  }
  if (!Number.isInteger(band) || band < 1) {
    throw new GeoError("INVALID_INPUT", `band ${band} is not usable, expected a whole number from 1`, {
      path: "band",
      expected: "a whole number from 1",
    });
  }
  if (options.minShare !== undefined && !(options.minShare >= 0 && options.minShare <= 1)) {
    const expected = "a share from 0 to 1";
    throw new GeoError("INVALID_INPUT", `min-share ${options.minShare} is not usable, expected ${expected}`, {
      path: "min-share",
      expected,
    });
  }
  const classes = options.classes === undefined ? undefined : await readClasses(options.classes);
  const raster = await openRaster(source);
  try {
    const features = await openFeatures(zones, { layer: options.layer });
    try {
      const { geometryTypes } = features.schema;
      if (geometryTypes.length === 1 && geometryTypes[0] === 0) {
        throw new GeoError(
          "INVALID_GEOMETRY",
          `${zones} has no geometry, expected polygons as zones`,
          { reason: "no geometry" },
          { hint: "Zones come first, the raster second: tilth dominant ZONES SOURCE OUT." },
        );
      }
      const { areaUnit, minShare, tie, surface, memory, onCrsMismatch } = options;
      const result = await dominantClass(features, raster, {
        band: band - 1,
        pixels,
        areaUnit,
        minShare,
        tie,
        surface,
        classes,
        memory,
        onCrsMismatch,
        signal,
        onProgress: (done, total) => onProgress?.("counting classes", done, total, "pixels"),
      });
      const written = await writeFeatures(output, result.table, { overwrite: options.overwrite, signal });
      const { path, kind, bytes, sha256, summary } = written;
      const [year] = result.years;
      return {
        outputs: [{ path, kind, bytes, sha256 }],
        summary: {
          zones: result.table.count,
          classes: result.classes.length,
          emptyZones: result.emptyZones,
          pixels: year!.pixels.reduce((sum, pixels) => sum + pixels, 0),
          ...(summary.renamed === undefined ? {} : { renamed: summary.renamed }),
        },
        warnings: [...features.warnings, ...result.warnings, ...summary.warnings],
      };
    } finally {
      await features.close();
    }
  } finally {
    await raster.close();
  }
}

async function readClasses(path: string): Promise<ClassInfo[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw readError(path, error);
  }
  const wrong = (found: string): GeoError =>
    new GeoError(
      "INVALID_FORMAT",
      `${path} is no list of classes: ${found}`,
      { format: "classes", path },
      {
        hint: 'Expected JSON such as [{"value": 1, "name": "Built-up", "color": "#c43737"}].',
      },
    );
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    throw wrong((error as Error).message);
  }
  if (!Array.isArray(list) || list.length === 0) throw wrong("it is not a list with entries");
  return list.map((entry: unknown, k) => {
    const { value, name, color } = (entry ?? {}) as { value?: unknown; name?: unknown; color?: unknown };
    if (typeof value !== "number" || typeof name !== "string")
      throw wrong(`entry ${k + 1} lacks a value or a name`);
    return { value, name, ...(typeof color === "string" ? { color } : {}) };
  });
}
