import { readFile } from "node:fs/promises";
import { threads } from "../../execution/threads.ts";
import { isRasterFile, openFeatures, openRaster, writeFeatures } from "../../io/open.ts";
import { readError } from "../../io/read-errors.ts";
import { GeoError } from "../../model/errors.ts";
import type { FeatureSource, FeatureTable } from "../../model/features.ts";
import { type ClassInfo, type DominantOptions, dominantClass } from "../../operators/dominant.ts";
import type { PolygonClass } from "../../operators/dominant-polygons.ts";
import type { FileOptions, FileResult } from "./result.ts";

export interface DominantFileOptions
  extends FileOptions,
    Pick<DominantOptions, "areaUnit" | "minShare" | "tie" | "surface"> {
  /** Layer of the zones. */
  readonly layer?: string | undefined;
  /** Path of a JSON file with names and colours: `[{value, name, color?}]`. */
  readonly classes?: string | undefined;
  /** Rasters: which pixels belong to a zone. Default `"center"`. */
  readonly pixels?: "center" | "all-touched" | `coverage:${number}` | undefined;
  /** Rasters: band, from 1. Default 1. */
  readonly band?: number | undefined;
  /** Polygons: field of their class. */
  readonly classField?: string | undefined;
  /** Polygons: fields of numbers to average over each zone, weighted by area. */
  readonly meanFields?: readonly string[] | undefined;
  /** Polygons: layer of the source. */
  readonly sourceLayer?: string | undefined;
}

/**
 * Area of each class and the dominant class per zone, file to file; `tilth dominant`. The classes are those of a raster, or of
 * polygons with a class field: the bytes of the source tell which. The output holds the zones with the columns that
 * {@link dominantClass} lists, in any vector or table format.
 *
 * @throws GeoError `UNSUPPORTED` for `coverage:F`; `INVALID_INPUT` for polygons without a class field or with one that is not
 * there; those of {@link dominantClass}
 */
export async function dominantFile(
  zones: string,
  source: string,
  output: string,
  options: DominantFileOptions = {},
): Promise<FileResult> {
  const { minShare } = options;
  if (minShare !== undefined && !(minShare >= 0 && minShare <= 1))
    throw unusable("min-share", minShare, "a share from 0 to 1");
  return (await isRasterFile(source))
    ? await fromRaster(zones, source, output, options)
    : await fromPolygons(zones, source, output, options);
}

async function fromRaster(
  zones: string,
  source: string,
  output: string,
  options: DominantFileOptions,
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
  if (!Number.isInteger(band) || band < 1) throw unusable("band", band, "a whole number from 1");
  for (const name of ["classField", "meanFields"] as const) {
    if (options[name] === undefined) continue;
    throw new GeoError(
      "INVALID_INPUT",
      `${source} is a raster: its classes are samples, not a field`,
      { path: name, expected: "polygons as the source" },
      { hint: "Leave the option out, or pass polygons as the second file." },
    );
  }
  const classes = await numberClasses(options.classes);
  const raster = await openRaster(source);
  try {
    return await withZones(zones, options, async (features) => {
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
      const [year] = result.years;
      return await write(output, result, options, {
        zones: result.table.count,
        classes: result.classes.length,
        emptyZones: result.emptyZones,
        pixels: year!.pixels.reduce((sum, pixels) => sum + pixels, 0),
      });
    });
  } finally {
    await raster.close();
  }
}

async function fromPolygons(
  zones: string,
  source: string,
  output: string,
  options: DominantFileOptions,
): Promise<FileResult> {
  const { classField, signal, onProgress } = options;
  for (const name of ["band", "pixels"] as const) {
    if (options[name] === undefined) continue;
    throw new GeoError(
      "INVALID_INPUT",
      `${source} is a vector layer: --${name} is for rasters`,
      { path: name, expected: "a raster as the source" },
      { hint: "Leave the option out." },
    );
  }
  const classes = options.classes === undefined ? undefined : await readClasses(options.classes);
  const polygons = await openFeatures(source, { layer: options.sourceLayer });
  const executor = threads(options.workers);
  try {
    requirePolygons(polygons, source, "class polygons");
    if (classField === undefined) {
      const names = polygons.schema.fields.map(({ name }) => name).join(", ");
      throw new GeoError(
        "INVALID_INPUT",
        `${source} holds polygons: which field holds their class?`,
        { path: "class-field", expected: names },
        { hint: names === "" ? "It has no fields." : `Pass --class-field with one of: ${names}.` },
      );
    }
    return await withZones(zones, options, async (features) => {
      const { areaUnit, minShare, tie, surface, onCrsMismatch, meanFields } = options;
      const result = await dominantClass(features, polygons, {
        classField,
        areaUnit,
        minShare,
        tie,
        surface,
        classes,
        meanFields,
        onCrsMismatch,
        executor,
        signal,
        onProgress: (done, total) => onProgress?.("measuring overlaps", done, total, "polygons"),
      });
      const written = await write(output, result, options, {
        zones: result.table.count,
        classes: result.classes.length,
        emptyZones: result.emptyZones,
        polygons: result.polygons,
        unclassed: result.unclassed,
        overlappingZones: result.overlappingZones,
      });
      return { ...written, warnings: [...polygons.warnings, ...written.warnings] };
    });
  } finally {
    await executor.close();
    await polygons.close();
  }
}

