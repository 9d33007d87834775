import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { Crs } from "../../../src/model/crs.ts";
import type { Affine, Window } from "../../../src/model/grid.ts";
import {
  type Band,
  integerRange,
  isComplex,
  isFloat,
  makeBand,
  type RasterSource,
  type SampleArray,
  type SampleType,
  type SampleValue,
  sampleArray,
} from "../../../src/model/raster.ts";

/** EPSG:32643 without the CRS table. */
export const UTM_43N: Crs = {
  code: "EPSG:32643",
  name: "WGS 84 / UTM zone 43N",
  kind: "projected",
  proj4: "+proj=utm +zone=43 +datum=WGS84 +units=m +no_defs",
  definition: null,
  unit: { name: "metre", kind: "length", factor: 1 },
  axisOrder: "xy",
  area: null,
};

export interface PixelsOptions {
  readonly type: SampleType;
  readonly width: number;
  readonly height: number;
  readonly bands?: readonly Partial<Band>[];
  readonly nodata?: SampleValue | null;
  readonly mask?: Uint8Array | null;
  readonly transform?: Affine;
  readonly crs?: Crs | null;
  readonly tile?: { readonly width: number; readonly height: number };
  readonly metadata?: Readonly<Record<string, string>>;
}

/** A raster over arrays, one per band, of any sample type; complex ones are pairs. */
export function pixels(arrays: readonly SampleArray[], options: PixelsOptions): RasterSource {
  const { type, width, height, nodata = null, mask = null } = options;
  const step = isComplex(type) ? 2 : 1;
  const cut = (from: SampleArray, window: Window, perPixel: number): SampleArray => {
    const out = new (from.constructor as new (n: number) => SampleArray)(
      window.width * window.height * perPixel,
    );
    for (let row = 0; row < window.height; row++) {
      const start = ((window.row + row) * width + window.col) * perPixel;
      out.set(from.subarray(start, start + window.width * perPixel) as never, row * window.width * perPixel);
    }
    return out;
  };
  return {
    url: "memory",
    grid: {
      width,
      height,
      transform: options.transform ?? [10, 0, 500000, 0, -10, 2000000],
      crs: options.crs === undefined ? UTM_43N : options.crs,
    },
    bands: arrays.map((_, b) => makeBand({ type, nodata, ...options.bands?.[b] })),
    tile: options.tile ?? { width: 256, height: 256 },
    hasMask: mask !== null,
    metadata: options.metadata ?? {},
    async read(window) {
      return {
        window,
        bands: arrays.map((array) => cut(array, window, step)),
        mask: mask === null ? null : (cut(mask, window, 1) as Uint8Array),
      };
    },
    async close() {},
  };
}

/** Uniform whole numbers below 2^32, the same in every run (xorshift32). */
export function randoms(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Samples that look like real ones: slopes with noise, over the whole range of the type now and then. */
export function terrain(type: SampleType, width: number, height: number, seed: number): SampleArray {
  const next = randoms(seed * 7919 + 1);
  const out = sampleArray(type, width * height);
  const perPixel = isComplex(type) ? 2 : 1;
  const range = integerRange(type);
  const big = out instanceof BigInt64Array || out instanceof BigUint64Array;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width * perPixel; x++) {
      const noise = next();
      const slope = ((x * 3 + y * 5 + seed * 11) >> 3) % 120;
      const wild = noise % 97 === 0;
      let value: number | bigint;
      if (big) value = wild ? BigInt(noise) << 31n : BigInt(slope);
      else if (isFloat(type) && !isComplex(type))
        value = wild ? noise / 977 : slope * 0.25 + (noise % 8) * 0.125;
      else if (range === null) value = slope - 60;
      else value = wild ? noise : slope;
      if (type === "float16") value = wild ? -12.5 : slope * 0.25;
      out[y * width * perPixel + x] = value as never;
    }
  }
  return out;
}

/** A folder of its own for one test file, removed afterwards. */
export function scratch(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), "tilth-write-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return (name) => join(folder, name);
}

/** Whether GDAL's command line tools are there. They are witnesses, not needed. */
export const HAS_GDAL: boolean = spawnSync("gdalinfo", ["--version"]).status === 0;

/** A python that has GDAL's bindings and its COG validator, or `null`. */
export const GDAL_PYTHON: string | null =
  ["/usr/bin/python3", "python3"].find(
    (python) =>
      spawnSync(python, ["-c", "import osgeo_utils.samples.validate_cloud_optimized_geotiff"]).status === 0,
  ) ?? null;

