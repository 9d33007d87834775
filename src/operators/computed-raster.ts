import { GeoError } from "../model/errors.ts";
import type { Window } from "../model/grid.ts";
import {
  type Band,
  integerRange,
  isComplex,
  isFloat,
  makeBand,
  type RasterSource,
  type SampleType,
  sampleArray,
} from "../model/raster.ts";
import { readObserved } from "./observed.ts";
import { tileReader } from "./tile-reader.ts";

/** How computed values are stored. */
export interface ComputedBand {
  /** Default `"float32"`. */
  readonly type?: SampleType | undefined;
  /** What stands for "no value". Default NaN for fractions, the smallest number of a signed type, the largest of another. */
  readonly nodata?: number | undefined;
  readonly description?: string | undefined;
  readonly unit?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** One band that a computation reads. */
export interface InputBand {
  readonly source: RasterSource;
  /** 0-based. */
  readonly band: number;
}

/**
 * A lazy raster of one band whose pixels are computed from the neighbourhood of the same pixel in others.
 *
 * @param inputs   On one grid, which is that of the result.
 * @param reach    Pixels around a window that the computation looks at.
 * @param compute  Gets each input's samples of the window enlarged by `reach` on all sides, NaN where nothing is observed
 *                 and beyond the edge, and writes one value per pixel of the window; NaN: no value.
 */
export function computedRaster(
  inputs: readonly InputBand[],
  reach: number,
  output: ComputedBand,
  compute: (samples: readonly Float64Array[], window: Window, out: Float64Array) => void,
): RasterSource {
  const lead = inputs[0]!.source;
  const band = bandOf(output);
  const { type } = band;
  const nodata = Number(band.nodata);
  const readers = new Map([...new Set(inputs.map(({ source }) => source))].map((s) => [s, tileReader(s)]));
  return {
    url: lead.url,
    grid: lead.grid,
    bands: [band],
    tile: lead.tile,
    hasMask: false,
    metadata: {},
    async read(window, { bands = [0], signal } = {}) {
      signal?.throwIfAborted();
      const around: Window = {
        col: window.col - reach,
        row: window.row - reach,
        width: window.width + 2 * reach,
        height: window.height + 2 * reach,
      };
      const samples = await Promise.all(
        inputs.map(({ source, band: k }) => readObserved(readers.get(source)!, source, k, around, signal)),
      );
      const values = new Float64Array(window.width * window.height);
      compute(samples, window, values);
      const out = sampleArray(type, values.length);
      store(values, out as Exclude<typeof out, BigInt64Array | BigUint64Array>, type, nodata);
      return { window, bands: bands.map(() => out), mask: null };
    },
    async close() {
      await Promise.all([...readers.keys()].map((source) => source.close()));
    },
  };
}

function bandOf({ type = "float32", nodata, ...rest }: ComputedBand): Band {
  if (isComplex(type) || type === "int64" || type === "uint64") {
    throw new GeoError("UNSUPPORTED", `computed values cannot be stored as ${type}`, {
      feature: `computed ${type}`,
    });
  }
  const range = integerRange(type);
  const chosen =
    nodata ?? (range === null ? Number.NaN : type.startsWith("u") ? Number(range[1]) : Number(range[0]));
  if (
    range !== null &&
    !(Number.isInteger(chosen) && chosen >= Number(range[0]) && chosen <= Number(range[1]))
  ) {
    throw new GeoError("INVALID_INPUT", `nodata ${chosen} does not fit ${type}`, {
      path: "nodata",
      expected: `a whole number from ${range[0]} to ${range[1]}`,
    });
  }
  return makeBand({ type, nodata: chosen, ...rest });
}

/** Whole numbers are rounded to the nearest, halves up, and cut to the range of the type; infinite values are none. */
function store(
  values: Float64Array,
  out:
    | Uint8Array
    | Int8Array
    | Uint16Array
    | Int16Array
    | Uint32Array
    | Int32Array
    | Float32Array
    | Float64Array,
  type: SampleType,
  nodata: number,
): void {
  if (isFloat(type)) {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      out[i] = Number.isFinite(value) ? value : nodata;
    }
    return;
  }
  const range = integerRange(type)!;
  const low = Number(range[0]);
  const high = Number(range[1]);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    out[i] = Number.isFinite(value) ? Math.min(high, Math.max(low, Math.floor(value + 0.5))) : nodata;
  }
}
