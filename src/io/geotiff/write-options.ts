import { GeoError } from "../../model/errors.ts";
import {
  type Band,
  integerRange,
  isComplex,
  isFloat,
  type RasterSource,
  SAMPLE_BYTES,
  type SampleType,
  type SampleValue,
} from "../../model/raster.ts";
import type { OutputOptions } from "../atomic.ts";
import { assertZstd } from "../codecs/zstd-encode.ts";
import type { OverviewMethod } from "./overviews.ts";

/** Options of {@link writeGeoTiff}. */
export interface CogOptions extends OutputOptions {
  /** Side of the square tiles in pixels, a multiple of 16 from 64 to 4096; default 512. */
  readonly blocksize?: number | undefined;
  /** Default `"deflate"`. `"zstd"` needs Node 22.15. */
  readonly compress?: "deflate" | "lzw" | "zstd" | "none" | undefined;
  /** Deflate 1 to 9, default 6; Zstandard 1 to 22, default 9. The others have none. */
  readonly level?: number | undefined;
  /**
   * 2: difference to the pixel on the left; 3: the same on byte planes of floats. Default `"auto"`: 3 for floats,
   * 2 for integers, none for classes, complex samples and without compression.
   */
  readonly predictor?: "auto" | "none" | 2 | 3 | undefined;
  /** Default `"auto"`: halve until both sides fit in one tile. A number: so many levels. */
  readonly overviews?: "auto" | "none" | number | undefined;
  /**
   * How overviews are made. Default `"auto"`: nearest for classes (what a class layer looks like from afar keeps the
   * shares of its classes, and no class is invented) and for complex samples, average for the rest.
   */
  readonly overviewResampling?: OverviewMethod | "auto" | undefined;
  /**
   * Whether samples are names rather than amounts. Default: yes for bands with a colour table, and for single 8-bit
   * bands, since most of those are classes or flags and a mean of class numbers is a wrong class, while nearest on a
   * picture is only coarse.
   */
  readonly classes?: boolean | undefined;
  /** What the file says means "no observation", for all bands; default what the bands say. Changes no pixel. */
  readonly nodata?: SampleValue | null | undefined;
  /**
   * Leave out tiles that hold nothing but nodata (0 without nodata) or are masked altogether; readers give nodata or
   * 0 there, so a masked pixel may lose the value nobody sees. Default false: some readers trip over missing tiles.
   */
  readonly sparse?: boolean | undefined;
  /** 64-bit offsets; default `"auto"`: when the file would not fit in 4 GiB. */
  readonly bigtiff?: "auto" | "yes" | "no" | undefined;
  /** Write STATISTICS_* of every band, counted over the observed pixels; default true. */
  readonly statistics?: boolean | undefined;
  /** Key-values for the whole raster, besides those of the source (`null` takes one away). */
  readonly metadata?: Readonly<Record<string, string | null>> | undefined;
  /** Changes to what the source says about its bands, by position: names, scale, offset, unit, colours, key-values. */
  readonly bands?: readonly (Partial<Omit<Band, "type" | "nodata">> | undefined)[] | undefined;
  /** Bytes for pixels in flight; default 256 MiB. A few tiles of all bands are needed at the least. */
  readonly memory?: number | undefined;
  /** Tiles compressed at once; default 8. The bytes are the same for every number. */
  readonly concurrency?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each full-resolution tile. */
  readonly onProgress?: ((donePixels: number, totalPixels: number) => void) | undefined;
}

/** One resolution of the output. */
export interface LevelSize {
  readonly width: number;
  readonly height: number;
  readonly tilesAcross: number;
  readonly tilesDown: number;
}

/** Options with every "auto" decided. */
export interface CogPlan {
  readonly side: number;
  readonly type: SampleType;
  readonly bands: readonly Band[];
  /** For all bands; as the file says it. */
  readonly nodata: SampleValue | null;
  /** The same as a sample of `type`; `null` when there is none, or none that `type` can hold. */
  readonly sampleNodata: number | bigint | null;
  readonly compress: "deflate" | "lzw" | "zstd" | "none";
  readonly level: number;
  readonly predictor: 1 | 2 | 3;
  /** Full resolution first. */
  readonly levels: readonly LevelSize[];
  readonly overviewMethod: OverviewMethod;
  /** An internal mask is written. */
  readonly hasMask: boolean;
  /** Position of the alpha band, or -1. */
  readonly alpha: number;
  readonly color: "gray" | "rgb" | "palette";
  readonly sparse: boolean;
  readonly bigtiff: "auto" | "yes" | "no";
  readonly statistics: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly memory: number;
  readonly concurrency: number;
}