export interface GdalBand {
  readonly type: string;
  readonly checksum: number;
  readonly noDataValue?: number | string;
  readonly block: readonly [number, number];
  readonly colorInterpretation: string;
  readonly description?: string;
  readonly scale?: number;
  readonly offset?: number;
  readonly unit?: string;
  readonly metadata?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly overviews?: readonly { readonly size: readonly [number, number]; readonly checksum: number }[];
  readonly mask?: { readonly flags: readonly string[] };
  readonly colorTable?: { readonly entries: readonly (readonly number[])[] };
}

export interface GdalInfo {
  readonly size: readonly [number, number];
  readonly geoTransform?: readonly number[];
  readonly coordinateSystem?: { readonly wkt: string };
  readonly metadata: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly bands: readonly GdalBand[];
}

/** What `gdalinfo -json -checksum` says. */
export function gdalInfo(path: string): GdalInfo {
  const text = execFileSync("gdalinfo", ["-json", "-checksum", path], { stdio: ["ignore", "pipe", "pipe"] });
  // GDAL writes nan and inf, which JSON does not know.
  return JSON.parse(text.toString().replace(/:\s*(nan|-?inf)\b/gi, ': "$1"')) as GdalInfo;
}

/** What GDAL reads from one file, full resolution first. */
export interface GdalFacts {
  /** Errors and warnings of GDAL's COG validator; leaders and trailers of all tiles included. */
  readonly problems: readonly string[];
  readonly levels: readonly {
    readonly size: readonly [number, number];
    /** SHA-256 of each band's pixels in the type GDAL has for them, row by row, little-endian. */
    readonly bands: readonly string[];
    /** The same of the mask, 0 or 255 per pixel. */
    readonly mask: string;
  }[];
}

/** All of that for many files in one process. */
export function gdalFacts(python: string, paths: readonly string[]): Record<string, GdalFacts> {
  const script = `
import hashlib, json, sys
from osgeo import gdal
gdal.UseExceptions()
from osgeo_utils.samples.validate_cloud_optimized_geotiff import validate
def sha(band):
    return hashlib.sha256(band.ReadRaster(0, 0, band.XSize, band.YSize)).hexdigest()
out = {}
for path in sys.stdin.read().split():
    warnings, errors, details = validate(path, full_check=True)
    ds = gdal.Open(path)
    bands = [ds.GetRasterBand(i + 1) for i in range(ds.RasterCount)]
    levels = []
    for level in range(-1, bands[0].GetOverviewCount()):
        at = bands if level < 0 else [band.GetOverview(level) for band in bands]
        levels.append({"size": [at[0].XSize, at[0].YSize], "bands": [sha(b) for b in at], "mask": sha(at[0].GetMaskBand())})
    out[path] = {"problems": warnings + errors, "levels": levels}
print(json.dumps(out))
`;
  const { status, stdout, stderr } = spawnSync(python, ["-c", script], {
    encoding: "utf8",
    input: paths.join("\n"),
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, GdalFacts>;
}

/**
 * Values of the overviews that GDAL itself makes of a file (its COG driver), level by level for band 1, as numbers;
 * and the mask of each.
 */
export function gdalOverviews(
  path: string,
  method: string,
): { readonly values: Buffer; readonly mask: Buffer }[] {
  const made = `${path}.gdal.tif`;
  const create = ["-co", `OVERVIEW_RESAMPLING=${method}`, "-co", "OVERVIEWS=IGNORE_EXISTING"];
  execFileSync("gdal_translate", ["-q", "-of", "COG", ...create, path, made]);
  const levels = gdalInfo(made).bands[0]!.overviews?.length ?? 0;
  return Array.from({ length: levels }, (_, level) => ({
    values: gdalPixels(made, "1", level),
    mask: gdalPixels(made, "mask", level),
  }));
}

/** Pixels of one band (or `"mask"`) of one overview as GDAL reads them; -1 is the full resolution. */
export function gdalPixels(path: string, band: string, overview: number = -1): Buffer {
  const extra = overview >= 0 ? ["-oo", `OVERVIEW_LEVEL=${overview}only`] : [];
  const out = `${path}.${band}.${overview}.bin`;
  execFileSync("gdal_translate", ["-q", "-of", "ENVI", "-b", band, ...extra, path, out]);
  return readFileSync(out);
}

/** Bytes of an array as the file and GDAL hold them, little-endian. */
export function bytesOf(array: SampleArray): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}
