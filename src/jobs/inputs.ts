import { readdir } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { openBytes } from "../io/bytes/open.ts";
import { hashFile, openFeatures, openRaster } from "../io/open.ts";
import { readError } from "../io/read-errors.ts";
import { GeoError } from "../model/errors.ts";
import type { FeatureSource, JsonValue } from "../model/features.ts";
import type { RasterSource } from "../model/raster.ts";
import type { InputSpec, LabelledRaster, PipelineInputs } from "../pipelines/define.ts";
import { type Config, resolveFrom } from "./config.ts";

/** One file that a run reads. */
export interface InputFile {
  /** Name of the input in the pipeline. */
  readonly input: string;
  /** Year or other label, for inputs of several files. */
  readonly label?: string;
  readonly path: string;
  readonly layer?: string;
  /** Bytes of the file and what belongs to it (`.dbf`, `.prj` ...); `null` for an address. */
  readonly bytes: number | null;
  /** Of the file; of the list of hashes for files of several parts; `null` for an address. */
  readonly sha256: string | null;
}

interface Reference {
  readonly input: string;
  readonly label?: string;
  readonly path: string;
  readonly layer?: string;
}

/**
 * The files that a configuration names for the inputs of a pipeline, hashed.
 *
 * @throws GeoError `INVALID_INPUT` when an input is missing or of the wrong form; `NOT_FOUND`, `UNREADABLE`
 */
export async function findInputs(
  specs: Readonly<Record<string, InputSpec>>,
  config: Config,
  folder: string,
): Promise<InputFile[]> {
  const files: InputFile[] = [];
  for (const [input, spec] of Object.entries(specs)) {
    const value = config[input];
    if (value === undefined || value === null) {
      if (spec.optional === true) continue;
      throw badInput(input, "is missing", expectation(spec));
    }
    for (const reference of references(input, spec, value, folder)) files.push(await describe(reference));
  }
  return files;
}

function references(input: string, spec: InputSpec, value: JsonValue, folder: string): Reference[] {
  if (spec.kind === "rasters") return rasterList(input, value, folder);
  if (typeof value === "string") return [{ input, path: resolveFrom(folder, value) }];
  const path = member(value, "path");
  const layer = member(value, "layer");
  if (typeof path !== "string") throw badInput(input, `is ${JSON.stringify(value)}`, expectation(spec));
  return [{ input, path: resolveFrom(folder, path), ...(typeof layer === "string" ? { layer } : {}) }];
}

function rasterList(input: string, value: JsonValue, folder: string): Reference[] {
  const wrong = (): GeoError =>
    badInput(
      input,
      `is ${JSON.stringify(value).slice(0, 80)}`,
      'a list of paths, or an object {"2019": "path", ...}',
    );
  let entries: [label: string, path: string][];
  if (Array.isArray(value)) {
    entries = value.map((one: JsonValue) => {
      const path = typeof one === "string" ? one : member(one, "path");
      const label = typeof one === "string" ? undefined : (member(one, "label") ?? member(one, "year"));
      if (typeof path !== "string") throw wrong();
      return [label === undefined ? labelOf(path) : String(label), path];
    });
  } else if (typeof value === "object" && value !== null) {
    entries = Object.entries(value).map(([label, path]) => {
      if (typeof path !== "string") throw wrong();
      return [label, path];
    });
  } else throw wrong();
  if (entries.length === 0) throw wrong();
  const seen = new Set<string>();
  for (const [label] of entries) {
    if (seen.has(label)) {
      throw badInput(
        input,
        `has two rasters labelled "${label}"`,
        "one label each: give them as {label: path}",
      );
    }
    seen.add(label);
  }
  return entries.map(([label, path]) => ({ input, label, path: resolveFrom(folder, path) }));
}

/** The year in a file name (the first one of an agricultural year), else the name without ending. */
function labelOf(path: string): string {
  const stem = basename(path, extname(path));
  return /(?<!\d)(19|20)\d\d(?!\d)/.exec(stem)?.[0] ?? stem;
}

function member(value: JsonValue, name: string): JsonValue | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return (value as { [key: string]: JsonValue })[name];
}

async function describe(reference: Reference): Promise<InputFile> {
  const { path } = reference;
  if (/^https?:\/\//.test(path)) return { ...reference, bytes: null, sha256: null };
  let bytes = 0;
  const hashes: string[] = [];
  try {
    const files = /\.shp$/i.test(path) ? await shapefileParts(path) : [path];
    for (const file of files) {
      const opened = await openBytes(file); // says what is wrong with a folder or a pipe
      bytes += opened.size;
      await opened.close();
      hashes.push(await hashFile(file));
    }
  } catch (error) {
    throw readError(path, error);
  }
  if (hashes.length === 1) return { ...reference, bytes, sha256: hashes[0]! };
  const { createHash } = await import("node:crypto");
  return { ...reference, bytes, sha256: createHash("sha256").update(hashes.join("\n")).digest("hex") };
}

async function shapefileParts(path: string): Promise<string[]> {
  const stem = basename(path, extname(path));
  const names = await readdir(dirname(path));
  const parts = names.filter(
    (name) => basename(name, extname(name)) === stem && /\.(shp|shx|dbf|prj|cpg)$/i.test(name),
  );
  return (parts.length === 0 ? [basename(path)] : parts.sort()).map((name) => join(dirname(path), name));
}

/** Inputs of a run, open. */
export interface OpenInputs extends PipelineInputs {
  /** Findings of the readers. */
  readonly warnings: readonly string[];
  close(): Promise<void>;
}

/** Open the files of a run. Closes what it opened when one fails. */
export async function openInputs(
  specs: Readonly<Record<string, InputSpec>>,
  files: readonly InputFile[],
): Promise<OpenInputs> {
  const features = new Map<string, FeatureSource>();
  const rasters = new Map<string, LabelledRaster[]>();
  const warnings: string[] = [];
  const close = async (): Promise<void> => {
    for (const source of features.values()) await source.close();
    for (const list of rasters.values()) for (const { source } of list) await source.close();
  };
  try {
    for (const { input, label, path, layer } of files) {
      if (specs[input]!.kind === "features") {
        const source = await openFeatures(path, { layer });
        features.set(input, source);
        warnings.push(
          ...source.warnings.map((warning) => (warning.includes(path) ? warning : `${path}: ${warning}`)),
        );
      } else {
        const source: RasterSource = await openRaster(path);
        const list = rasters.get(input) ?? [];
        list.push({ label: label ?? input, source });
        rasters.set(input, list);
      }
    }
  } catch (error) {
    await close();
    throw error;
  }
  const missing = (name: string): GeoError => badInput(name, "was not given", "a path");
  return {
    warnings,
    close,
    has: (name) => features.has(name) || rasters.has(name),
    features: (name) => {
      const source = features.get(name);
      if (source === undefined) throw missing(name);
      return source;
    },
    raster: (name) => {
      const source = rasters.get(name)?.[0]?.source;
      if (source === undefined) throw missing(name);
      return source;
    },
    rasters: (name) => rasters.get(name) ?? [],
  };
}

function expectation(spec: InputSpec): string {
  return spec.kind === "rasters"
    ? "a list of raster paths"
    : `the path of ${spec.kind === "raster" ? "a raster" : "a vector layer"}`;
}

function badInput(input: string, found: string, expected: string): GeoError {
  return new GeoError(
    "INVALID_INPUT",
    `the input "${input}" ${found}, expected ${expected}`,
    { path: input, expected },
    { hint: `Put it in the configuration, or pass --set ${input}=PATH.` },
  );
}
