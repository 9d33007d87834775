import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { openRaster } from "../../io/open.ts";
import { readError } from "../../io/read-errors.ts";
import { GeoError } from "../../model/errors.ts";
import type { JsonValue } from "../../model/features.ts";
import type { Grid } from "../../model/grid.ts";
import type { RasterSource } from "../../model/raster.ts";
import { type Instant, parseInstant } from "../../model/time.ts";
import { openStack, type RasterStack, type SceneInput, type StackOptions } from "../../operators/stack.ts";
import { readConfig, resolveFrom } from "../config.ts";

export interface StackFileOptions extends Omit<StackOptions, "grid"> {
  /** Path of a manifest, instead of rasters; see {@link openStackFiles}. */
  readonly stack?: string | undefined;
  /** Where the date stands in file names, such as `"{YYYY}{MM}{DD}"` or `"A{YYYY}{DOY}"`; also `{hh}`, `{mm}`, `{ss}`. */
  readonly datePattern?: string | undefined;
  /** CSV of dates: `band,date` of one raster with a band per date, or `file,date`. A header line is allowed. */
  readonly dates?: string | undefined;
  /** Band, file suffix or asset that tells what is usable. */
  readonly quality?: string | undefined;
  /** Leave out scenes of which the manifest says that more than so many percent are cloud. */
  readonly maxCloud?: number | undefined;
  /** Path of a raster whose grid the stack takes; default that of the first scene. */
  readonly like?: string | undefined;
  /** Bytes of decoded tiles that all files together may keep. */
  readonly cacheBytes?: number | undefined;
}

/**
 * A stack from files. Three ways to name them:
 *
 * - rasters or folders of them, one per date. The date is that of `dates`, else read off the file name (`2019-07-01`,
 *   `20190701`, `A2019182`, `2019-07`, `201907`, `2019`, by `datePattern` when given), else that of a JSON file beside it
 *   (`datetime`, or `properties.datetime` of a STAC item), else the TIFF tag `DateTime`. With `bands`, files whose names differ
 *   only in the band (`..._B4.TIF`, `..._B5.TIF`) are one scene;
 * - one raster with a band per date, told by the descriptions of its bands or by `dates`;
 * - a manifest, JSON or YAML: `{items: [{datetime, id?, cloud_cover?, file | bands: {name: file | {file, band}}, quality?}]}`,
 *   bands counted from 1, paths from the manifest's folder; or a STAC ItemCollection, whose assets are the bands.
 *
 * @throws GeoError `INVALID_INPUT` for a file without a date, or a manifest that is none; those of `openRaster` and `openStack`
 */
export async function openStackFiles(
  inputs: readonly string[],
  options: StackFileOptions = {},
): Promise<RasterStack> {
  const listed =
    options.stack === undefined
      ? await listFiles(inputs, options)
      : await readManifest(options.stack, options);
  const paths = new Set(
    listed.flatMap(({ bands, quality }) =>
      [...Object.values(bands), ...(quality === null ? [] : [quality])].map(({ path }) => path),
    ),
  );
  const { cacheBytes = 128 * 2 ** 20 } = options;
  const opened = new Map<string, RasterSource>();
  try {
    for (const path of paths)
      opened.set(
        path,
        await openRaster(path, { cacheBytes: Math.max(2 ** 16, Math.floor(cacheBytes / paths.size)) }),
      );
    const scenes = (
      await Promise.all(listed.map((scene) => toScenes(scene, opened, listed.length === 1, options)))
    ).flat();
    return await openStack(scenes, {
      ...options,
      grid: options.like === undefined ? undefined : await gridOf(options.like),
    });
  } catch (error) {
    await Promise.all([...opened.values()].map((source) => source.close()));
    throw error;
  }
}

async function gridOf(path: string): Promise<Grid> {
  const raster = await openRaster(path);
  await raster.close();
  return raster.grid;
}

interface FileBand {
  readonly path: string;
  /** From 0; `null`: all of them. */
  readonly band: number | null;
}

/** A scene before its files are open. */
interface ListedScene {
  readonly id: string;
  /** NaN when it is not known yet. */
  readonly date: Instant;
  /** The band named `""` is a whole raster. */
  readonly bands: Readonly<Record<string, FileBand>>;
  readonly quality: FileBand | null;
}

