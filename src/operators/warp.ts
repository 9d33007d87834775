import { parseCrs } from "../crs/parse.ts";
import { describeTransform } from "../crs/transformer.ts";
import { type Executor, inline } from "../execution/executor.ts";
import {
  filterRadius,
  RESAMPLINGS,
  type Resampling,
  usesFootprint,
} from "../kernels/raster/resample/methods.ts";
import type { WarpBand, WarpBlock } from "../kernels/raster/warp/warp-block.ts";
import { type Crs, describeCrs, sameCrs } from "../model/crs.ts";
import { GeoError } from "../model/errors.ts";
import { type Bounds, type Grid, gridBounds, pixelToWorld, type Window } from "../model/grid.ts";
import {
  type Band,
  integerRange,
  isComplex,
  isFloat,
  type RasterBlock,
  type RasterSource,
  type ReadOptions,
  SAMPLE_BYTES,
  type SampleArray,
  type SampleValue,
  sampleArray,
} from "../model/raster.ts";
import { mappingToSource, turnOf } from "./warp/mapping.ts";
import { planPatches } from "./warp/plan-patches.ts";
import { type Need, type Region, regionsOf } from "./warp/regions.ts";
import { sampleMapping } from "./warp/scale.ts";
import { sourceReader } from "./warp/source-reader.ts";
import { targetGrid } from "./warp/target-grid.ts";

export type { Resampling } from "../kernels/raster/resample/methods.ts";

