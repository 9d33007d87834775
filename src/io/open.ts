import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { GeoError } from "../model/errors.ts";
import {
  type BatchOptions,
  concatTables,
  type FeatureSource,
  type FeatureTable,
  type LayerSchema,
  tableSource,
} from "../model/features.ts";
import type { RasterSource } from "../model/raster.ts";
import {
  checkOutput,
  type OutputOptions,
  outputError,
  temporaryBeside,
  underFinalName,
  writeAtomically,
} from "./atomic.ts";
import type { ByteSource } from "./bytes/source.ts";
import { type FeatureSink, pipeFeatures, type WriteSummary } from "./feature-sink.ts";
import type { GeoTiffOptions, GeoTiffSource } from "./geotiff/read.ts";
import type { CogOptions, WriteResult } from "./geotiff/write.ts";
import { readError } from "./read-errors.ts";
import { endingOf, type Format, sniffFormat } from "./sniff.ts";

export interface OpenFeaturesOptions {
  /** Layer of a file that holds several; default the first. */
  readonly layer?: string | undefined;
}

/**
 * Open a raster: GeoTIFF, BigTIFF or COG, from a local path, an `http(s)` address (range reads) or bytes in
 * memory. Reads headers only. The format is told by the bytes, not by the name.
 *
 * @throws GeoError `NOT_FOUND`, `UNREADABLE`, `INVALID_FORMAT`, `UNSUPPORTED`
 */
export async function openRaster(
  input: string | ByteSource,
  options: GeoTiffOptions = {},
): Promise<GeoTiffSource> {
  const bytes = await toBytes(input);
  return closingOnError(bytes, async () => {
    const format = await sniffFormat(bytes);
    if (format !== "geotiff") throw wrongKind(bytes.url, format, "a raster (GeoTIFF)");
    const { openGeoTiff } = await import("./geotiff/read.ts");
    return await openGeoTiff(bytes, options);
  });
}

/**
 * Open a vector layer or a table: GeoJSON, newline-delimited GeoJSON, FlatGeobuf, Shapefile (also zipped),
 * GeoPackage, GeoParquet, KML, KMZ, CSV. Reads headers (text formats: one pass to learn the columns). The format
 * is told by the bytes, not by the name.
 *
 * @throws GeoError `NOT_FOUND`, `UNREADABLE`, `INVALID_FORMAT`, `UNSUPPORTED`, `INVALID_INPUT` (no such layer)
 */
export async function openFeatures(
  input: string | ByteSource,
  options: OpenFeaturesOptions = {},
): Promise<FeatureSource> {
  const bytes = await toBytes(input);
  return closingOnError(bytes, async () => {
    const source = await openAs(await sniffFormat(bytes), bytes, options);
    if (options.layer !== undefined && !source.layers.includes(options.layer)) {
      await source.close();
      throw new GeoError(
        "INVALID_INPUT",
        `${bytes.url} has no layer "${options.layer}"`,
        { path: "layer", expected: source.layers.join(", ") },
        { hint: `It has: ${source.layers.join(", ")}.` },
      );
    }
    return source;
  });
}

async function openAs(
  format: Format,
  bytes: ByteSource,
  options: OpenFeaturesOptions,
): Promise<FeatureSource> {
  switch (format) {
    case "geojson":
      return (await import("./geojson/read.ts")).openGeoJson(bytes);
    case "geojsonseq":
      return (await import("./geojson/read.ts")).openGeoJsonSeq(bytes);
    case "csv":
      return (await import("./csv/read.ts")).openCsv(bytes, {
        csvt: await siblingText(bytes.url, ".csvt"),
        prj: await siblingText(bytes.url, ".prj"),
      });
    case "kml":
      return (await import("./kml/read.ts")).openKml(bytes, options);
    case "flatgeobuf":
      return (await import("./flatgeobuf/read.ts")).openFlatGeobuf(bytes);
    case "geoparquet":
      return (await import("./geoparquet/read.ts")).openGeoParquet(bytes);
    case "geopackage": {
      await bytes.close();
      return (await import("./geopackage/read.ts")).openGeoPackage(bytes.url, options);
    }
    case "shapefile":
      return await openShapefileSet(bytes);
    case "dbf": {
      const { openDbf } = await import("./shapefile/read.ts");
      return openDbf(bytes);
    }
    case "zip":
      // what is read of an archive is unpacked into memory at once
      return await openZipped(bytes, options).finally(() => bytes.close());
    case "geotiff":
      throw wrongKind(bytes.url, format, "a vector layer");
  }
}