async function listFiles(inputs: readonly string[], options: StackFileOptions): Promise<ListedScene[]> {
  const files: string[] = [];
  for (const input of inputs) {
    if (/^https?:/i.test(input)) {
      files.push(input);
      continue;
    }
    try {
      if ((await stat(input)).isDirectory()) {
        const names = (await readdir(input)).filter((name) => /\.tiff?$/i.test(name)).sort();
        files.push(...names.map((name) => join(input, name)));
      } else files.push(input);
    } catch (error) {
      throw readError(input, error);
    }
  }
  const dates = options.dates === undefined ? null : await readDates(options.dates);
  const suffixes = [...(options.bands ?? []), ...(options.quality === undefined ? [] : [options.quality])];
  const scenes = new Map<
    string,
    { id: string; date: Instant; bands: Record<string, FileBand>; quality: FileBand | null }
  >();
  for (const path of files) {
    const name = basename(path);
    const date =
      dates?.get(name) ??
      dates?.get(basename(path, extname(path))) ??
      (await dateOf(path, options.datePattern));
    const suffix = suffixes.find((one) => bandSuffix(one).test(name));
    const key = suffix === undefined ? path : name.replace(bandSuffix(suffix), "");
    const scene = scenes.get(key) ?? {
      id: suffix === undefined ? path : key,
      date,
      bands: {},
      quality: null,
    };
    scenes.set(key, scene);
    if (suffix === undefined) scene.bands[""] = { path, band: null };
    else if (suffix === options.quality) scene.quality = { path, band: 0 };
    else scene.bands[suffix] = { path, band: 0 };
  }
  const all = [...scenes.values()];
  // When some files are named by their band, the others (another band, metadata) are not wanted.
  const bySuffix = all.filter(({ bands }) => !Object.hasOwn(bands, ""));
  return bySuffix.length > 0 ? bySuffix : all;
}

/** The name of a band as a part of a file name of its own. */
function bandSuffix(band: string): RegExp {
  return new RegExp(`[._-]${band.replace(/[^\w]/g, "\\$&")}(?=[._-])`, "i");
}

async function toScenes(
  { id, date, bands, quality }: ListedScene,
  opened: ReadonlyMap<string, RasterSource>,
  alone: boolean,
  options: StackFileOptions,
): Promise<SceneInput[]> {
  const judged =
    quality === null ? undefined : { source: opened.get(quality.path)!, band: quality.band ?? 0 };
  const whole = Object.hasOwn(bands, "") ? bands[""] : undefined;
  if (whole === undefined) {
    const named = Object.entries(bands).map(([name, { path, band }]) => [
      name,
      { source: opened.get(path)!, band: band ?? 0 },
    ]);
    return [{ date: checkedDate(date, id), id, bands: Object.fromEntries(named), quality: judged }];
  }
  const source = opened.get(whole.path)!;
  if (alone) {
    const perBand = await datesOfBands(source, options);
    if (perBand !== null) {
      const name = options.bands?.[0] ?? "b1";
      return perBand.map((one, band) => ({
        date: one,
        id: `${id} band ${band + 1}`,
        bands: { [name]: { source, band } },
        quality: judged,
      }));
    }
  }
  const tag = tagDate(source);
  const named =
    options.quality === undefined
      ? -1
      : source.bands.findIndex(
          ({ description }, k) => description === options.quality || `b${k + 1}` === options.quality,
        );
  const own = named < 0 ? judged : { source, band: named };
  if (options.quality !== undefined && own === undefined) {
    throw new GeoError("INVALID_INPUT", `${id} has no band ${JSON.stringify(options.quality)}`, {
      path: "quality",
      expected: source.bands.map(({ description }, k) => description || `b${k + 1}`).join(", "),
    });
  }
  return [{ date: checkedDate(Number.isNaN(date) ? tag : date, id), id, source, quality: own }];
}

/** One date per band: from the table of dates, else the descriptions; `null` when it is not such a raster. */
async function datesOfBands(source: RasterSource, { dates }: StackFileOptions): Promise<Instant[] | null> {
  if (dates !== undefined) {
    const table = await readDates(dates);
    const found = source.bands.map((_, k) => table.get(String(k + 1)) ?? Number.NaN);
    if (!found.some(Number.isNaN)) return found;
    if (source.bands.length > 1) {
      throw new GeoError(
        "INVALID_INPUT",
        `${dates} has no date for band ${found.findIndex(Number.isNaN) + 1} of ${source.url}`,
        {
          path: "dates",
          expected: `lines band,date for bands 1 to ${source.bands.length}`,
        },
      );
    }
    return null;
  }
  const described = source.bands.map(({ description }) => parseInstant(description));
  return source.bands.length > 1 && !described.some(Number.isNaN) ? described : null;
}

