import type { Crs } from "../model/crs.ts";
import { type Affine, type Grid, intersectWindows, type Window } from "../model/grid.ts";
import {
  type Band,
  makeBand,
  type RasterSource,
  type SampleArray,
  type SampleType,
  sampleArray,
} from "../model/raster.ts";
import { UTM_45N } from "./places.ts";
import { fractal, random } from "./random.ts";

/** A raster in memory that remembers which windows were read. */
export interface MemoryRaster extends RasterSource {
  readonly reads: Window[];
}

export interface RasterOptions {
  /** Name in messages; default `"memory"`. */
  readonly url?: string;
  /** Default 2, so that even a tiny raster has several tiles. */
  readonly tileSize?: number;
  /** Default: none. */
  readonly nodata?: number | bigint | null;
  /** Default UTM zone 45N; `null`: unknown. */
  readonly crs?: Crs | null;
  /** Default: cells of 10 with the top-left corner at (0, 0). */
  readonly transform?: Affine;
  /** Validity of each pixel, 0 or 255; default none. */
  readonly mask?: Uint8Array | null;
  /** More about each band; type and nodata are taken from above. */
  readonly bands?: readonly Partial<Band>[];
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * A raster from rows of numbers, so that a test shows its pixels. For several bands pass a list of such rows.
 *
 *     makeRaster("uint8", [[1, 2], [3, 4]], { nodata: 0 })
 */
export function makeRaster(
  type: SampleType,
  rows: readonly (readonly number[])[] | readonly (readonly (readonly number[])[])[],
  options: RasterOptions = {},
): MemoryRaster {
  const bands = (Array.isArray(rows[0]?.[0]) ? rows : [rows]) as readonly (readonly (readonly number[])[])[];
  const height = bands[0]!.length;
  const width = bands[0]![0]?.length ?? 0;
  const arrays = bands.map((band) => {
    const samples = sampleArray(type, width * height);
    const wide = samples instanceof BigInt64Array || samples instanceof BigUint64Array;
    let i = 0;
    for (const row of band) {
      if (row.length !== width) throw new RangeError(`a row has ${row.length} pixels, the first ${width}`);
      for (const value of row) samples[i++] = (wide ? BigInt(value) : value) as never;
    }
    return samples;
  });
  return rasterOf(type, width, height, arrays, options);
}

/** A raster over arrays, one per band, row-major, length `width * height`. The arrays are not copied. */
export function rasterOf(
  type: SampleType,
  width: number,
  height: number,
  arrays: readonly SampleArray[],
  options: RasterOptions = {},
): MemoryRaster {
  const { url = "memory", tileSize = 2, nodata = null, crs = UTM_45N, mask = null } = options;
  const grid: Grid = { width, height, transform: options.transform ?? [10, 0, 0, 0, -10, 0], crs };
  for (const array of arrays) {
    if (array.length !== width * height)
      throw new RangeError(`${array.length} samples for ${width} x ${height} pixels`);
  }
  const reads: Window[] = [];
  return {
    url,
    grid,
    bands: arrays.map((_, k) => makeBand({ ...options.bands?.[k], type, nodata })),
    tile: { width: Math.min(tileSize, width), height: Math.min(tileSize, height) },
    hasMask: mask !== null,
    metadata: options.metadata ?? {},
    reads,
    read(window, { bands, signal } = {}) {
      signal?.throwIfAborted();
      const inside = intersectWindows(window, { col: 0, row: 0, width, height });
      if (inside === null || inside.width !== window.width || inside.height !== window.height) {
        return Promise.reject(
          new RangeError(`window ${JSON.stringify(window)} is not inside ${width} x ${height}`),
        );
      }
      reads.push(window);
      const chosen = bands === undefined ? arrays : bands.map((k) => arrays[k]!);
      return Promise.resolve({
        window,
        bands: chosen.map((array) => cut(array, width, window)),
        mask: mask === null ? null : (cut(mask, width, window) as Uint8Array),
      });
    },
    close: () => Promise.resolve(),
  };
}

function cut(from: SampleArray, width: number, window: Window): SampleArray {
  const out = new (from.constructor as new (length: number) => SampleArray)(window.width * window.height);
  for (let row = 0; row < window.height; row++) {
    const start = (window.row + row) * width + window.col;
    out.set(from.subarray(start, start + window.width) as never, row * window.width);
  }
  return out;
}

export interface SceneOptions extends RasterOptions {
  readonly seed?: number;
  /** Default 64 each. */
  readonly width?: number;
  readonly height?: number;
  /** Default `"int16"`. */
  readonly type?: SampleType;
  /** Default 1. */
  readonly bandCount?: number;
  /** Least and greatest sample; default 0 and 1000. */
  readonly range?: readonly [min: number, max: number];
  /** Share of pixels that are nodata, in blobs as clouds make them; default 0. Needs `nodata`. */
  readonly gaps?: number;
}

/** A scene of smooth random values, the same for the same options. */
export function makeScene(options: SceneOptions = {}): MemoryRaster {
  const {
    seed = 1,
    width = 64,
    height = 64,
    type = "int16",
    bandCount = 1,
    range = [0, 1000],
    gaps = 0,
  } = options;
  const whole = !type.startsWith("float");
  const missing = gaps > 0 ? lowest(seed + 991, width, height, gaps) : null;
  const arrays = Array.from({ length: bandCount }, (_, band) => {
    const samples = sampleArray(type, width * height);
    for (let i = 0; i < width * height; i++) {
      const share = fractal(seed + 31 * band, (i % width) / 16, Math.floor(i / width) / 16, 4);
      const value = range[0] + share * (range[1] - range[0]);
      const stored = missing?.[i] === 1 ? (options.nodata ?? 0) : whole ? Math.round(value) : value;
      samples[i] = stored as never;
    }
    return samples;
  });
  return rasterOf(type, width, height, arrays, { tileSize: 32, ...options });
}

/** 1 for the share of pixels where smooth noise is lowest. */
function lowest(seed: number, width: number, height: number, share: number): Uint8Array {
  const values = Float64Array.from({ length: width * height }, (_, i) =>
    fractal(seed, (i % width) / 12, Math.floor(i / width) / 12, 3),
  );
  const limit = values.slice().sort()[Math.min(values.length - 1, Math.floor(share * values.length))]!;
  return Uint8Array.from(values, (value) => (value < limit ? 1 : 0));
}

/** One date of a stack. */
export interface StackMember {
  /** `YYYY-MM-DD`. */
  readonly date: string;
  readonly source: MemoryRaster;
}

export interface StackOptions extends SceneOptions {
  /** First date; default `"2021-07-01"`. */
  readonly start?: string;
  /** Days between dates; default 16. */
  readonly everyDays?: number;
  /** Dates; default 6. */
  readonly count?: number;
}

/** A dated stack of scenes on one grid. Gaps, if asked for, differ by date. */
export function makeStack(options: StackOptions = {}): StackMember[] {
  const { start = "2021-07-01", everyDays = 16, count = 6, seed = 1 } = options;
  const days = random(seed);
  return Array.from({ length: count }, (_, k) => ({
    date: addDays(start, k * everyDays),
    source: makeScene({ ...options, seed: days.int(1 << 30) }),
  }));
}

/** A day so many days after another, `YYYY-MM-DD`. */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10);
}