/** Text of the small file beside a local one, with another ending; `undefined` when there is none. */
async function siblingText(url: string, ending: string): Promise<string | undefined> {
  if (/^[a-z]+:\/\//i.test(url)) return undefined;
  const path = `${url.slice(0, url.length - extname(url).length)}${ending}`;
  try {
    const { size } = await stat(path);
    return size > 1 << 20 ? undefined : await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}

/** A `.shp` and what lies beside it, in any letter case. */
async function openShapefileSet(shp: ByteSource): Promise<FeatureSource> {
  const { openShapefile } = await import("./shapefile/read.ts");
  const { openBytes } = await import("./bytes/open.ts");
  const siblings: Partial<Record<"shx" | "dbf" | "prj" | "cpg", ByteSource>> = {};
  if (!/^[a-z]+:\/\//i.test(shp.url) && extname(shp.url).toLowerCase() === ".shp") {
    const folder = dirname(shp.url);
    const stem = basename(shp.url, extname(shp.url));
    for (const name of await readdir(folder).catch(() => [])) {
      const ending = extname(name).slice(1).toLowerCase();
      if (basename(name, extname(name)) !== stem) continue;
      if (ending === "shx" || ending === "dbf" || ending === "prj" || ending === "cpg") {
        siblings[ending] ??= await openBytes(join(folder, name));
      }
    }
  }
  try {
    return await openShapefile({ shp, ...siblings });
  } catch (error) {
    for (const sibling of Object.values(siblings)) await sibling.close();
    throw error;
  }
}

/** The one layer inside a zip: a Shapefile set, a KML document, or a single file of another format. */
async function openZipped(bytes: ByteSource, options: OpenFeaturesOptions): Promise<FeatureSource> {
  const { openZip } = await import("./zip.ts");
  const { memoryBytes } = await import("./bytes/memory.ts");
  const archive = await openZip(bytes);
  const names = archive.entries.map(({ name }) => name).filter((name) => !name.startsWith("__MACOSX/"));
  const member = async (name: string): Promise<ByteSource> =>
    memoryBytes(await archive.read(name), `${bytes.url}/${name}`);
  const withEnding = (ending: string): string[] => names.filter((name) => endingOf(name) === ending);
  const shapes = withEnding("shp");
  const wanted =
    options.layer === undefined
      ? shapes[0]
      : (shapes.find((name) => basename(name, extname(name)) === options.layer) ?? shapes[0]);
  if (wanted !== undefined) {
    const { openShapefile } = await import("./shapefile/read.ts");
    const stem = wanted.slice(0, -4).toLowerCase();
    const sibling = async (ending: string): Promise<ByteSource | undefined> => {
      const name = names.find((other) => other.toLowerCase() === `${stem}.${ending}`);
      return name === undefined ? undefined : await member(name);
    };
    const [shp, shx, dbf, prj, cpg] = await Promise.all([
      member(wanted),
      sibling("shx"),
      sibling("dbf"),
      sibling("prj"),
      sibling("cpg"),
    ]);
    const source = await openShapefile({
      shp,
      ...(shx === undefined ? {} : { shx }),
      ...(dbf === undefined ? {} : { dbf }),
      ...(prj === undefined ? {} : { prj }),
      ...(cpg === undefined ? {} : { cpg }),
    });
    const layers = shapes.map((name) => basename(name, extname(name)));
    const others =
      layers.length > 1
        ? [`${bytes.url} holds ${layers.length} layers; this is "${source.schema.name}"`]
        : [];
    return {
      ...viewOf(source),
      layers,
      warnings: [...source.warnings, ...(options.layer === undefined ? others : [])],
    };
  }
  if (withEnding("kml").length > 0) return (await import("./kml/read.ts")).openKml(bytes, options);
  for (const ending of ["geojson", "json", "geojsonl", "fgb", "parquet", "csv"]) {
    const name = withEnding(ending)[0];
    if (name === undefined) continue;
    const inner = await member(name);
    const format = await sniffFormat(inner);
    if (format !== "zip" && format !== "geopackage") return await openAs(format, inner, options);
  }
  throw new GeoError(
    "INVALID_FORMAT",
    `${bytes.url} is a zip archive without a layer (it holds ${names.slice(0, 5).join(", ") || "nothing"})`,
    { format: "zip", path: bytes.url },
    {
      hint: "Expected a Shapefile, KML, GeoJSON, FlatGeobuf, GeoParquet or CSV inside; unpack other files first.",
    },
  );
}

/** The members of a source as a plain object, so that some can be replaced whatever class it is of. */
function viewOf(source: FeatureSource): FeatureSource {
  return {
    url: source.url,
    driver: source.driver,
    schema: source.schema,
    layers: source.layers,
    warnings: source.warnings,
    batches: (options) => source.batches(options),
    close: () => source.close(),
  };
}

/**
 * Read a whole layer into one table. For layers that fit in memory; use {@link openFeatures} to stream.
 */
export async function readFeatures(
  input: string | ByteSource,
  options: OpenFeaturesOptions & BatchOptions = {},
): Promise<FeatureTable> {
  const source = await openFeatures(input, options);
  try {
    const batches: FeatureTable[] = [];
    for await (const batch of source.batches(options)) batches.push(batch);
    return concatTables(batches, source.schema);
  } finally {
    await source.close();
  }
}

/** A file that was written. */
export interface OutputFile {
  readonly path: string;
  readonly kind: "raster" | "vector" | "table" | "file";
  readonly bytes: number;
  /** Of the whole file, hexadecimal. */
  readonly sha256: string;
}

export interface WriteRasterResult extends OutputFile {
  readonly result: WriteResult;
}

/**
 * Write a raster as a Cloud Optimized GeoTIFF, pulling its pixels tile by tile. The file appears under its name
 * only when complete.
 *
 * @throws GeoError `OUTPUT_EXISTS`, `OUTPUT_FAILED`, `UNSUPPORTED`
 */
export async function writeRaster(
  path: string,
  source: RasterSource,
  options: CogOptions & OutputOptions = {},
): Promise<WriteRasterResult> {
  const ending = endingOf(path);
  if (ending !== "tif" && ending !== "tiff") throw cannotWrite(path, "a raster", "a name ending in .tif");
  const { writeGeoTiff } = await import("./geotiff/write.ts");
  const result = await writeGeoTiff(path, source, options);
  return { path, kind: "raster", bytes: result.bytes, sha256: result.sha256, result };
}

export interface WriteFeaturesOptions extends OutputOptions, BatchOptions {
  /** Name of the layer inside the file; default the file's stem. */
  readonly layer?: string | undefined;
  /** Called with the number of features written so far. */
  readonly onProgress?: ((written: number) => void) | undefined;
}

export interface WriteFeaturesResult extends OutputFile {
  readonly summary: WriteSummary;
  /** Every file written, for formats of several files. */
  readonly files: readonly string[];
}

/**
 * Write a layer in the format that the name asks for (`.geojson .json .geojsonl .ndjson .fgb .shp .shp.zip
 * .parquet .gpkg .csv`), batch by batch. The file appears under its name only when complete.
 *
 * @throws GeoError `OUTPUT_EXISTS`, `OUTPUT_FAILED`, `UNSUPPORTED`; errors of the source pass through
 */
export async function writeFeatures(
  path: string,
  input: FeatureTable | FeatureSource,
  options: WriteFeaturesOptions = {},
): Promise<WriteFeaturesResult> {
  const stem = basename(path).replace(/(\.shp)?\.[^.]+$/i, "");
  const source = "batches" in input ? input : tableSource(input, stem);
  const schema: LayerSchema = { ...source.schema, name: options.layer ?? stem };
  const kind = schema.geometryTypes.length === 1 && schema.geometryTypes[0] === 0 ? "table" : "vector";
  if (/\.shp(\.zip)?$/i.test(path)) return await writeShapefile(path, stem, source, schema, options);
  const create = creatorFor(path);
  const summary = await writeAtomically(path, options, async (temporary) =>
    pour(source, await create(temporary, schema), options),
  );
  return { ...(await describeOutput(path, kind)), summary, files: [path] };
}

type Creator = (path: string, schema: LayerSchema) => Promise<FeatureSink>;

function creatorFor(path: string): Creator {
  switch (endingOf(path)) {
    case "geojson":
    case "json":
      return async (to, schema) => (await import("./geojson/write.ts")).createGeoJson(to, schema);
    case "geojsonl":
    case "geojsons":
    case "ndjson":
      return async (to, schema) => (await import("./geojson/write.ts")).createGeoJsonSeq(to, schema);
    case "fgb":
      return async (to, schema) => (await import("./flatgeobuf/write.ts")).createFlatGeobuf(to, schema);
    case "gpkg":
      return async (to, schema) => (await import("./geopackage/write.ts")).createGeoPackage(to, schema);
    case "parquet":
      return async (to, schema) => (await import("./geoparquet/write.ts")).createGeoParquet(to, schema);
    case "csv":
    case "tsv":
      return async (to, schema) => (await import("./csv/write.ts")).createCsv(to, schema);
    default:
      throw cannotWrite(
        path,
        "features",
        ".geojson, .geojsonl, .fgb, .shp, .shp.zip, .parquet, .gpkg or .csv",
      );
  }
}

/** Write a source into a sink, counting. */
async function pour(
  source: FeatureSource,
  sink: FeatureSink,
  options: WriteFeaturesOptions,
): Promise<WriteSummary> {
  const { onProgress, ...read } = options;
  if (onProgress === undefined) return await pipeFeatures(source, sink, read);
  const counted: Pick<FeatureSource, "batches"> = {
    async *batches(wanted) {
      let written = 0;
      for await (const batch of source.batches(wanted)) {
        yield batch;
        written += batch.count;
        onProgress(written);
      }
    },
  };
  return await pipeFeatures(counted, sink, read);
}

/** A Shapefile is a set of files: written in a folder beside its final place, then moved in, `.shp` last. */
async function writeShapefile(
  path: string,
  stem: string,
  source: FeatureSource,
  schema: LayerSchema,
  options: WriteFeaturesOptions,
): Promise<WriteFeaturesResult> {
  await checkOutput(path, options);
  const zipped = /\.zip$/i.test(path);
  const old = zipped ? [] : await companions(path);
  if (old.length > 0 && options.overwrite !== true) {
    throw new GeoError(
      "OUTPUT_EXISTS",
      `${old[0]} is already there and would become a part of ${path}`,
      { path: old[0]! },
      { hint: "Pass --overwrite (overwrite: true) to replace it, or choose another name." },
    );
  }
  const { createShapefile } = await import("./shapefile/write.ts");
  const folder = temporaryBeside(path);
  try {
    await mkdir(folder);
    const summary = await pour(source, await createShapefile(join(folder, `${stem}.shp`), schema), options);
    const names = (await readdir(folder)).sort(
      (a, b) => Number(a.endsWith(".shp")) - Number(b.endsWith(".shp")) || (a < b ? -1 : 1),
    );
    const files: string[] = [];
    if (zipped) {
      const { zipFiles } = await import("./zip.ts");
      const archive = join(folder, "out.zip");
      await zipFiles(
        archive,
        names.map((name) => ({ name, path: join(folder, name) })),
      );
      await rename(archive, path);
      files.push(path);
    } else {
      // The old .shp goes first and the new one comes last: cut off in between, no mixed set stands under the name.
      await rm(path, { force: true });
      for (const one of old) await rm(one, { force: true });
      for (const name of names) {
        const to = name.endsWith(".shp") ? path : join(dirname(path), name);
        await rename(join(folder, name), to);
        files.push(to);
      }
    }
    return { ...(await describeOutput(path, "vector")), summary, files };
  } catch (error) {
    const named = underFinalName(error, join(folder, `${stem}.shp`), path);
    throw outputError(path, underFinalName(named, join(folder, stem), join(dirname(path), stem)));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What belongs to a `.shp` of that name: its table, its CRS, and indexes that a new one would make wrong. */
async function companions(path: string): Promise<string[]> {
  const folder = dirname(path);
  const stem = basename(path, extname(path));
  const names = await readdir(folder);
  return names
    .filter((name) => basename(name, extname(name)) === stem)
    .filter((name) => /^\.(shx|dbf|prj|cpg|qpj|qix|sbn|sbx)$/i.test(extname(name)))
    .map((name) => join(folder, name))
    .sort();
}

/** Size and SHA-256 of a file. */
export async function describeOutput(path: string, kind: OutputFile["kind"]): Promise<OutputFile> {
  const { size } = await stat(path);
  return { path, kind, bytes: size, sha256: await hashFile(path) };
}

/** SHA-256 of a file, hexadecimal, read as a stream. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }))
      hash.update(chunk as Uint8Array);
  } catch (error) {
    throw readError(path, error);
  }
  return hash.digest("hex");
}

/** Whether a file is a raster, told by its bytes. */
export async function isRasterFile(path: string): Promise<boolean> {
  const bytes = await toBytes(path);
  try {
    return (await sniffFormat(bytes)) === "geotiff";
  } finally {
    await bytes.close();
  }
}

async function toBytes(input: string | ByteSource): Promise<ByteSource> {
  if (typeof input !== "string") return input;
  return await (await import("./bytes/open.ts")).openBytes(input);
}

async function closingOnError<T>(bytes: ByteSource, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (error) {
    await bytes.close();
    throw error;
  }
}

function wrongKind(path: string, found: Format, expected: string): GeoError {
  return new GeoError(
    "INVALID_FORMAT",
    `${path} is ${found === "geotiff" ? "a GeoTIFF raster" : `a vector or table file (${found})`}, expected ${expected}`,
    { format: found, path },
    { hint: "Pass a file of the other kind, or use the command for this kind." },
  );
}

function cannotWrite(path: string, what: string, expected: string): GeoError {
  return new GeoError(
    "INVALID_INPUT",
    `${path}: cannot tell a format to write ${what} in`,
    { path: "out", expected },
    { hint: `Expected ${expected}.` },
  );
}