function checkedDate(date: Instant, id: string): Instant {
  if (!Number.isNaN(date)) return date;
  throw new GeoError(
    "INVALID_INPUT",
    `${id} has no date: none in its name, none beside it, no DateTime tag`,
    { path: "scenes", expected: "a date such as 2019-07-01 or 20190701 in the file name" },
    { hint: "Pass --date-pattern, a table with --dates FILE.csv, or a manifest with --stack." },
  );
}

async function dateOf(path: string, pattern: string | undefined): Promise<Instant> {
  const name = basename(path, extname(path));
  const inName = pattern === undefined ? dateInName(name) : dateByPattern(name, pattern);
  if (!Number.isNaN(inName) || /^https?:/i.test(path)) return inName;
  try {
    const item = JSON.parse(await readFile(join(dirname(path), `${name}.json`), "utf8")) as JsonValue;
    const text =
      member(member(item, "properties"), "datetime") ?? member(item, "datetime") ?? member(item, "date");
    return typeof text === "string" ? parseInstant(text) : Number.NaN;
  } catch {
    return Number.NaN;
  }
}

/** The date in a file name; the first of the most exact kind. NaN when there is none. */
export function dateInName(name: string): Instant {
  const tries: readonly RegExp[] = [
    /(?<!\d)(?<Y>(?:19|20)\d\d)([-_.])(?<M>\d\d)\2(?<D>\d\d)(?:[T_ ](?<h>\d\d)[-:]?(?<m>\d\d)[-:]?(?<s>\d\d))?(?!\d)/g,
    /(?<!\d)(?<Y>(?:19|20)\d\d)(?<M>\d\d)(?<D>\d\d)(?:[T_]?(?<h>\d\d)(?<m>\d\d)(?<s>\d\d))?(?!\d)/g,
    /(?<!\d)(?<Y>(?:19|20)\d\d)[-_]?(?<J>\d{3})(?:T(?<h>\d\d)(?<m>\d\d)(?<s>\d\d))?(?!\d)/g,
    /(?<!\d)(?<Y>(?:19|20)\d\d)[-_]?(?<M>\d\d)(?!\d)/g,
    /(?<!\d)(?<Y>(?:19|20)\d\d)(?!\d)/g,
  ];
  for (const pattern of tries) {
    for (const { groups } of name.matchAll(pattern)) {
      const date = fromParts(groups!);
      if (!Number.isNaN(date)) return date;
    }
  }
  return Number.NaN;
}

const TOKENS: Readonly<Record<string, string>> = {
  YYYY: "(?<Y>\\d{4})",
  MM: "(?<M>\\d{2})",
  DD: "(?<D>\\d{2})",
  DOY: "(?<J>\\d{3})",
  hh: "(?<h>\\d{2})",
  mm: "(?<m>\\d{2})",
  ss: "(?<s>\\d{2})",
};

function dateByPattern(name: string, pattern: string): Instant {
  const parts = pattern.split(/(\{\w+\})/).map((part) => {
    const token = /^\{(\w+)\}$/.exec(part)?.[1];
    return token === undefined ? part.replace(/[^\w]/g, "\\$&") : (TOKENS[token] ?? null);
  });
  const used = parts.filter((part) => part?.startsWith("(?<"));
  if (parts.includes(null) || !used.includes(TOKENS["YYYY"]!) || new Set(used).size < used.length) {
    throw new GeoError("INVALID_INPUT", `the date pattern ${JSON.stringify(pattern)} cannot be used`, {
      path: "datePattern",
      expected: `{YYYY} and others of ${Object.keys(TOKENS)
        .map((one) => `{${one}}`)
        .join(" ")}, once each`,
    });
  }
  const match = new RegExp(parts.join("")).exec(name);
  return match === null ? Number.NaN : fromParts(match.groups ?? {});
}

function fromParts(groups: { readonly [name: string]: string | undefined }): Instant {
  const { Y = "", M = "01", D = "01", J, h = "00", m = "00", s = "00" } = groups;
  const day = parseInstant(`${Y}-${M}-${D}T${h}:${m}:${s}Z`);
  if (J === undefined) return day;
  const of = Number(J);
  const last = parseInstant(`${Y}-12-31`) - parseInstant(`${Y}-01-01`);
  const since = (of - 1) * 86_400_000;
  return of >= 1 && since <= last ? day + since : Number.NaN;
}

