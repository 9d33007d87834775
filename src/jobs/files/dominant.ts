import { basename, extname } from "node:path";
import { threads } from "../../execution/threads.ts";
import { readClassNames } from "../../io/class-names.ts";
import { isRasterFile, openFeatures, openRaster, writeFeatures } from "../../io/open.ts";
import { GeoError } from "../../model/errors.ts";
import { columnNamed, type FeatureSource, type FeatureTable, type JsonValue } from "../../model/features.ts";
import type { RasterSource } from "../../model/raster.ts";
import {
  type DominantOptions,
  type DominantResult,
  dominantClass,
  type LabelledRaster,
} from "../../operators/dominant.ts";
import { changeTable } from "./change-table.ts";
import { numberClasses, readClasses } from "./class-files.ts";
import { DEFAULT_MEMORY, type FileOptions, type FileResult } from "./result.ts";

export interface DominantFileOptions
  extends FileOptions,
    Pick<DominantOptions, "areaUnit" | "minShare" | "tie" | "surface" | "pixels" | "others"> {
  /** Layer of the zones. */
  readonly layer?: string | undefined;
  /** Path of a JSON file with names and colours: `[{value, name, color?}]`. */
  readonly classes?: string | undefined;
  /** Rasters: band, from 1. Default 1. */
  readonly band?: number | undefined;
  /** Several rasters: a table of what became what, over the union of the zones. */
  readonly changes?: string | undefined;
  /** The same with a row for each zone. */
  readonly zoneChanges?: string | undefined;
  /** Column of the zones that names them in `zoneChanges`. Default: their row, from 0, as `zone`. */
  readonly zoneId?: string | undefined;
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
 * Several rasters stand side by side, labelled by the year in their names, else by their names. Names and colours of classes
 * come from `classes`, else from the first raster: its colour table, its metadata, or GDAL's `.aux.xml` beside it.
 *
 * @throws GeoError `INVALID_INPUT` for polygons without a class field or with one that is not
 * there; those of {@link dominantClass}
 */
export async function dominantFile(
  zones: string,
  source: string | readonly string[],
  output: string,
  options: DominantFileOptions = {},
): Promise<FileResult> {
  const sources = typeof source === "string" ? [source] : source;
  const [first] = sources;
  if (first === undefined) {
    throw new GeoError("INVALID_INPUT", "there is no source of classes", {
      path: "source",
      expected: "a class raster, several, or class polygons",
    });
  }
  const { minShare } = options;
  if (minShare !== undefined && !(minShare >= 0 && minShare <= 1))
    throw unusable("min-share", minShare, "a share from 0 to 1");
  if (await isRasterFile(first)) return await fromRasters(zones, sources, output, options);
  if (sources.length > 1) {
    throw new GeoError(
      "INVALID_INPUT",
      `${first} is a vector layer: only rasters may be several`,
      { path: "source", expected: "one layer of class polygons" },
      { hint: "Write the zones first, then one source of classes, then the output." },
    );
  }
  return await fromPolygons(zones, first, output, options);
}

async function fromRasters(
  zones: string,
  sources: readonly string[],
  output: string,
  options: DominantFileOptions,
): Promise<FileResult> {
  const { band = 1, signal, onProgress, zoneId } = options;
  if (!Number.isInteger(band) || band < 1) throw unusable("band", band, "a whole number from 1");
  for (const name of ["classField", "meanFields"] as const) {
    if (options[name] === undefined) continue;
    throw new GeoError(
      "INVALID_INPUT",
      `${sources[0]} is a raster: its classes are samples, not a field`,
      { path: name, expected: "polygons as the source" },
      { hint: "Leave the option out, or pass polygons as the second file." },
    );
  }
  if (sources.length === 1 && (options.changes !== undefined || options.zoneChanges !== undefined)) {
    throw new GeoError(
      "INVALID_INPUT",
      "changes are between rasters, and there is one only",
      { path: "changes", expected: "two rasters or more" },
      { hint: "Name the rasters one after the other, the oldest first." },
    );
  }
  const classes = await numberClasses(options.classes);
  const labels = labelsOf(sources);
  const open: RasterSource[] = [];
  const executor = threads(options.workers);
  try {
    for (const path of sources) open.push(await openRaster(path));
    const looks = await readClassNames(sources[0]!, band - 1);
    return await withZones(zones, options, async (features) => {
      const { areaUnit = "ha", minShare, tie, surface, pixels, others, onCrsMismatch } = options;
      if (zoneId !== undefined) requireZoneId(features, zones, zoneId);
      const rasters: LabelledRaster[] = open.map((source, k) => ({ label: labels[k]!, source }));
      const result = await dominantClass(features, rasters.length === 1 ? open[0]! : rasters, {
        band: band - 1,
        pixels,
        areaUnit,
        minShare,
        tie,
        surface,
        classes,
        others,
        looks,
        changes:
          options.zoneChanges !== undefined ? "zones" : options.changes !== undefined ? "union" : "none",
        memory: options.memory ?? DEFAULT_MEMORY,
        onCrsMismatch,
        executor,
        signal,
        onProgress: (done, total) => onProgress?.("counting classes", done, total, "pixels"),
      });
      const written = await write(output, result, options, {
        zones: result.table.count,
        classes: result.classes.length,
        emptyZones: result.emptyZones,
        smallZones: result.smallZones,
        pixels: sum(result.years[0]!.pixels),
        ...(rasters.length === 1 ? {} : { rasters: rasters.length }),
        legend: result.classes.map(({ value, name, color }) => ({
          value,
          name,
          ...(color === undefined ? {} : { color }),
        })),
      });
      return await withChanges(written, result, options);
    });
  } finally {
    await executor.close();
    for (const source of open) await source.close();
  }
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The tables of changes that were asked for, written beside the output. */
async function withChanges(
  written: FileResult,
  result: DominantResult,
  { changes, zoneChanges, zoneId, areaUnit = "ha", overwrite, signal }: DominantFileOptions,
): Promise<FileResult> {
  const outputs = [...written.outputs];
  const warnings = [...written.warnings];
  const id = zoneId === undefined ? null : (columnNamed(result.table, zoneId) ?? null);
  for (const [path, zones] of [
    [changes, false],
    [zoneChanges, true],
  ] as const) {
    if (path === undefined) continue;
    const table = changeTable(result, zones, areaUnit, id);
    const { summary, kind, bytes, sha256, ...file } = await writeFeatures(path, table, { overwrite, signal });
    outputs.push({ path: file.path, kind, bytes, sha256 });
    warnings.push(...summary.warnings);
  }
  return { ...written, outputs, warnings };
}

function requireZoneId({ schema }: FeatureSource, path: string, name: string): void {
  if (schema.fields.some((field) => field.name === name)) return;
  const names = schema.fields.map((field) => field.name).join(", ");
  throw new GeoError(
    "INVALID_INPUT",
    `${path} has no field "${name}"`,
    { path: "zone-id", expected: names },
    { hint: names === "" ? "It has no fields." : `It has: ${names}.` },
  );
}

/** The year in each name, or the names without ending when not all have a year of their own. */
function labelsOf(paths: readonly string[]): string[] {
  if (paths.length === 1) return [""];
  const stems = paths.map((path) => basename(path, extname(path)));
  const years = stems.map((stem) => /(?<!\d)(19|20)\d\d(?!\d)/.exec(stem)?.[0]);
  const labels =
    years.every((year) => year !== undefined) && new Set(years).size === years.length ? years : stems;
  const twice = labels.find((label, k) => labels.indexOf(label) !== k);
  if (twice !== undefined) {
    throw new GeoError("INVALID_INPUT", `two rasters are named "${twice}": their columns would be the same`, {
      path: "source",
      expected: "rasters with different names, or years in their names",
    });
  }
  return labels as string[];
}

async function fromPolygons(
  zones: string,
  source: string,
  output: string,
  options: DominantFileOptions,
): Promise<FileResult> {
  const { classField, signal, onProgress } = options;
  for (const name of ["band", "pixels", "others", "changes", "zoneChanges", "zoneId"] as const) {
    if (options[name] === undefined) continue;
    const option = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    throw new GeoError(
      "INVALID_INPUT",
      `${source} is a vector layer: --${option} is for rasters`,
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
  counts: Readonly<Record<string, JsonValue>>,
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
