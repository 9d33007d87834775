import type { Window } from "../model/grid.ts";
import { type RasterSource, SAMPLE_BYTES, type SampleArray, type WorkingArray } from "../model/raster.ts";

/** Bytes of pixels in flight when the caller does not say. */
export const DEFAULT_MEMORY: number = 256 * 1024 * 1024;

/** Pixels of a window beyond which larger ones read no faster. */
const ENOUGH_PIXELS = 1024 * 1024;

/**
 * Windows over a raster, row by row, that follow its tiles so that each is decoded once. Several small tiles
 * make one window, up to a megapixel or the share of `memory` that one of `inFlight` windows has.
 *
 * @param bands  Number of bands read at once, of all sources that are read together.
 */
export function* readWindows(
  source: RasterSource,
  bands: number = source.bands.length,
  memory: number = DEFAULT_MEMORY,
  inFlight: number = 2,
): Generator<Window> {
  const { grid, tile } = source;
  const sample = Math.max(...source.bands.map(({ type }) => SAMPLE_BYTES[type]));
  const allowed = Math.min(ENOUGH_PIXELS, Math.max(1024, memory / inFlight / (bands * sample + 1)));
  let width = Math.min(tile.width, grid.width);
  let height = Math.min(tile.height, grid.height);
  const across = Math.max(1, Math.min(Math.ceil(grid.width / width), Math.floor(allowed / (width * height))));
  width *= across;
  const down = Math.max(1, Math.floor(allowed / (width * height)));
  height *= down;
  if (width * height > Math.max(allowed, 4 * ENOUGH_PIXELS)) {
    // One tile is more than memory allows: rows of it, then parts of rows.
    height = Math.max(1, Math.floor(allowed / width));
    if (width > allowed) width = Math.floor(allowed);
  }
  for (let row = 0; row < grid.height; row += height) {
    for (let col = 0; col < grid.width; col += width) {
      yield {
        col,
        row,
        width: Math.min(width, grid.width - col),
        height: Math.min(height, grid.height - row),
      };
    }
  }
}

/** Samples as one of the four types that kernels work on. 64-bit integers lose what lies beyond 2^53. */
export function toWorking(samples: SampleArray): WorkingArray {
  if (
    samples instanceof Uint8Array ||
    samples instanceof Int32Array ||
    samples instanceof Float32Array ||
    samples instanceof Float64Array
  )
    return samples;
  if (samples instanceof Uint32Array) return Float64Array.from(samples);
  if (samples instanceof BigInt64Array || samples instanceof BigUint64Array) {
    const out = new Float64Array(samples.length);
    for (let i = 0; i < out.length; i++) out[i] = Number(samples[i]!);
    return out;
  }
  return Int32Array.from(samples);
}