/** The DateTime tag, `2019:07:01 05:30:00`, taken as UTC. */
function tagDate({ metadata }: RasterSource): Instant {
  const text = metadata["TIFFTAG_DATETIME"] ?? "";
  return parseInstant(text.replace(/^(\d{4}):(\d\d):(\d\d)/, "$1-$2-$3"));
}

async function readDates(path: string): Promise<Map<string, Instant>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw readError(path, error);
  }
  const table = new Map<string, Instant>();
  for (const [k, line] of text.split(/\r?\n/).entries()) {
    const [key = "", value = ""] = line.split(/[,;\t]/).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
    if (line.trim() === "") continue;
    const date = parseInstant(value);
    if (!Number.isNaN(date)) table.set(key, date);
    else if (k > 0) {
      throw new GeoError("INVALID_INPUT", `${path}, line ${k + 1}: ${JSON.stringify(value)} is no date`, {
        path: "dates",
        expected: "lines band,date or file,date with ISO 8601 dates",
      });
    }
  }
  return table;
}

async function readManifest(path: string, options: StackFileOptions): Promise<ListedScene[]> {
  const { values, folder } = await readConfig(path);
  const stac = values["type"] === "FeatureCollection";
  const items = stac ? values["features"] : (values["items"] ?? values["scenes"]);
  if (!Array.isArray(items) || items.length === 0)
    throw badManifest(path, "has no items", stac ? "features" : "items");
  const scenes: ListedScene[] = [];
  for (const [k, item] of (items as JsonValue[]).entries()) {
    const where = `${stac ? "features" : "items"}[${k}]`;
    const properties = stac ? member(item, "properties") : item;
    const text =
      member(properties, "datetime") ?? member(properties, "date") ?? member(properties, "start_datetime");
    const date = typeof text === "string" ? parseInstant(text) : Number.NaN;
    if (Number.isNaN(date)) throw badManifest(path, `${where} has no datetime`, `${where}.datetime`);
    const cloud = member(properties, "eo:cloud_cover") ?? member(properties, "cloud_cover");
    if (options.maxCloud !== undefined && typeof cloud === "number" && cloud > options.maxCloud) continue;
    const bands: Record<string, FileBand> = {};
    const given = stac ? member(item, "assets") : member(item, "bands");
    for (const [name, one] of Object.entries((given ?? {}) as Record<string, JsonValue>)) {
      const band = fileBand(one, folder);
      if (band === null && !stac)
        throw badManifest(path, `${where}.bands.${name} names no file`, `${where}.bands.${name}`);
      if (band !== null && (!stac || /\.tiff?$/i.test(band.path))) bands[name] = band;
    }
    const alone = stac ? null : fileBand(item, folder);
    if (alone !== null) bands[""] = { path: alone.path, band: null };
    const own = member(item, "quality");
    const wanted = options.quality ?? (typeof values["quality"] === "string" ? values["quality"] : undefined);
    let quality = stac || own === undefined || own === null ? null : fileBand(own, folder);
    if (quality === null && wanted !== undefined && Object.hasOwn(bands, wanted)) {
      quality = bands[wanted]!;
      delete bands[wanted];
    }
    if (Object.keys(bands).length === 0)
      throw badManifest(path, `${where} names no raster`, `${where}.${stac ? "assets" : "bands"}`);
    const id = member(item, "id");
    scenes.push({ id: typeof id === "string" ? id : `${basename(path)} ${where}`, date, bands, quality });
  }
  if (scenes.length === 0) {
    throw new GeoError("INVALID_INPUT", `every item of ${path} has more than ${options.maxCloud} % clouds`, {
      path: "maxCloud",
      expected: "a larger share",
    });
  }
  return scenes;
}

/** A path, or an object with one and the number of a band from 1. */
function fileBand(value: JsonValue, folder: string): FileBand | null {
  const path =
    typeof value === "string"
      ? value
      : (member(value, "file") ?? member(value, "href") ?? member(value, "path"));
  if (typeof path !== "string") return null;
  const band = typeof value === "string" ? undefined : member(value, "band");
  return { path: resolveFrom(folder, path), band: typeof band === "number" && band >= 1 ? band - 1 : 0 };
}

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, name) ? (value as { [key: string]: JsonValue })[name] : undefined;
}

function badManifest(path: string, found: string, at: string): GeoError {
  return new GeoError(
    "INVALID_INPUT",
    `${path} ${found}`,
    { path: at, expected: "{items: [{datetime, bands: {name: file}}]} or a STAC ItemCollection" },
    { hint: "See docs/time.md for what a manifest holds." },
  );
}