/** Tiles of all levels together; their positions are held in memory, 12 bytes each. */
const MAX_TILES = 2 ** 24;
const MEBIBYTE = 2 ** 20;

/**
 * Decide everything that can be decided before the first pixel.
 *
 * @throws GeoError `INVALID_INPUT`, `UNSUPPORTED`, `LIMIT`
 */
export function planCog(source: RasterSource, options: CogOptions): CogPlan {
  const { width, height } = source.grid;
  if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
    throw invalid("grid", `${source.url} is ${width} x ${height} pixels`, "at least one pixel each way");
  }
  if (width >= 2 ** 31 || height >= 2 ** 31) {
    throw limit(source, `${width} x ${height} pixels`, Math.max(width, height), 2 ** 31 - 1);
  }
  const side = options.blocksize ?? 512;
  if (!isBlocksize(side)) {
    throw invalid("blocksize", `blocksize is ${side}`, "a multiple of 16 from 64 to 4096");
  }
  const bands = planBands(source, options);
  const type = bands[0]!.type;
  const levels = planLevels(source, side, options.overviews ?? "auto");
  const nodata = planNodata(source, bands, options.nodata);
  const color = planColor(source, bands, type);
  const alpha = bands.findIndex((band) => band.colorInterpretation === "alpha");
  const classes =
    options.classes ??
    (color === "palette" || (bands.length === 1 && SAMPLE_BYTES[type] === 1 && !isComplex(type)));
  const compress = options.compress ?? "deflate";
  if (!["deflate", "lzw", "zstd", "none"].includes(compress)) {
    throw invalid("compress", `compress is "${compress}"`, "deflate, lzw, zstd or none");
  }
  if (compress === "zstd") assertZstd();
  const tileBytes = side * side * bands.length * SAMPLE_BYTES[type];
  // A tile of 2 GiB would not fit a buffer; libtiff stops there as well.
  if (tileBytes > 2 ** 30) {
    throw limit(source, `a tile of ${side} x ${side} pixels in ${bands.length} bands`, tileBytes, 2 ** 30);
  }
  const metadata = { ...source.metadata };
  for (const [key, value] of Object.entries(options.metadata ?? {})) {
    if (value === null) delete metadata[key];
    else metadata[key] = value;
  }
  return {
    side,
    type,
    bands,
    nodata,
    sampleNodata: sampleOf(type, nodata),
    compress,
    level: planLevel(compress, options.level),
    predictor: planPredictor(type, compress, classes, options.predictor ?? "auto"),
    levels,
    overviewMethod: planMethod(type, classes, options.overviewResampling ?? "auto"),
    hasMask: source.hasMask && alpha === -1,
    alpha,
    color,
    sparse: options.sparse ?? false,
    bigtiff: options.bigtiff ?? "auto",
    statistics: options.statistics ?? true,
    metadata,
    memory: Math.max(1, options.memory ?? 256 * MEBIBYTE),
    concurrency: Math.max(1, Math.floor(options.concurrency ?? 8)),
  };
}

/** Whether tiles may have this side. */
export function isBlocksize(side: number): boolean {
  return Number.isInteger(side) && side % 16 === 0 && side >= 64 && side <= 4096;
}

function planBands(source: RasterSource, options: CogOptions): Band[] {
  const bands = source.bands.map((band, i) => ({ ...band, ...withoutUndefined(options.bands?.[i] ?? {}) }));
  if (bands.length === 0 || bands.length > 65535) {
    throw invalid("bands", `${source.url} has ${bands.length} bands`, "1 to 65535 bands");
  }
  const types = [...new Set(bands.map((band) => band.type))];
  if (types.length > 1) {
    throw new GeoError(
      "UNSUPPORTED",
      `${source.url} has bands of ${types.join(", ")}; a GeoTIFF holds one sample type`,
      { feature: "bands of different types", path: source.url },
      { hint: "Write the bands to one file each, or convert them to one type first." },
    );
  }
  return bands;
}

function withoutUndefined<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}

function planLevels(source: RasterSource, side: number, overviews: "auto" | "none" | number): LevelSize[] {
  if (typeof overviews === "number" ? !(Number.isInteger(overviews) && overviews >= 0) : false) {
    throw invalid("overviews", `overviews is ${overviews}`, "auto, none or a whole number from 0");
  }
  let { width, height } = source.grid;
  const levels: LevelSize[] = [];
  let tiles = 0;
  for (;;) {
    const tilesAcross = Math.ceil(width / side);
    const tilesDown = Math.ceil(height / side);
    tiles += tilesAcross * tilesDown;
    if (tiles > MAX_TILES) {
      throw limit(source, `${width} x ${height} pixels in tiles of ${side}`, 12 * tiles, 12 * MAX_TILES);
    }
    levels.push({ width, height, tilesAcross, tilesDown });
    const made = levels.length - 1;
    const more =
      overviews === "auto"
        ? width > side || height > side
        : overviews !== "none" && made < overviews && (width > 1 || height > 1);
    if (!more) return levels;
    width = Math.ceil(width / 2);
    height = Math.ceil(height / 2);
  }
}