export interface WarpOptions {
  /** CRS of the result, as {@link parseCrs} reads it. Default: that of `like`, else that of the source. */
  readonly to?: string | Crs | undefined;
  /** Default `"near"`. */
  readonly resampling?: Resampling | undefined;
  /** The grid of another raster, as it is. Not with the options below. */
  readonly like?: { readonly grid: Grid } | undefined;
  /** Cell size in units of the new CRS, one number or `[x, y]`. */
  readonly res?: number | readonly [x: number, y: number] | undefined;
  /** Bounds of the result in the new CRS; longitudes with minX > maxX cross the antimeridian. Default: all of the source. */
  readonly extent?: Bounds | undefined;
  /** Size in pixels; with one of them pixels are square and the other follows. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  /**
   * Cell edges at multiples of the cell size: `"tap"` counted from 0, `"source"` from the corner of the source (of its
   * bounds, in another CRS). The extent grows to them. Default: the extent as it is.
   */
  readonly snap?: "source" | "tap" | undefined;
  /** Sample that means "not observed" in the source, for all bands; default what the bands say. */
  readonly sourceNodata?: SampleValue | undefined;
  /**
   * Sample for pixels of the result that are not observed. Default: the nodata value of the band; NaN for bands of fractions
   * without one; for whole numbers without one pixels are 0 and a mask says that they are not observed.
   */
  readonly nodata?: SampleValue | undefined;
  /**
   * Error in source pixels that positions may have. Default: none, that is a millionth of a pixel. GDAL's default is
   * 0.125.
   */
  readonly approximate?: number | undefined;
  /** Bytes of source pixels to hold. Default 64 MB. */
  readonly memory?: number | undefined;
  /** Where pixels are made; default here. The result does not depend on it. */
  readonly executor?: Executor | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface WarpReport {
  readonly resampling: Resampling;
  /** Pixels of the result. */
  readonly pixels: number;
  /** Pixels of the result per pixel of the source, across and down; kernels widen below 1. */
  readonly scale: readonly [x: number, y: number];
  /** Longitudes of the result go on beyond 180 degrees. */
  readonly crossesAntimeridian: boolean;
  readonly warnings: readonly string[];
}

/** A lazy view of a raster on another grid. */
export interface WarpedRaster extends RasterSource {
  readonly report: WarpReport;
}

/** What positions are checked to when they shall be exact, in source pixels: a quarter of a millionth, twice that inside. */
const EXACT = 2.5e-7;
const DEFAULT_BYTES = 64 * 1024 * 1024;
const TILE = 512;

/**
 * A raster on another grid: in another CRS, at another resolution, over another extent or like another raster. Nothing is
 * read until the result is, and then only what the window needs. Pixels depend on nothing but the two grids: not on the
 * windows asked for, nor on the threads.
 *
 * Every pixel's centre is taken to the source (its corners, for methods that look at all samples a pixel covers).
 * Pixels outside the source, and those whose nearest sample is not observed, are not observed; for methods that look at
 * covered samples, those that cover no observed one. Bands without a nodata value and the mask of a source are told apart by
 * a mask. Colour tables are kept by `near` and `mode`.
 *
 * See {@link Resampling} for the methods and `docs/warp.md` for their rules beside GDAL's.
 *
 * @throws GeoError `CRS_UNKNOWN`, `NO_OVERLAP`, `INVALID_INPUT`, `UNSUPPORTED`, `LIMIT`
 */
export async function warpRaster(source: RasterSource, options: WarpOptions = {}): Promise<WarpedRaster> {
  const { executor = inline, approximate, like } = options;
  const method = checkedMethod(options.resampling ?? "near");
  if (approximate !== undefined && !(approximate > 0 && approximate <= 1)) {
    throw new GeoError("INVALID_INPUT", `approximate is ${approximate}, expected a part of a pixel`, {
      path: "approximate",
      expected: "a number above 0, at most 1",
    });
  }
  const warnings: string[] = [];
  const crs = targetCrs(source, options, warnings);
  const grid =
    like === undefined ? targetGrid(source.grid, source.url, { ...options, crs }) : likeGrid(options, crs);
  const mapping = mappingToSource(grid, source.grid);
  const radius = usesFootprint(method) ? 1 : filterRadius(method);
  const { meets, scale } = sampleMapping(mapping, grid, source.grid, 2 * radius);
  if (!meets && !sourceMeets(source.grid, grid)) throw noOverlap(source, grid);
  const covered = mapping.affine !== null && isInside(grid, source.grid, mapping.affine);
  const bands = source.bands.map((band, k) => warpedBand(band, k, method, options));
  for (const { band, kept } of bands) {
    if (kept.colorTable === null || band.colorTable !== null) continue;
    warnings.push(
      `samples with a colour table are classes: ${method} makes no sense of them; use near or mode`,
    );
    break;
  }
  const turn = turnOf(grid);
  const [minX, , maxX] = gridBounds(grid);
  const crosses = turn > 0 && (maxX > turn / 2 + 1e-9 * turn || minX < -turn / 2 - 1e-9 * turn);
  if (crosses && like === undefined && options.extent === undefined) {
    warnings.push("the result lies across the antimeridian: its longitudes go on beyond 180 degrees");
  }
  const masked = source.hasMask || (!covered && bands.some(({ masked: m }) => m));
  const { memory = DEFAULT_BYTES } = options;
  const pixelBytes = source.bands.reduce((sum, { type }) => sum + SAMPLE_BYTES[type] + 1, 1);
  const need: Need = {
    method,
    scale,
    width: source.grid.width,
    height: source.grid.height,
    // Half is for tiles; several windows are under way at once, each held here and in a thread.
    most: Math.max(2 ** 16, Math.floor(memory / 16 / pixelBytes)),
    url: source.url,
  };
  const tiles = sourceReader(source, memory / 2);
  const tolerance = approximate ?? EXACT;
  const points = usesFootprint(method) ? "corners" : "centers";

  async function part(
    { window, source: from }: Region,
    patches: ReturnType<typeof planPatches>,
    numbers: readonly number[],
    read: ReadOptions,
  ): Promise<WarpBlock> {
    if (from === null) {
      const pixels = window.width * window.height;
      const samples = numbers.map((k) => {
        const { band, fill } = bands[k]!;
        return sampleArray(band.type, pixels).fill(fill as never) as SampleArray;
      });
      return { bands: samples, mask: masked ? new Uint8Array(pixels) : null };
    }
    const block = await tiles.read(from, read);
    try {
      read.signal?.throwIfAborted();
      return await executor.call("warpBlock", {
        method,
        window,
        patches,
        source: from,
        bands: numbers.map((k, i): WarpBand => {
          const { band, sourceNodata, fill, declared } = bands[k]!;
          return {
            type: band.type,
            samples: block.bands[i]!,
            nodata: sourceNodata,
            fill,
            declared,
            unmasked: band.colorInterpretation === "alpha",
          };
        }),
        mask: block.mask,
        scale,
        period: mapping.period,
        limit: [
          Math.max(source.grid.width / 2, 8 / scale[0]),
          Math.max(source.grid.height / 2, 8 / scale[1]),
        ],
        masked,
      });
    } finally {
      block.release();
    }
  }

  return {
    url: source.url,
    grid,
    bands: bands.map(({ band }) => band),
    tile: { width: TILE, height: TILE },
    hasMask: masked,
    metadata: source.metadata,
    report: {
      resampling: method,
      pixels: grid.width * grid.height,
      scale,
      crossesAntimeridian: crosses,
      warnings,
    },
    async read(window, read = {}): Promise<RasterBlock> {
      read.signal?.throwIfAborted();
      options.signal?.throwIfAborted();
      const numbers = read.bands ?? source.bands.map((_, k) => k);
      const patches = planPatches(mapping, grid, window, points, tolerance);
      const regions = regionsOf(window, patches, need);
      const [only] = regions;
      if (regions.length === 1) return { ...(await part(only!, patches, numbers, read)), window };
      const out = numbers.map((k) => sampleArray(bands[k]!.band.type, window.width * window.height));
      const mask = masked ? new Uint8Array(window.width * window.height) : null;
      for (const region of regions) {
        const made = await part(region, patches, numbers, read);
        made.bands.forEach((samples, i) => {
          copyInto(samples, region.window, out[i]!, window, isComplex(bands[numbers[i]!]!.band.type) ? 2 : 1);
        });
        if (mask !== null) copyInto(made.mask!, region.window, mask, window, 1);
      }
      return { window, bands: out, mask };
    },
    close: () => source.close(),
  };
}

function copyInto(from: SampleArray, part: Window, to: SampleArray, whole: Window, pair: number): void {
  for (let row = 0; row < part.height; row++) {
    const start = pair * row * part.width;
    const at = pair * ((row + part.row - whole.row) * whole.width + part.col - whole.col);
    to.set(from.subarray(start, start + pair * part.width) as never, at);
  }
}

function checkedMethod(method: Resampling): Resampling {
  if (RESAMPLINGS.includes(method)) return method;
  throw new GeoError("INVALID_INPUT", `resampling is "${String(method)}"`, {
    path: "resampling",
    expected: RESAMPLINGS.join(", "),
  });
}

function targetCrs(source: RasterSource, options: WarpOptions, warnings: string[]): Crs | null {
  const { to, like } = options;
  const from = source.grid.crs;
  const crs = to === undefined ? (like?.grid.crs ?? from) : typeof to === "string" ? parseCrs(to) : to;
  if (like !== undefined && to !== undefined && like.grid.crs !== null && !sameCrs(crs, like.grid.crs)) {
    throw new GeoError(
      "CRS_MISMATCH",
      `the raster to be like is in ${describeCrs(like.grid.crs)}, not in ${describeCrs(crs)}`,
      { left: describeCrs(crs), right: describeCrs(like.grid.crs) },
      { hint: "Leave out the CRS: the result takes that of the other raster." },
    );
  }
  if (from === null && crs !== null) {
    throw new GeoError(
      "CRS_UNKNOWN",
      `${source.url} does not say its CRS, so it cannot be brought to ${describeCrs(crs)}`,
      { crs: "none" },
      { hint: "Write the CRS into the file first, for example with gdal_edit.py -a_srs." },
    );
  }
  if (from !== null && crs !== null && !sameCrs(from, crs))
    warnings.push(...describeTransform(from, crs).warnings);
  return crs;
}

function likeGrid({ like, res, extent, width, height, snap }: WarpOptions, crs: Crs | null): Grid {
  const others = Object.entries({ res, extent, width, height, snap }).filter(
    ([, value]) => value !== undefined,
  );
  if (others.length > 0) {
    const path = others[0]![0];
    throw new GeoError("INVALID_INPUT", `like and ${path} cannot both be given: like says the whole grid`, {
      path,
      expected: "nothing beside like",
    });
  }
  return { ...like!.grid, crs };
}

/** A band of the result, and how samples come and go. */
interface WarpedBand {
  readonly kept: Band;
  readonly band: Band;
  readonly sourceNodata: SampleValue | null;
  readonly fill: SampleValue;
  /** `fill` is the nodata value of the result. */
  readonly declared: boolean;
  /** Only a mask can say which pixels are observed. */
  readonly masked: boolean;
}

function warpedBand(band: Band, k: number, method: Resampling, options: WarpOptions): WarpedBand {
  const metadata = Object.fromEntries(
    Object.entries(band.metadata).filter(([key]) => !key.startsWith("STATISTICS_")),
  );
  const classes = method === "near" || method === "mode";
  const interpretation = band.colorInterpretation;
  const clean: Band = {
    ...band,
    metadata,
    colorTable: classes ? band.colorTable : null,
    colorInterpretation: interpretation === "palette" && !classes ? "gray" : interpretation,
  };
  const alpha = interpretation === "alpha";
  const sourceNodata = alpha ? null : (options.sourceNodata ?? band.nodata);
  const asked = options.nodata ?? (sourceNodata === null ? null : sourceNodata);
  const zero: SampleValue = band.type === "int64" || band.type === "uint64" ? 0n : 0;
  if (alpha) return { kept: band, band: clean, sourceNodata, fill: zero, declared: false, masked: false };
  const fill = asked === null ? null : sampleOf(asked, band);
  if (fill === null && options.nodata !== undefined) {
    const range = integerRange(band.type);
    throw new GeoError(
      "INVALID_INPUT",
      `nodata ${options.nodata} does not fit band ${k + 1}, which holds ${band.type}`,
      {
        path: "nodata",
        expected: range === null ? "a number" : `a whole number from ${range[0]} to ${range[1]}`,
      },
    );
  }
  if (fill !== null) {
    const nodata = options.nodata ?? asked;
    return { kept: band, band: { ...clean, nodata }, sourceNodata, fill, declared: true, masked: false };
  }
  if (isFloat(band.type) && !isComplex(band.type)) {
    const nodata = Number.NaN;
    return {
      kept: band,
      band: { ...clean, nodata },
      sourceNodata,
      fill: nodata,
      declared: true,
      masked: false,
    };
  }
  return { kept: band, band: clean, sourceNodata, fill: zero, declared: false, masked: true };
}

/** A value as the array of a band holds it; `null` when it cannot. */
function sampleOf(value: SampleValue, { type }: Band): SampleValue | null {
  const range = integerRange(type);
  if (range === null) {
    if (isComplex(type))
      return type.startsWith("complexint") && !Number.isInteger(Number(value)) ? null : Number(value);
    return type === "float64" ? Number(value) : Math.fround(Number(value));
  }
  if (typeof value === "number" && !Number.isInteger(value)) return null;
  const whole = BigInt(value);
  if (whole < range[0] || whole > range[1]) return null;
  return type === "int64" || type === "uint64" ? whole : Number(whole);
}

/** Whether all of the result lies inside the source: then every pixel has a place there. */
function isInside(
  target: Grid,
  source: Grid,
  affine: readonly [number, number, number, number, number, number],
): boolean {
  for (const [col, row] of [
    [0, 0],
    [target.width, 0],
    [0, target.height],
    [target.width, target.height],
  ] as const) {
    const [x, y] = pixelToWorld(affine, col, row);
    if (!(x >= -1e-6 && y >= -1e-6 && x <= source.width + 1e-6 && y <= source.height + 1e-6)) return false;
  }
  return true;
}

/** Whether a position of the source falls inside the result, for results that are much larger than it. */
function sourceMeets(source: Grid, target: Grid): boolean {
  const { map } = mappingToSource(source, target);
  const steps = 20;
  const xy = new Float64Array(2 * (steps + 1) ** 2);
  for (let r = 0, k = 0; r <= steps; r++) {
    for (let c = 0; c <= steps; c++) {
      xy[k++] = (c * source.width) / steps;
      xy[k++] = (r * source.height) / steps;
    }
  }
  map(xy);
  for (let i = 0; i < xy.length; i += 2) {
    const x = xy[i]!;
    const y = xy[i + 1]!;
    if (x > 0 && y > 0 && x < target.width && y < target.height) return true;
  }
  return false;
}

function noOverlap(source: RasterSource, target: Grid): GeoError<"NO_OVERLAP"> {
  const left = `${gridBounds(source.grid).join(", ")} in ${describeCrs(source.grid.crs)}`;
  const right = `${gridBounds(target).join(", ")} in ${describeCrs(target.crs)}`;
  return new GeoError(
    "NO_OVERLAP",
    `${source.url} [${left}] and the result [${right}] do not meet`,
    { left, right },
    { hint: "The extent is in units of the new CRS; longitude or easting first." },
  );
}
