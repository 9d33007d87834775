import { GeoError } from "../model/errors.ts";
import type { Grid, Window } from "../model/grid.ts";
import {
  type Band,
  isComplex,
  makeBand,
  type RasterBlock,
  type RasterSource,
  type SampleArray,
  type SampleType,
  sampleArray,
} from "../model/raster.ts";

export interface MemoryRasterOptions {
  /** For messages. Default `"memory"`. */
  readonly url?: string | undefined;
  /** Validity of every pixel: 255 valid, 0 not, length `width * height`. Default: no mask. */
  readonly mask?: Uint8Array | null | undefined;
  /** Tile that readers are told of; default 256 x 256. */
  readonly tile?: { readonly width: number; readonly height: number } | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/**
 * A raster whose pixels are already in memory.
 *
 * @param bands  One per array; `{ type: "uint8" }` is enough.
 * @param data   One array per band, row-major, length `width * height` (twice that for complex types), of the
 *               type that the band says. Not copied.
 * @throws GeoError `INVALID_INPUT` when lengths do not agree with the grid.
 */
export function memoryRaster(
  grid: Grid,
  bands: readonly (Partial<Band> & { readonly type: SampleType })[],
  data: readonly SampleArray[],
  options: MemoryRasterOptions = {},
): RasterSource {
  const { url = "memory", mask = null, tile = { width: 256, height: 256 }, metadata = {} } = options;
  const pixels = grid.width * grid.height;
  if (bands.length !== data.length) throw wrong("data", `${bands.length} arrays, one per band`, data.length);
  for (const [k, { type }] of bands.entries()) {
    const expected = isComplex(type) ? 2 * pixels : pixels;
    if (data[k]!.length !== expected) throw wrong(`data[${k}]`, `${expected} samples`, data[k]!.length);
  }
  if (mask !== null && mask.length !== pixels) throw wrong("mask", `${pixels} values`, mask.length);
  const described = bands.map(makeBand);
  return {
    url,
    grid,
    bands: described,
    tile,
    hasMask: mask !== null,
    metadata,
    async read(window, { bands: wanted, signal } = {}): Promise<RasterBlock> {
      signal?.throwIfAborted();
      const numbers = wanted ?? described.map((_, k) => k);
      return {
        window,
        bands: numbers.map((k) => cut(data[k]!, described[k]!.type, grid.width, window)),
        mask: mask === null ? null : (cut(mask, "uint8", grid.width, window) as Uint8Array),
      };
    },
    close: () => Promise.resolve(),
  };
}

function cut(values: SampleArray, type: SampleType, width: number, window: Window): SampleArray {
  const pair = isComplex(type) ? 2 : 1;
  const out = sampleArray(type, window.width * window.height);
  for (let r = 0; r < window.height; r++) {
    const from = pair * ((window.row + r) * width + window.col);
    out.set(values.subarray(from, from + pair * window.width) as never, pair * r * window.width);
  }
  return out;
}

function wrong(path: string, expected: string, found: number): GeoError<"INVALID_INPUT"> {
  return new GeoError("INVALID_INPUT", `${path}: expected ${expected}, found ${found}`, { path, expected });
}