async function withZones(
  zones: string,
  options: DominantFileOptions,
  body: (features: FeatureSource) => Promise<FileResult>,
): Promise<FileResult> {
  const features = await openFeatures(zones, { layer: options.layer });
  try {
    requirePolygons(features, zones, "zones");
    const result = await body(features);
    return { ...result, warnings: [...features.warnings, ...result.warnings] };
  } finally {
    await features.close();
  }
}

/** Polygon, MultiPolygon and collections, which may hold some. */
const AREAS: ReadonlySet<number> = new Set([3, 6, 7]);

function requirePolygons({ schema }: FeatureSource, path: string, role: "zones" | "class polygons"): void {
  const { geometryTypes } = schema;
  // Layers that do not say may hold some; zones on a raster may be points and lines too.
  const fits = (type: number): boolean => (role === "zones" ? type !== 0 : AREAS.has(type));
  if (geometryTypes.length === 0 || geometryTypes.some(fits)) return;
  const reason = geometryTypes.every((type) => type === 0) ? "no geometry" : "no polygon";
  throw new GeoError(
    "INVALID_GEOMETRY",
    `${path} has ${reason}, expected polygons as ${role}`,
    { reason },
    { hint: "Zones come first, the classes second: tilth dominant ZONES SOURCE OUT." },
  );
}

async function write(
  output: string,
  result: { readonly table: FeatureTable; readonly warnings: readonly string[] },
  { overwrite, signal }: DominantFileOptions,
  counts: Readonly<Record<string, number>>,
): Promise<FileResult> {
  const { summary, path, kind, bytes, sha256 } = await writeFeatures(output, result.table, {
    overwrite,
    signal,
  });
  return {
    outputs: [{ path, kind, bytes, sha256 }],
    summary: { ...counts, ...(summary.renamed === undefined ? {} : { renamed: summary.renamed }) },
    warnings: [...result.warnings, ...summary.warnings],
  };
}

function unusable(path: string, value: number, expected: string): GeoError<"INVALID_INPUT"> {
  return new GeoError("INVALID_INPUT", `${path} ${value} is not usable, expected ${expected}`, {
    path,
    expected,
  });
}

/** Classes of a raster, whose values are numbers. */
async function numberClasses(path: string | undefined): Promise<ClassInfo[] | undefined> {
  if (path === undefined) return undefined;
  const classes = await readClasses(path);
  const text = classes.find(({ value }) => typeof value !== "number");
  if (text !== undefined) throw notClasses(path, `${JSON.stringify(text.value)} is no sample of a raster`);
  return classes as ClassInfo[];
}

function notClasses(path: string, found: string): GeoError<"INVALID_FORMAT"> {
  return new GeoError(
    "INVALID_FORMAT",
    `${path} is no list of classes: ${found}`,
    { format: "classes", path },
    { hint: 'Expected JSON such as [{"value": 1, "name": "Built-up", "color": "#c43737"}].' },
  );
}

async function readClasses(path: string): Promise<PolygonClass[]> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw readError(path, error);
  }
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch (error) {
    throw notClasses(path, (error as Error).message);
  }
  if (!Array.isArray(list) || list.length === 0) throw notClasses(path, "it is not a list with entries");
  return list.map((entry: unknown, k) => {
    const { value, name, color } = (entry ?? {}) as { value?: unknown; name?: unknown; color?: unknown };
    if ((typeof value !== "number" && typeof value !== "string") || typeof name !== "string")
      throw notClasses(path, `entry ${k + 1} lacks a value or a name`);
    return { value, name, ...(typeof color === "string" ? { color } : {}) };
  });
}