function planNodata(
  source: RasterSource,
  bands: readonly Band[],
  override: SampleValue | null | undefined,
): SampleValue | null {
  if (override !== undefined) return override;
  // An alpha band says itself what is observed.
  const said = bands.filter((band) => band.colorInterpretation !== "alpha").map((band) => band.nodata);
  const first = said[0] ?? null;
  if (said.every((nodata) => Object.is(nodata, first))) return first;
  throw new GeoError(
    "UNSUPPORTED",
    `the bands of ${source.url} have different nodata values (${said.map(String).join(", ")}); ` +
      "a GeoTIFF holds one for all bands",
    { feature: "nodata per band", path: source.url },
    { hint: "Write the bands to one file each, or pass the nodata value that holds for all of them." },
  );
}

/** Nodata as a sample: rounded for floats, `null` when an integer type cannot hold it. */
function sampleOf(type: SampleType, nodata: SampleValue | null): number | bigint | null {
  if (nodata === null || isComplex(type)) return null;
  const range = integerRange(type);
  if (range !== null) {
    if (typeof nodata === "number" && !Number.isInteger(nodata)) return null;
    const whole = BigInt(nodata);
    if (whole < range[0] || whole > range[1]) return null;
    return type === "int64" || type === "uint64" ? whole : Number(whole);
  }
  return type === "float64" ? Number(nodata) : Math.fround(Number(nodata));
}

function planColor(
  source: RasterSource,
  bands: readonly Band[],
  type: SampleType,
): "gray" | "rgb" | "palette" {
  const byte = type === "uint8";
  const short = type === "uint16";
  const table = bands.find((band) => band.colorTable !== null)?.colorTable ?? null;
  if (table !== null && bands.length === 1 && (byte || short)) {
    const most = byte ? 256 : 65536;
    if (table.length <= most) return "palette";
    throw invalid(
      "bands[0].colorTable",
      `the colour table of ${source.url} has ${table.length} entries`,
      `at most ${most}`,
    );
  }
  const [red, green, blue] = bands.map((band) => band.colorInterpretation);
  return (byte || short) && red === "red" && green === "green" && blue === "blue" ? "rgb" : "gray";
}

function planLevel(compress: string, level: number | undefined): number {
  const most = compress === "zstd" ? 22 : 9;
  if (level === undefined) return compress === "zstd" ? 9 : 6;
  if (Number.isInteger(level) && level >= 1 && level <= most) return level;
  throw invalid("level", `level is ${level}`, `a whole number from 1 to ${most} for ${compress}`);
}

function planPredictor(
  type: SampleType,
  compress: string,
  classes: boolean,
  predictor: "auto" | "none" | 2 | 3,
): 1 | 2 | 3 {
  if (predictor === "none" || compress === "none") return 1;
  const float = isFloat(type) && !isComplex(type);
  if (predictor === "auto") return classes || isComplex(type) ? 1 : float ? 3 : 2;
  if (isComplex(type) || (predictor === 3 && !float)) {
    throw invalid(
      "predictor",
      `predictor ${predictor} cannot be used with ${type} samples`,
      isComplex(type) ? "none" : "2 or none",
    );
  }
  if (predictor === 2 || predictor === 3) return predictor;
  throw invalid("predictor", `predictor is ${String(predictor)}`, "auto, none, 2 or 3");
}

function planMethod(type: SampleType, classes: boolean, method: OverviewMethod | "auto"): OverviewMethod {
  if (method === "auto") return classes || isComplex(type) ? "nearest" : "average";
  if (isComplex(type) && method !== "nearest") {
    throw invalid("overviewResampling", `${method} of ${type} samples is not defined here`, "nearest");
  }
  if (method === "nearest" || method === "average" || method === "mode") return method;
  throw invalid(
    "overviewResampling",
    `overviewResampling is "${String(method)}"`,
    "nearest, average or mode",
  );
}

function invalid(path: string, found: string, expected: string): GeoError {
  return new GeoError("INVALID_INPUT", `${found}, expected ${expected}`, { path, expected });
}

function limit(source: RasterSource, what: string, needed: number, allowed: number): GeoError {
  return new GeoError(
    "LIMIT",
    `${source.url} would be ${what}, more than this writer can hold in one file`,
    { what, needed, allowed, path: source.url },
    { hint: "Cut it into several files, or check the size: it may be a mistake." },
  );
}
